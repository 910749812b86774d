"""Turns quotations into judgements: python tests/eval/build.py < draft.jsonl > questions.jsonl

A line is a question, or a conversation: the questions of its turns, each with what it means on its own. A draft
names its evidence by quotation; questions.jsonl and conversations.jsonl are drafts themselves, for when the reader
places text anew. A judgement is a document and a range of its canonical text, because passages change with the way
they are cut; the quotation is kept beside it so that a person can read the file, and a test compares the two.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, list_sources, read_manifest


def main() -> None:
    corpus = Path(__file__).parents[2] / "corpus"
    manifest = read_manifest(corpus)
    documents = [identify(read(path), source, manifest) for source, path in list_sources(corpus)]
    for line in sys.stdin.read().splitlines():
        row = json.loads(line)
        for asked in row.get("turns", [row]):
            quotes = [item if isinstance(item, str) else item["quote"] for item in asked["evidence"]]
            asked["evidence"] = []
            for quote in dict.fromkeys(quotes):
                places = [(d, place) for d in documents for place in _all(d.text, quote)]
                if not places:
                    sys.exit(f"{row['id']}: not in the corpus: {quote!r}")
                for document, start in places:
                    asked["evidence"].append({"document": document.id, "start": start, "end": start + len(quote), "quote": quote})
        print(json.dumps(row, ensure_ascii=False))


def _all(text: str, quote: str) -> list[int]:
    places, start = [], text.find(quote)
    while start >= 0:
        places.append(start)
        start = text.find(quote, start + 1)
    return places


if __name__ == "__main__":
    main()
