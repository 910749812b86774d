"""(Query, text) -> how well the text answers it: the Reranker contract and its sentence-transformers form, a cross-encoder.

A cross-encoder reads query and text together (Nogueira and Cho, Passage Re-ranking with BERT, 2019), so it costs a pass
through the model for each of them. None comes with the package; nothing of torch is imported before one is loaded.
Left out: which passages are read again, and what their scores then count (retrieval).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from eunato_rag.errors import EmbeddingError, ModelNotFound
from eunato_rag.indexing.embedding import find_model

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_SCORING = ("ForSequenceClassification", "ForCausalLM")
_ADVICE = "Set EUNATO_RERANKING__MODEL to a cross-encoder, or leave it empty to do without."


class Reranker(Protocol):
    """Reads the best passages again, together with the query. Safe to share between threads."""

    @property
    def candidates(self) -> int:
        """How many of the best passages it reads, 1 or more."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """A finite score for each text, on a scale of its own; higher is better. Equal calls give equal scores."""
        ...


def find_reranker(model: str, *, allow_download: bool = False) -> Path:
    """The folder of a cross-encoder's weights, as `find_model` finds it, or ModelNotFound with what to do."""
    try:
        return find_model(model, allow_download=allow_download)
    except ModelNotFound as error:
        raise ModelNotFound(
            f"No weights for the reranker {model!r} on this machine. Where there is a network, set "
            f"EUNATO_EMBEDDING__ALLOW_DOWNLOAD=true. {_ADVICE}"
        ) from error


class CrossEncoderReranker:
    """A cross-encoder run by sentence-transformers; of what is longer than it reads, it leaves out the end."""

    def __init__(self, folder: Path, *, candidates: int) -> None:
        """Load the weights.

        Raises:
            EmbeddingError: they cannot be loaded, or give anything but one score for a pair.
        """
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model: CrossEncoder = CrossEncoder(str(folder), device="cpu", local_files_only=True)
            trained = _scores_pairs(folder)
        except Exception as error:  # transformers, safetensors and pickle raise classes that share no base but this
            raise EmbeddingError(f"The weights in {folder} are no cross-encoder that can be loaded ({error}). {_ADVICE}") from error
        if not trained or self._model.num_labels != 1:
            raise EmbeddingError(f"The model in {folder} is not trained to give one score for a pair of texts. {_ADVICE}")
        self.folder, self.candidates = folder, candidates
        self._lock = Lock()  # a call takes every core: two at once would gain no time and take twice the memory

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """What the model gives before its activation: through a sigmoid, the best would all be 1."""
        from torch.nn import Identity

        pairs = [(query, text) for text in texts]
        try:
            with self._lock:
                scores = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False).tolist()
        except (ValueError, IndexError, RuntimeError) as error:
            raise EmbeddingError(f"The reranker in {self.folder} failed ({error}). {_ADVICE}") from error
        if not all(map(math.isfinite, scores)):
            raise EmbeddingError(f"The reranker in {self.folder} gives scores that are no numbers. {_ADVICE}")
        return [float(score) for score in scores]


def _scores_pairs(folder: Path) -> bool:
    """Whether a model says that it was trained for this; to any other, loading adds a layer of random weights."""
    card, config = folder / "config_sentence_transformers.json", json.loads((folder / "config.json").read_text("utf-8"))
    if card.is_file() and json.loads(card.read_text("utf-8")).get("model_type") == "CrossEncoder":
        return True
    return any(name.endswith(_SCORING) for name in config.get("architectures") or ())
