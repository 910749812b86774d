"""`search` and `fetch`, with the names and shapes that ChatGPT's connectors ask for: one string in; ids, titles, texts, addresses out."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from eunato_rag.citing.formats import pinpoint, place, short_reference
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.records import Document, Passage
from eunato_rag.serving.addresses import document_url, place_url
from eunato_rag.serving.http import render
from eunato_rag.serving.mcp.calls import Arguments, Call

FETCHED = 100_000
"""Characters of a document that one call of fetch gives; more would not fit into what a language model reads."""


class Query(Arguments):
    query: str = Field(description="What to look for, in plain words.", examples=["military mobility"])


class Found(BaseModel):
    id: str = Field(description="Id of the passage, for fetch and cite.")
    title: str = Field(description="Author, title, year and place.")
    url: str
    text: str
    document_id: str


class Results(BaseModel):
    results: list[Found]


class Identity(Arguments):
    id: str = Field(description="Id of a passage or document, or the next_id that an earlier call gave.")


class Fetched(BaseModel):
    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, str | int]


def search(call: Call, asked: Query) -> Results:
    found = []
    for hit in call.engine.search(asked.query):
        document, where = call.engine.document(hit.passage.document_id), hit.passage.locator
        found.append(
            Found(
                id=hit.passage.id,
                title=short_reference(document.work, place(document, where.start, where.end)),
                url=place_url(document, where.start, where.end, call.base),
                text=hit.passage.text,
                document_id=document.id,
            )
        )
    return Results(results=found)


def fetch(call: Call, asked: Identity) -> Fetched:
    name, mark, start = asked.id.rpartition("#")
    if mark and start.isdigit() and call.engine.has(name):
        return _part(call, call.engine.document(name), int(start))
    if call.engine.has(asked.id):
        return _part(call, call.engine.document(asked.id), 0)
    try:
        passage = call.engine.passage(asked.id)
    except NotFound as error:
        raise NotFound(f"There is no passage or document {asked.id!r}. Search for it; a passage's id changes with its document.") from error
    return _passage(call, passage)


def _part(call: Call, document: Document, start: int) -> Fetched:
    """A document from an offset on, as far as one call goes; `next_id` fetches what follows."""
    if start > len(document.text):
        raise InvalidText(f"{document.id} has {len(document.text)} characters; {start} lies behind them. Fetch {document.id!r}.")
    end = min(len(document.text), start + FETCHED)
    csl = render.document(document)
    known = {
        "document_id": document.id,
        "authors": "; ".join(csl.authors),
        "publisher": csl.publisher,
        "issued": csl.issued,
        "start": start,
        "end": end,
        "length": len(document.text),
        "next_id": f"{document.id}#{end}" if end < len(document.text) else None,
        "snapshot": call.engine.snapshot.id,
    }
    url = document_url(document, call.base)
    return Fetched(id=document.id, title=document.title, text=document.text[start:end], url=url, metadata=_known(known))


def _passage(call: Call, passage: Passage) -> Fetched:
    document, where = call.engine.document(passage.document_id), passage.locator
    cited = place(document, where.start, where.end)
    notes = render.passage(call.engine, passage).footnotes
    known = {
        "document_id": document.id,
        "place": pinpoint(cited),
        "page": where.page.number if where.page else None,
        "section": " > ".join(where.headings),
        "paragraph": where.paragraph,
        "start": where.start,
        "end": where.end,
        "notes": "\n".join(f"{note.number}. {note.text}" for note in notes),
        "snapshot": call.engine.snapshot.id,
    }
    return Fetched(
        id=passage.id,
        title=short_reference(document.work, cited),
        text=passage.text,
        url=place_url(document, where.start, where.end, call.base),
        metadata=_known(known),
    )


def _known(fields: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in fields.items() if value is not None and value != ""}
