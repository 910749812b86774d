"""W3C Web Annotation selectors of a place: what anyone needs to find a quotation again (W3C Recommendation, 2017)."""

from __future__ import annotations

from eunato_rag.records import Document

CONTEXT = 32
"""Code points of context on either side of a quotation."""


def selectors(document: Document, start: int, end: int) -> list[dict[str, object]]:
    """A TextQuoteSelector (the words and what stands around them) and a TextPositionSelector (the offsets)."""
    text = document.text
    return [
        {
            "type": "TextQuoteSelector",
            "exact": text[start:end],
            "prefix": text[max(0, start - CONTEXT) : start],
            "suffix": text[end : end + CONTEXT],
        },
        {"type": "TextPositionSelector", "start": start, "end": end},
    ]
