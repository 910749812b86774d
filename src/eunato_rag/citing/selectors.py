"""W3C Web Annotation selectors of a place: what anyone needs to find a quotation again (W3C Recommendation, 2017)."""

from __future__ import annotations

from eunato_rag.citing.links import PDF_FRAGMENTS, TEXT_FRAGMENTS, place_fragment, public_address
from eunato_rag.records import Document

CONTEXT = 32
"""Code points of context on either side of a quotation."""


def selectors(document: Document, start: int, end: int) -> list[dict[str, object]]:
    """A TextQuoteSelector (the words and what stands around them) and a TextPositionSelector (the offsets).

    A FragmentSelector follows where the original has a place to open at: the page of a PDF, the words in a public web page.
    """
    text = document.text
    found: list[dict[str, object]] = [
        {
            "type": "TextQuoteSelector",
            "exact": text[start:end],
            "prefix": text[max(0, start - CONTEXT) : start],
            "suffix": text[end : end + CONTEXT],
        },
        {"type": "TextPositionSelector", "start": start, "end": end},
    ]
    fragment = place_fragment(document, start, end) if document.pages or public_address(document) else None
    if fragment is not None:
        syntax = TEXT_FRAGMENTS if fragment.startswith(":~:") else PDF_FRAGMENTS
        found.append({"type": "FragmentSelector", "conformsTo": syntax, "value": fragment})
    return found
