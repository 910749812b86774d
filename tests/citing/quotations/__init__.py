"""Quotations and what should be said of each: by_hand.toml, made by hand, and those made by rule from the same texts.

The texts are the paper, texts/ and tests/evidence/statements/texts. The halves, told by a hash of the id, are reported
apart, but the rules were written with all of by_hand.toml in view: it says what must hold, not how well the check does
on quotations that nobody has seen; unseen.toml, written afterwards by somebody else, does. The least share in
citing/parts.py was chosen on other documents.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eunato_rag.indexing.snapshot import Snapshot, open_snapshot
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, read_manifest
from eunato_rag.records import Document
from eunato_rag.reindex import index_documents
from tests.conftest import PAPER, ROOT, WordEmbedder

HERE = Path(__file__).parent
TEXTS = (HERE / "texts", ROOT / "tests" / "evidence" / "statements" / "texts")

NO_WORDING = frozenset("shall should would could cannot never without third fourth half twice hundred million billion".split())
"""To replace one of these is more than another wording."""


@dataclass(frozen=True, slots=True)
class Case:
    """A quotation, the status it must get, the kinds of edits that must be told, and words that the reason must have."""

    id: str
    text: str
    status: str
    edits: tuple[str, ...] = ()
    stitched: bool = False
    says: str = ""

    @property
    def fitted(self) -> bool:
        """Whether it is of the half that the thresholds were fitted on."""
        return hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0


def library() -> list[Document]:
    """The documents that the quotations are from."""
    manifest = read_manifest(ROOT / "corpus")
    files = [ROOT / "corpus" / PAPER, *(path for folder in TEXTS for path in sorted(folder.iterdir()))]
    return [identify(read(path), path.name, manifest) for path in files]


def opened(documents: Sequence[Document], folder: Path) -> Snapshot:
    """A snapshot of documents, with vectors that nothing here asks for."""
    embedder = WordEmbedder()
    index_documents(documents, (), folder, embedder, Chunking())
    return open_snapshot(folder, embedder)


def by_hand(name: str = "by_hand.toml") -> list[Case]:
    rows = tomllib.loads((HERE / name).read_text("utf-8"))["quotation"]
    return [Case(**{**row, "edits": tuple(row.get("edits", ()))}) for row in rows]


def by_rule(documents: Sequence[Document]) -> Iterator[Case]:
    """Sentences of the documents, as they stand and changed in every way that a rule can."""
    chance = random.Random(7)
    for document in documents:
        sentences = [document.text[start:end] for start, end in document.sentences if 60 <= end - start <= 260]
        for n, sentence in enumerate(chance.sample(sentences, min(14, len(sentences)))):
            for name, status, changed, edits in _changes(sentence, chance):
                if changed != sentence or status == "exact":
                    yield Case(f"{document.id}-{n}-{name}", changed, status, edits)


def _changes(sentence: str, chance: random.Random) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    yield "as-it-stands", "exact", sentence, ()
    yield "shouted", "normalized", sentence.upper().replace("SS", "ss"), ()
    yield "re-spaced", "normalized", sentence.replace(" ", "\u00a0 ", 3), ()
    yield "broken", "normalized", re.sub(r"(?<=[a-z]{3})(?=[a-z]{4}\b)", "-\n", sentence, count=1), ()
    words = sentence.split(" ")
    plain = (n for n in range(len(words) // 2, len(words) - 1) if re.fullmatch(r"[a-z]{5,}", words[n]) and words[n] not in NO_WORDING)
    middle = next(plain, None)
    if middle is not None:
        yield "inserted", "altered", " ".join([*words[:middle], "purple", *words[middle:]]), ("insertion",)
        yield "replaced", "altered", " ".join([*words[:middle], "purple", *words[middle + 1 :]]), ("wording",)
    if number := re.search(r"(?<![\w.,\d-])\d{1,2}(?= [a-z]{4})", sentence):
        other = str(int(number.group()) + chance.randint(1, 9))
        yield "number", "altered", sentence[: number.start()] + other + sentence[number.end() :], ("number",)
    if re.search(r" not \w", sentence):
        yield "negation", "altered", re.sub(r" not (?=\w)", " ", sentence, count=1), ("negation",)
    if modal := re.search(r"\b(should|must|will|can)\b(?! to)", sentence):
        yield "modal", "altered", sentence[: modal.start()] + "might" + sentence[modal.end() :], ("modal",)
    if name := re.search(r"(?<=[a-z] )(?:NATO|EU|Brussels|Washington|Ukraine|Norway|Arnhalt)(?=[ ,.])", sentence):
        yield "name", "altered", sentence[: name.start()] + "Paraguay" + sentence[name.end() :], ("name",)
    if month := re.search(r"\b(?:January|April|July|November)\b", sentence):
        yield "month", "altered", sentence[: month.start()] + "February" + sentence[month.end() :], ("date",)
