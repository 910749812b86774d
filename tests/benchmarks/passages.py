"""As many passages as are wanted, embedded without embedding: real ones first, then perturbed copies of them.

Real passages come from test collections in the manner of BEIR, cut as the project cuts documents (128 tokens), and are
embedded once. A copy has the vector of a real passage with Gaussian noise (cosine about 0.9), its token codes with an
eighth of the bits flipped, and its text with a fifth of the words taken from another passage, none with more word pieces
than the word in its place, so that no copy outgrows the model, and its own number in the heading, so that no two are the same.
Its tokens' pieces and places stay those of the real one.

All is made from a seed when it is asked for, and again the next time, so nothing is kept but the real passages.
Left out: more subjects. A million copies crowd around some thousand places, where real text would spread further; that makes
the search for neighbours harder than real text does, and the vocabulary smaller.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from eunato_rag.evaluation.collections import Item, read_collection
from eunato_rag.indexing.embedding import Embedder, Vectors, unit
from eunato_rag.indexing.interaction import SCHEME, TokenCodes, compress
from eunato_rag.ingestion.chunking import Chunking, chunk
from eunato_rag.records import Block, Document
from eunato_rag.sentences import sentence_spans
from eunato_rag.tokens import count_tokens

SEED = 20260101
TITLE = "Collected passages"
PER_DOCUMENT = 20
PART = 1024
COSINE = 0.9
EXCHANGED = 0.2
_NOISE = (1 / COSINE**2 - 1) ** 0.5
_MASKS = 2**16
_ROOM = 16
"""Of the model's tokens, for the number in a copy's heading."""
_HEADING = 12
"""Words of a title that are kept, so that title and heading never take half of what the model reads."""
WHOLE = Chunking(target=1_000_000, overlap=0)
"""Leaves each paragraph one passage: its section ends with it, and it fits the model."""


@dataclass(frozen=True, slots=True)
class Real:
    """A real passage: its heading, its words, and after which words its sentences end."""

    heading: str
    words: tuple[str, ...]
    ends: tuple[int, ...]


def cut(folders: Sequence[Path], embedder: Embedder) -> tuple[list[Real], list[list[str]]]:
    """The passages of the collections, each text once, and the questions that each collection asks."""
    passages: dict[tuple[str, ...], Real] = {}
    asked = []
    for folder in folders:
        collection = read_collection(folder)
        asked.append([question.question for question in collection.questions])
        for item in collection.items:
            for real in _cut(item, embedder):
                passages.setdefault(real.words, real)
    return list(passages.values()), asked


def _cut(item: Item, embedder: Embedder) -> Iterator[Real]:
    heading, text = " ".join(item.title.split()[:_HEADING]) or item.id, " ".join(item.text.split())
    if not text:
        return
    document = _document("item", [(heading, text, sentence_spans(text))])
    passages = chunk(
        document, Chunking(overlap=0), size=count_tokens, model_size=embedder.count_tokens, model_limit=embedder.max_tokens - _ROOM
    )
    for passage in passages:
        inside = document.sentences_in(passage.locator.start, passage.locator.end)
        counts = [len(document.text[start:end].split()) for start, end in inside]
        words = tuple(passage.text.split())
        yield Real(heading, words, tuple(accumulate(counts)) if sum(counts) == len(words) else (len(words),))


def _document(identity: str, sections: Sequence[tuple[str, str, Sequence[tuple[int, int]]]]) -> Document:
    """Sections of a heading and one paragraph, which is given with the ranges of its sentences."""
    parts: list[str] = []
    blocks: list[Block] = []
    sentences: list[tuple[int, int]] = []
    offset = 0
    for heading, text, spans in sections:
        start = offset + len(heading) + 2
        blocks += [Block("heading", offset, offset + len(heading), 1), Block("paragraph", start, start + len(text))]
        sentences.append((offset, offset + len(heading)))
        sentences += [(start + a, start + b) for a, b in spans]
        parts += [heading, text]
        offset = start + len(text) + 2
    text = "\n\n".join(parts)
    return Document(
        id=identity,
        source=f"{identity}.txt",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        work={"id": identity, "type": "document", "title": TITLE},
        text=text,
        blocks=tuple(blocks),
        sentences=tuple(sentences),
    )


class Store:
    """The real passages of some collections in a folder, with their vectors and tokens; embedded where they are not yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, reals: Sequence[Real], asked: Sequence[Sequence[str]], pieces: dict[str, int], embedder: Embedder) -> None:
        """Embed what is missing, and say which embedder and which passages these are."""
        known = json.dumps([[real.heading, real.words, real.ends] for real in reals])
        digest = hashlib.sha256(f"{embedder.digest} {SCHEME} {known}".encode()).hexdigest()
        about = self.folder / "about.json"
        if not about.exists() or json.loads(about.read_text("utf-8"))["digest"] != digest:
            for old in self.folder.glob("part-*.npz"):
                old.unlink()
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "passages.json").write_text(known, "utf-8")
            (self.folder / "pieces.json").write_text(json.dumps(pieces), "utf-8")
            about.write_text(json.dumps({"digest": digest, "passages": len(reals), "asked": asked}), "utf-8")
        for start in range(0, len(reals), PART):
            path = self.folder / f"part-{start // PART:05}.npz"
            if not path.exists():
                _embed(path, [text_of(real) for real in reals[start : start + PART]], embedder)

    def reals(self) -> list[Real]:
        rows = json.loads((self.folder / "passages.json").read_text("utf-8"))
        return [Real(heading, tuple(words), tuple(ends)) for heading, words, ends in rows]

    def pieces(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.folder / "pieces.json").read_text("utf-8"))
        return found

    def about(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text("utf-8"))
        return found

    def vectors(self) -> Vectors:
        return np.concatenate([np.load(path)["vectors"] for path in sorted(self.folder.glob("part-*.npz"))])

    def tokens(self) -> list[TokenCodes]:
        found: list[TokenCodes] = []
        for path in sorted(self.folder.glob("part-*.npz")):
            with np.load(path) as part:
                codes, pieces, places, starts = (part[name] for name in ("codes", "pieces", "places", "starts"))
            found += [TokenCodes(codes[a:b], pieces[a:b], places[a:b]) for a, b in pairwise(starts.tolist())]
        return found


def _embed(path: Path, texts: Sequence[str], embedder: Embedder) -> None:
    order = sorted(range(len(texts)), key=lambda n: -len(texts[n]))
    made: dict[int, Any] = {}
    for start in range(0, len(order), 64):
        batch = order[start : start + 64]
        made.update(zip(batch, embedder.encode_document_tokens([texts[n] for n in batch]), strict=True))
    tokens = [compress(made[n]) for n in range(len(texts))]
    fresh = path.with_suffix(".new.npz")
    np.savez(
        fresh,
        vectors=np.stack([made[n].vector for n in range(len(texts))]),
        codes=np.concatenate([one.codes for one in tokens]),
        pieces=np.concatenate([one.pieces for one in tokens]),
        places=np.concatenate([one.places for one in tokens]),
        starts=np.concatenate([[0], np.cumsum([len(one.pieces) for one in tokens])]),
    )
    fresh.replace(path)


def text_of(real: Real) -> str:
    """What is embedded for a real passage: as a build makes it for `Made`'s documents."""
    return "\n".join((TITLE, real.heading, " ".join(real.words)))


class Made(Sequence[Document]):
    """Documents of twenty passages each, made when they are asked for; `seconds` is what the making took, all in all.

    Passage n is the real one of that number while there are so many, then a copy; `sources` says of which. With `edition`
    above zero the first passage of the first document is another: a document was changed.
    """

    def __init__(self, reals: Sequence[Real], pieces: dict[str, int], size: int, edition: int = 0) -> None:
        self.reals, self.size, self.edition, self.seconds = reals, size, edition, 0.0
        self._pieces = [[pieces[word] for word in real.words] for real in reals]

    def __len__(self) -> int:
        return -(-self.size // PER_DOCUMENT)

    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return [self[one] for one in range(*n.indices(len(self)))]
        if not -len(self) <= n < len(self):
            raise IndexError(n)
        began = time.perf_counter()
        n %= len(self)
        document = _document(f"made-{n:06}", [self._section(*one) for one in self._texts(n)])
        self.seconds += time.perf_counter() - began
        return document

    def embedded(self, n: int) -> list[str]:
        """What is embedded for the passages of document n."""
        return ["\n".join((TITLE, heading, " ".join(words))) for heading, words, _ in self._texts(n)]

    def _texts(self, n: int) -> Iterator[tuple[str, Sequence[str], tuple[int, ...]]]:
        """Headings, words and ends of sentences of the passages of document n."""
        chance = np.random.default_rng((SEED, 0, n))
        numbers = range(n * PER_DOCUMENT, min(self.size, (n + 1) * PER_DOCUMENT))
        for number, source in zip(numbers, sources(n, numbers, len(self.reals)), strict=True):
            real = self.reals[source]
            if number < len(self.reals):
                words = ("Changed", *real.words[1:]) if self.edition and number == 0 else real.words
                yield real.heading, words, real.ends
            else:
                other = int(chance.integers(len(self.reals)))
                yield f"{real.heading}, {number}", self._exchange(source, other, chance), real.ends

    def _exchange(self, source: int, other: int, chance: np.random.Generator) -> list[str]:
        words, given = list(self.reals[source].words), self.reals[other].words
        own, theirs = self._pieces[source], self._pieces[other]
        count = max(1, int(len(words) * EXCHANGED))
        places, picks = chance.integers(len(words), size=count).tolist(), chance.integers(len(given), size=count).tolist()
        for place, pick in zip(places, picks, strict=True):
            if theirs[pick] <= own[place]:
                words[place] = given[pick]
        return words

    @staticmethod
    def _section(heading: str, words: Sequence[str], ends: tuple[int, ...]) -> tuple[str, str, list[tuple[int, int]]]:
        bounds = [0, *accumulate(len(word) + 1 for word in words)]
        starts = (0, *ends[:-1])
        return heading, " ".join(words), [(bounds[a], bounds[b] - 1) for a, b in zip(starts, ends, strict=True)]


def sources(n: int, numbers: range, real: int) -> list[int]:
    """Of which real passages document n's passages are, or are copies."""
    drawn = np.random.default_rng((SEED, 1, n)).integers(real, size=len(numbers)).tolist()
    return [number if number < real else one for number, one in zip(numbers, drawn, strict=True)]


def vectors_of(n: int, size: int, real: Vectors) -> Vectors:
    """The vectors of document n's passages, of `size` in all, shape (passages, dimension)."""
    numbers = range(n * PER_DOCUMENT, min(size, (n + 1) * PER_DOCUMENT))
    found = real[sources(n, numbers, len(real))]
    first = max(0, min(len(numbers), len(real) - numbers.start))  # the first copy
    if first < len(numbers):
        width = real.shape[1]
        noise = np.random.default_rng((SEED, 2, n)).standard_normal((len(numbers), width), dtype=np.float32)
        found[first:] = unit(found[first:] + noise[first:] * np.float32(_NOISE / width**0.5))
    return found


class Flipped:
    """Token codes of copies: those of real passages with an eighth of the bits flipped."""

    def __init__(self, tokens: Sequence[TokenCodes]) -> None:
        self._tokens = tokens
        width = tokens[0].codes.shape[1]
        thrice = np.random.default_rng((SEED, 3)).integers(256, size=(3, _MASKS, width), dtype=np.uint8)
        self._masks = thrice[0] & thrice[1] & thrice[2]

    def of(self, n: int, numbers: range) -> list[TokenCodes]:
        """Those of document n's passages."""
        starts = np.random.default_rng((SEED, 4, n)).integers(_MASKS, size=len(numbers)).tolist()
        found = []
        for number, source, start in zip(numbers, sources(n, numbers, len(self._tokens)), starts, strict=True):
            one = self._tokens[source]
            if number >= len(self._tokens):
                mask = np.take(self._masks, range(start, start + len(one.codes)), axis=0, mode="wrap")
                one = TokenCodes(one.codes ^ mask, one.pieces, one.places)
            found.append(one)
        return found


def rows(made: Made, real: Vectors, tokens: Sequence[TokenCodes]) -> Iterator[tuple[str, tuple[Vectors, TokenCodes]]]:
    """What `VectorCache.keep` is told: of each passage the text that is embedded, and its vector and tokens."""
    flipped = Flipped(tokens)
    for n in range(len(made)):
        numbers = range(n * PER_DOCUMENT, min(made.size, (n + 1) * PER_DOCUMENT))
        encodings = zip(vectors_of(n, made.size, real), flipped.of(n, numbers), strict=True)
        yield from zip(made.embedded(n), encodings, strict=True)
