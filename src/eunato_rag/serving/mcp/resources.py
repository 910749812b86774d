"""The documents and passages as resources: `eunato://documents/{id}` and `eunato://passages/{id}`, each its exact text.

Left out: the protocol (server).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from eunato_rag.citing.formats import short_reference
from eunato_rag.engine import Engine
from eunato_rag.errors import NotFound
from eunato_rag.records import Document, Locator

PAGE_SIZE = 50
MIME_TYPE = "text/plain"
TEMPLATES: Mapping[str, tuple[str, str]] = {
    "eunato://documents/{id}": ("document", "The canonical text of a document, which every offset counts in."),
    "eunato://passages/{id}": ("passage", "The text of a passage that search found."),
}
"""What kind of thing a template stands for, and what reading it gives."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a resource."""

    uri: str
    name: str
    title: str
    description: str


def listing(engine: Engine, cursor: str | None) -> tuple[list[Listed], str | None]:
    """A page of the documents in order, and the cursor of the next: the id that the page ends with.

    Raises:
        NotFound: the cursor is none that this gave, or its document is gone.
    """
    ids = engine.documents()
    if cursor is not None and cursor not in ids:
        raise NotFound(f"The cursor {cursor!r} leads nowhere. List the resources again without one.")
    start = ids.index(cursor) + 1 if cursor is not None else 0
    shown = [_listed(engine.document(identity)) for identity in ids[start : start + PAGE_SIZE]]
    return shown, shown[-1].name if start + PAGE_SIZE < len(ids) else None


def read(engine: Engine, uri: str) -> str:
    """The text of a resource.

    Raises:
        NotFound: no resource has that address. InvalidText: the document is too long to be given at once.
    """
    parts = re.fullmatch(r"eunato://(documents|passages)/([^/?#]+)", uri)
    if parts is None:
        raise NotFound(f"There is no resource {uri!r}. Addresses are {' and '.join(TEMPLATES)}.")
    kind, identity = parts[1], unquote(parts[2])
    return engine.text(identity) if kind == "documents" else engine.passage(identity).text


def _listed(document: Document) -> Listed:
    about = f"{short_reference(document.work, Locator(0, 0))}. {len(document.text):,} characters."
    return Listed(f"eunato://documents/{quote(document.id, safe='')}", document.id, document.title, about)
