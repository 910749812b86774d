"""OpenAI's dialect: any chat client can be pointed at the service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from eunato_rag.engine import Engine, conclusion
from eunato_rag.serving.addresses import base_url
from eunato_rag.serving.http import chat, problems, streaming
from eunato_rag.serving.http.served import Served

_COMPLETION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A chat.completion whose `answer` is what /v1/ask gives; or, with `stream`, its chunks",
        "content": {"application/json": {"schema": {"type": "object"}}, streaming.MEDIA_TYPE: streaming.EVENTS},
    }
}


def router(served: Served, public_url: str | None = None) -> APIRouter:
    """The routes; `public_url` is the service's own address in links, else that of each request."""
    routes = APIRouter(prefix="/v1", tags=["openai"])

    @routes.post("/chat/completions", response_model=None, responses=_COMPLETION)
    def completions(body: chat.ChatRequest, request: Request) -> Any:
        """The answer to the last user message; with `stream`, as it comes."""
        if body.model != chat.MODEL:
            return _unknown(request, body.model)
        if (refused := body.unsupported()) is not None:
            name, detail = refused
            return problems.problem(request, 400, "unsupported_parameter", detail, errors=[{"pointer": f"/{name}", "detail": detail}])
        question, history = body.question()
        engine, identity = served.engine(), request.state.request_id
        completion = chat.Completion(engine, body, identity, base_url(request, public_url))
        told = streaming.logged(engine.stream(question, history=history), identity)
        if body.stream:
            return streaming.EventStream(
                told, completion.frame, lambda error: b"data: " + bytes(problems.of(request, error).body) + b"\n\n"
            )
        return completion.whole(conclusion(told))

    @routes.get("/models")
    def models() -> dict[str, Any]:
        """The one model there is: answers from the corpus."""
        engine = served.engine()
        return {"object": "list", "data": [_model(engine)], "snapshot": engine.snapshot.id}

    @routes.get("/models/{model}", response_model=None)
    def model(model: str, request: Request) -> Any:
        """The model of that name."""
        return _model(served.engine()) if model == chat.MODEL else _unknown(request, model)

    return routes


def _model(engine: Engine) -> dict[str, Any]:
    """The model is as old as its snapshot."""
    created = int(datetime.fromisoformat(engine.snapshot.manifest.created).timestamp())
    return {"id": chat.MODEL, "object": "model", "created": created, "owned_by": chat.MODEL, "snapshot": engine.snapshot.id}


def _unknown(request: Request, name: str) -> Any:
    detail = f"There is no model {name!r}. Ask for {chat.MODEL!r}."
    return problems.problem(request, 404, "model_not_found", detail, errors=[{"pointer": "/model", "detail": detail}])
