"""The tools that a language model is offered: what each is for, what it takes, and what it gives back.

Most give what the HTTP API gives, with absolute addresses and without what would fill a model's context. All only read.
Left out: search and fetch (connectors), the protocol (server).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from eunato_rag.citing.manuscripts import read_manuscript
from eunato_rag.engine import conclusion
from eunato_rag.errors import NotFound
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.records import Event
from eunato_rag.serving.http import render, requests, schemas
from eunato_rag.serving.http.served import since
from eunato_rag.serving.http.streaming import logged
from eunato_rag.serving.mcp.calls import Arguments, Call
from eunato_rag.serving.mcp.connectors import Fetched, Identity, Query, Results, fetch, search


def _unpacked(given: object) -> object:
    """A list that came as JSON in a string, as some clients send it."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        try:
            return json.loads(given)
        except ValueError:
            return given
    return given


class Question(Arguments):
    question: str = Field(description="One question in plain words.", examples=["Why did Pooling and Sharing fail?"])
    history: Annotated[list[requests.Turn], BeforeValidator(_unpacked)] = Field(
        [], description="What was asked and answered before, oldest first; only where the question leans on it."
    )


class Quotation(Arguments):
    quote: str = Field(description="The quotation, with or without quotation marks; … and [brackets] are read as a writer means them.")
    document_id: str | None = Field(None, description="Look in this document only.")


class DraftText(Arguments):
    text: str = Field(description="The draft, at most 500,000 characters.")
    format: Literal["text", "markdown"] | None = Field(None, description="What it is written in; told from the text if left out.")


class Cites(Arguments):
    ids: Annotated[list[str], BeforeValidator(_unpacked)] = Field(
        description="Ids of passages (cited with their place), documents or works.", min_length=1, max_length=100
    )
    style: Literal["csl-json", "bibtex", "ris", "apa", "chicago"] = "chicago"


class Notes(Arguments):
    document_id: str
    number: int | None = Field(None, description="Only this note, with the passages of the cited work that support its sentences.")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `run` takes a call and its arguments, and gives a result."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Call, Any], BaseModel]


def _ask(call: Call, asked: Question) -> schemas.Answer:
    began = time.perf_counter()
    turns = tuple(turn.record() for turn in asked.history)
    with closing(logged(call.engine.stream(asked.question, history=turns), call.request)) as events:
        answer = conclusion(_watched(events, call))
    return render.answer(call.engine, answer, since(began)).model_copy(update={"hits": []})


def _watched(events: Iterable[Event], call: Call) -> Iterator[Event]:
    for event in events:
        call.step(0, 0)
        yield event


def _verify_quote(call: Call, asked: Quotation) -> schemas.Quote:
    began = time.perf_counter()
    if asked.document_id is not None:
        call.engine.document(asked.document_id)  # an unknown id is an error, not a quotation that is absent
    return render.quote(call.engine, call.engine.quote(asked.quote, wanted=Filter(document_id=asked.document_id)), since(began))


def _check_draft(call: Call, asked: DraftText) -> schemas.Draft:
    began = time.perf_counter()
    return render.draft(call.engine, call.engine.check(read_manuscript(asked.text, asked.format), call.step), since(began))


def _cite(call: Call, asked: Cites) -> schemas.References:
    return render.references(call.engine, [(identity, call.engine.cited(identity)) for identity in asked.ids], asked.style)


def _footnotes(call: Call, asked: Notes) -> schemas.Footnotes:
    graph = render.footnotes(call.engine, asked.document_id)
    if asked.number is None:
        return graph.model_copy(update={"footnotes": [note.model_copy(update={"support": []}) for note in graph.footnotes]})
    only = [note for note in graph.footnotes if note.number == asked.number]
    if not only:
        raise NotFound(f"{asked.document_id} has no note {asked.number}. It has {len(graph.footnotes)}; leave out number to see them all.")
    return graph.model_copy(update={"footnotes": only})


TOOLS: tuple[Tool, ...] = (
    Tool(
        "search",
        "Search the documents",
        "Find the passages of the documents (a policy paper on EU-NATO cooperation and the works it cites) that say something about a "
        "subject, best first. Use it to look for evidence, and to get ids for fetch and cite. To have a question answered, use ask.",
        Query,
        Results,
        search,
    ),
    Tool(
        "fetch",
        "Read a passage or document",
        "Read the exact text of a passage that search found, with its place and notes, or of a whole document by its id. "
        "A long document comes in parts: fetch metadata.next_id for the next.",
        Identity,
        Fetched,
        fetch,
    ),
    Tool(
        "ask",
        "Ask the documents",
        "Get an answer in which every sentence is cited and verified to the letter against the documents; or status abstained, with the "
        "nearest evidence, where they do not say it. Use it for questions of fact. Repeat the answer with its numbers and give the "
        "references of its citations; do not fill an abstention from memory.",
        Question,
        schemas.Answer,
        _ask,
    ),
    Tool(
        "verify_quote",
        "Verify a quotation",
        "Say whether a quotation stands in the documents: exact (to the letter), normalized (the same words), altered (with every "
        "difference named) or absent; and where. Use it before printing words between quotation marks.",
        Quotation,
        schemas.Quote,
        _verify_quote,
    ),
    Tool(
        "check_draft",
        "Check a draft",
        "Check a text sentence by sentence: supported, contradicted (why names the number, date or name that disagrees) or not_found, with "
        "evidence; and give it back with notes and a bibliography in annotated. Use it on what was written about the subject. "
        "A long text takes a while.",
        DraftText,
        schemas.Draft,
        _check_draft,
    ),
    Tool(
        "cite",
        "Format references",
        "Format references to passages (with their page, or section and paragraph), documents or works: Chicago, APA, BibTeX, RIS or "
        "CSL-JSON. Use it instead of writing a reference yourself.",
        Cites,
        schemas.References,
        _cite,
    ),
    Tool(
        "footnotes",
        "Read the footnote graph",
        "List the notes of a document: the sentences each stands at, the work it cites, whether that work is here, and what is wrong with "
        "the note. With number, one note and the passages of the cited work that support it. Use it to trace a claim to its source.",
        Notes,
        schemas.Footnotes,
        _footnotes,
    ),
)


def absolute(value: Any, base: str) -> Any:
    """The same JSON with every `url` that leads to the service's own reader made absolute."""
    if isinstance(value, dict):
        return {key: base + each if key == "url" and _is_own(each) else absolute(each, base) for key, each in value.items()}
    return [absolute(each, base) for each in value] if isinstance(value, list) else value


def _is_own(url: object) -> bool:
    return isinstance(url, str) and re.match(r"/(?!/)", url) is not None
