"""Questions: the passages for a query, and the answer to a question."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request

from eunato_rag.engine import conclusion
from eunato_rag.serving.http import render, requests, schemas, streaming
from eunato_rag.serving.http.served import Served, since


def router(served: Served) -> APIRouter:
    routes = APIRouter(tags=["questions"])

    @routes.post("/v1/search")
    def search(body: requests.SearchRequest) -> schemas.Search:
        """The passages for a query, best first."""
        began, engine = time.perf_counter(), served.engine(body.snapshot)
        hits = engine.search(body.query, top_k=body.top_k, wanted=body.filter.record())
        return render.search(engine, body.query, hits, since(began))

    @routes.post("/v1/ask", response_model=schemas.Answer, responses=streaming.DESCRIBED)
    def ask(body: requests.AskRequest, request: Request) -> Any:
        """The answer to a question, each sentence cited and verified; or an abstention with the nearest evidence.

        With `Accept: text/event-stream`, as it comes: `search`, `answer.delta`, `citation`, and last `answer` or `error`.
        """
        began, engine = time.perf_counter(), served.engine(body.snapshot)
        events = engine.stream(body.question, history=body.turns(), top_k=body.top_k, wanted=body.filter.record())
        told = streaming.logged(events, request.state.request_id)
        if streaming.is_wanted(request.headers.get("accept", "")):
            return streaming.answer_stream(request, engine, told, began)
        return render.answer(engine, conclusion(told), since(began))

    return routes
