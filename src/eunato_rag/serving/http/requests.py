"""Wire models: what comes in over HTTP. An unknown field is an error; nothing that is asked for is passed over in silence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eunato_rag import records
from eunato_rag.indexing import catalogue
from eunato_rag.serving.http.schemas import Wire

_SNAPSHOT = "id of an older snapshot to ask, as an answer names it; the current one if left out"


class Filter(Wire):
    """Which documents to search; dates as YYYY, YYYY-MM or YYYY-MM-DD."""

    document_id: str | None = None
    publisher: str | None = None
    issued_from: str | None = Field(None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    issued_to: str | None = Field(None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    language: str | None = None

    def record(self) -> catalogue.Filter:
        return catalogue.Filter(**self.model_dump())


class SearchRequest(Wire):
    query: str = Field(examples=["military mobility"])
    top_k: int = Field(10, ge=1, le=100)
    filter: Filter = Filter()
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class Turn(Wire):
    """One turn of a conversation, as a person or the service said it."""

    role: records.Role
    content: str

    def record(self) -> records.Turn:
        return records.Turn(self.role, self.content)


class AskRequest(Wire):
    """A question, and what was said before it, oldest turn first.

    At most 50 turns; a user's has at most 4,000 characters, an assistant's 32,000. The last few decide what a question
    like "And in 2018?" means; a question that stands alone takes nothing from them.
    """

    question: str = Field(examples=["Why did Pooling and Sharing fail?"])
    history: list[Turn] = Field([])
    top_k: int = Field(10, ge=1, le=100)
    filter: Filter = Filter()
    snapshot: str | None = Field(None, description=_SNAPSHOT)

    def turns(self) -> tuple[records.Turn, ...]:
        return tuple(turn.record() for turn in self.history)


class JobRequest(Wire):
    """What to do: re-index, with `full` without the vectors that are cached."""

    kind: Literal["reindex"] = "reindex"
    full: bool = False


class PruneRequest(Wire):
    """How many snapshots to keep, the served one among them."""

    keep: int = Field(ge=1, le=1000)


class QuoteRequest(Wire):
    """A quotation, with or without its quotation marks; ellipses and brackets are read as a writer means them."""

    quote: str = Field(examples=["the EU … should work alongside [the Alliance]"])
    filter: Filter = Filter()
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class DraftRequest(Wire):
    """A draft as text or Markdown, or a DOCX file in base64. Without a format, text."""

    text: str = Field(examples=["The Pooling and Sharing concept was adopted in 2012."])
    format: Literal["text", "markdown", "docx"] = "text"
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class Place(Wire):
    """A range of a document's canonical text."""

    document_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class ReferencesRequest(Wire):
    """What to cite: passages (with their place), documents or works by id, places by range; in the order wanted."""

    ids: list[str] = Field([], examples=[["mangiameli-2025"]], max_length=500)
    places: list[Place] = Field([], max_length=500)
    style: str = Field("chicago", description="csl-json, bibtex, ris, apa or chicago")
    snapshot: str | None = Field(None, description=_SNAPSHOT)
