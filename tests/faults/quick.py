"""An embedder for bulk: it costs next to nothing, and means as little. Left out: finding by meaning; words find."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from eunato_rag.indexing.embedding import Encoded, Vectors, unit


class QuickEmbedder:
    """A vector by the checksum of a text, and one token for all of it. Counts what it embeds."""

    name = digest = "quick"
    dimension = 16
    max_tokens = 256

    def __init__(self) -> None:
        self.embedded = 0

    def count_tokens(self, text: str) -> int:
        return text.count(" ") + 3

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        places = np.arange(1, self.dimension + 1, dtype=np.float32)
        return unit(np.stack([np.sin(places * (crc32(text.encode()) % 65_521 + 1)) for text in texts]).astype(np.float32))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return self.encode_query(texts)

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        vectors = self.encode_query(texts)
        return [Encoded(vector, vector[None], np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32)) for vector in vectors]

    def encode_document_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        self.embedded += len(texts)
        return self.encode_query_tokens(texts)
