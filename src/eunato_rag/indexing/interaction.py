"""Late interaction: the token vectors of every passage, one bit a dimension, compared with a query's by MaxSim.

MaxSim (Khattab and Zaharia, ColBERT, 2020) gives every token of the query its best counterpart in a passage. The
vectors come from the same pass through the model as the passage's own. They are turned by a random rotation and kept
as signs (Gao and Long, RaBitQ, 2024), so that 384 dimensions take 48 bytes; the query's stay as they are.
Left out: which passages are compared (retrieval), and what a text's tokens are (embedding).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.arrays import RowWriter, mapped
from eunato_rag.indexing.embedding import Encoded, Vectors
from eunato_rag.indexing.products import TimesMatrix, bits_times

SCHEME = "rotated-signs/1"
"""Name and version of `compress`; a change of its output changes the version."""

Codes = NDArray[np.uint8]
_OUTSIDE = 65535
"""The place of a token that stands before the passage's own text, in its title and headings; places end below it."""


@dataclass(frozen=True, slots=True)
class TokenCodes:
    """A text's tokens, compressed: `codes` of shape (n, dimension / 8), and the pieces and places of `Encoded`."""

    codes: Codes
    pieces: NDArray[np.int32]
    places: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rounded:
    """Rotated token vectors in 8 bits, shape (n, dimension), and the length of one step of each.

    A rotated unit vector x and its signs s / sqrt(d) meet at a cosine of about sqrt(2 / pi), whence the divisor of an
    estimate. To round the query's side moves it by some thousandths.
    """

    tokens: NDArray[np.int8]
    steps: NDArray[np.floating]

    @classmethod
    def of(cls, tokens: Vectors) -> Rounded:
        turned = _rotation(tokens.shape[1])(tokens)
        steps = np.maximum(np.abs(turned).max(axis=1, initial=0.0), 1e-9) / 127
        return cls(np.round(turned / steps[:, None]).astype(np.int8), steps)

    def products(self, codes: Codes) -> NDArray[np.int32]:
        """Shape (len(codes), tokens): sums of a token's numbers where the code has a one."""
        return bits_times(np.unpackbits(codes, axis=1, count=self.tokens.shape[1]), np.ascontiguousarray(self.tokens.T))

    def cosines(self, products: NDArray[np.int32]) -> Vectors:
        """The estimated cosines; they rise with the products."""
        scale = self.steps / math.sqrt(self.tokens.shape[1] * 2 / math.pi)
        return np.asarray((2 * products - self.tokens.sum(axis=1, dtype=np.int32)) * scale, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Query:
    """A query's vector, and those of its tokens with what each counts; the weights sum to 1.

    `text` is what was asked and embedded; `expanded`, with acronyms spelt out, is what is searched for by words.
    """

    text: str
    expanded: str
    vector: Vectors
    tokens: Rounded
    weights: Vectors


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a passage's tokens meet the query's: `similarity` of shape (tokens, query tokens), about -1..1.

    `places` are offsets from the passage's start; tokens of its title and headings have -1.
    """

    similarity: Vectors
    places: NDArray[np.int32]


def compress(encoded: Encoded) -> TokenCodes:
    """The signs of the rotated token vectors, eight to a byte."""
    turned = _rotation(encoded.tokens.shape[1])(encoded.tokens)
    return TokenCodes(np.packbits(turned > 0, axis=1), encoded.pieces, encoded.places)


class TokenIndex:
    """The token vectors of passages by position. The codes stay on disk; what a query compares is read from there."""

    _CODES, _STARTS, _PLACES, _FREQUENCIES = "codes.npy", "starts.npy", "places.npy", "frequencies.npy"

    def __init__(self, codes: Codes, starts: NDArray[np.int64], places: NDArray[np.uint16], frequencies: NDArray[np.int32]) -> None:
        self._codes, self._starts, self._places, self._frequencies = codes, starts, places, frequencies

    @classmethod
    def write(cls, folder: Path, tokens: Iterable[TokenCodes], contexts: Iterable[int], dimension: int) -> None:
        """Write the files for passages, which are gone through once; `contexts` are the lengths of what stands before their own text."""
        folder.mkdir()
        starts, frequencies = [0], np.zeros(0, dtype=np.int32)
        with RowWriter(folder / cls._CODES, np.uint8, -(-dimension // 8)) as codes, RowWriter(folder / cls._PLACES, np.uint16) as places:
            for one, context in zip(tokens, contexts, strict=True):
                codes.append(one.codes)
                inside = one.places - context
                places.append(np.where(inside < 0, _OUTSIDE, np.minimum(inside, _OUTSIDE - 1)))
                if (missing := int(one.pieces.max(initial=-1)) + 1 - len(frequencies)) > 0:
                    frequencies = np.append(frequencies, np.zeros(missing, dtype=np.int32))
                frequencies[np.unique(one.pieces)] += 1
                starts.append(codes.rows)
        np.save(folder / cls._STARTS, np.asarray(starts, dtype=np.int64))
        np.save(folder / cls._FREQUENCIES, frequencies)

    @classmethod
    def load(cls, folder: Path) -> TokenIndex:
        try:
            return cls(
                mapped(folder / cls._CODES),
                mapped(folder / cls._STARTS),
                mapped(folder / cls._PLACES),
                mapped(folder / cls._FREQUENCIES),
            )
        except (OSError, ValueError, EOFError) as error:
            raise DamagedSnapshot(f"{folder.name} holds no token vectors: {error}. Run: eunato-rag reindex") from error

    def __len__(self) -> int:
        return len(self._starts) - 1

    def codes(self, position: int) -> Codes:
        """The codes of a passage's tokens, shape (n, dimension / 8)."""
        return self._codes[self._starts[position] : self._starts[position + 1]]

    def query(self, text: str, expanded: str, encoded: Encoded) -> Query:
        """The query with the weight of each token: the square root of its rarity, so that one odd word does not decide alone."""
        known = np.where(encoded.pieces < len(self._frequencies), encoded.pieces, 0)
        counts = np.where(encoded.pieces < len(self._frequencies), self._frequencies[known] if len(self._frequencies) else 0, 0)
        weights = np.sqrt(np.log1p((len(self) - counts + 0.5) / (counts + 0.5))).astype(np.float32)
        return Query(text, expanded, encoded.vector, Rounded.of(encoded.tokens), weights / max(float(weights.sum()), 1e-9))

    def maxsim(self, query: Query, positions: Sequence[int]) -> Vectors:
        """The weighted mean over the query's tokens of their highest similarity in each passage, about 0..1."""
        if not positions or not len(query.weights):
            return np.zeros(len(positions), dtype=np.float32)
        bounds = [(int(self._starts[p]), int(self._starts[p + 1])) for p in positions]
        sizes = np.asarray([end - start for start, end in bounds])
        filled = sizes > 0
        codes = np.concatenate([self._codes[start:end] for start, end in bounds])
        starts = np.concatenate([[0], np.cumsum(sizes[filled])[:-1]])
        scores = np.zeros(len(positions), dtype=np.float32)
        # the highest product is the highest cosine, so only it need be made one
        highest = np.maximum.reduceat(query.tokens.products(codes), starts, axis=0)
        scores[filled] = query.tokens.cosines(highest) @ query.weights
        return scores

    def align(self, query: Query, position: int) -> Alignment:
        start, end = int(self._starts[position]), int(self._starts[position + 1])
        places = np.asarray(self._places[start:end], dtype=np.int32)
        similarity = query.tokens.cosines(query.tokens.products(self._codes[start:end]))
        return Alignment(similarity, np.where(places == _OUTSIDE, -1, places))


@lru_cache(maxsize=4)
def _rotation(dimension: int) -> TimesMatrix:
    """A random rotation, the same one always."""
    turn, upper = np.linalg.qr(np.random.default_rng(0).normal(size=(dimension, dimension)))
    return TimesMatrix(np.asarray(turn * np.sign(np.diag(upper)), dtype=np.float32))
