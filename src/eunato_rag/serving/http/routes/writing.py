"""For people who write: quotations, drafts, references, and citations to re-check."""

from __future__ import annotations

import time
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

from fastapi import APIRouter, Body

from eunato_rag.citing.formats import style_of
from eunato_rag.citing.manuscripts import read_manuscript
from eunato_rag.citing.rechecking import saved_citations
from eunato_rag.errors import InvalidText
from eunato_rag.serving.http import render, requests, schemas
from eunato_rag.serving.http.served import Served, since


def router(served: Served) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["writing"])

    @routes.post("/quotes")
    def quotes(body: requests.QuoteRequest) -> schemas.Quote:
        """Is this in the corpus, where, and what differs: to the letter, in marks only, in words, or not at all."""
        began, engine = time.perf_counter(), served.engine(body.snapshot)
        return render.quote(engine, engine.quote(body.quote, wanted=body.filter.record()), since(began))

    @routes.post("/drafts")
    def drafts(body: requests.DraftRequest) -> schemas.Draft:
        """A draft, sentence by sentence: supported, contradicted or not found, with evidence; and the draft with notes."""
        began, engine = time.perf_counter(), served.engine(body.snapshot)
        manuscript = read_manuscript(_docx(body.text) if body.format == "docx" else body.text, body.format)
        return render.draft(engine, engine.check(manuscript), since(began))

    @routes.post("/verify")
    def verify(body: Any = Body(examples=[{"citations": []}])) -> schemas.Verified:
        """What became of each citation of a saved answer, draft or quotation: unchanged, moved, altered or gone."""
        began, engine = time.perf_counter(), served.engine()
        return render.verified(engine, engine.recheck(saved_citations(body)), since(began))

    @routes.post("/references")
    def references(body: requests.ReferencesRequest) -> schemas.References:
        """References in a style, with the place: to passages, documents, works, or ranges of a document."""
        engine = served.engine(body.snapshot)
        if not body.ids and not body.places:
            raise InvalidText("Nothing is to be cited: give ids of passages, documents or works, or places.")
        cites = [(identity, engine.cited(identity)) for identity in body.ids]
        cites += [(p.document_id, engine.cited_place(p.document_id, p.start, p.end)) for p in body.places]
        return render.references(engine, cites, style_of(body.style))

    return routes


def _docx(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (NotBase64, ValueError) as error:
        raise InvalidText("A DOCX file is sent in base64; this is not.") from error
