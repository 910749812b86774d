"""(Evidence, sentence) -> whether the one entails or contradicts the other, by a model: the Entailment contract, and a cross-encoder.

A model for natural language inference reads both together (Bowman et al., A large annotated corpus for learning natural
language inference, 2015). None comes with the package; nothing of torch is imported before one is loaded.
Left out: which evidence is weighed, and what follows from the odds (citing.support).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from eunato_rag.errors import EmbeddingError, ModelNotFound
from eunato_rag.indexing.embedding import find_model

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_ADVICE = "Set EUNATO_ENTAILMENT__MODEL to a model for natural language inference, or leave it empty to do without."
_LABELS = ("entailment", "contradiction")


@dataclass(frozen=True, slots=True)
class Odds:
    """How probable it is, in 0..1, that evidence entails a sentence, and that it contradicts it; the rest is neither."""

    entails: float
    contradicts: float


class Entailment(Protocol):
    """Weighs a sentence against evidence. Safe to share between threads."""

    def weigh(self, sentence: str, evidence: Sequence[str]) -> Sequence[Odds]:
        """The odds for each piece of evidence, in order."""
        ...


def find_entailment(model: str, *, allow_download: bool = False) -> Path:
    """The folder of a model's weights, as `find_model` finds it, or ModelNotFound with what to do."""
    try:
        return find_model(model, allow_download=allow_download)
    except ModelNotFound as error:
        raise ModelNotFound(
            f"No weights for the entailment model {model!r} on this machine. Where there is a network, set "
            f"EUNATO_EMBEDDING__ALLOW_DOWNLOAD=true. {_ADVICE}"
        ) from error


class EntailmentModel:
    """A cross-encoder with labels, run by sentence-transformers; of evidence longer than it reads, it leaves out the end."""

    def __init__(self, folder: Path) -> None:
        """Load the weights.

        Raises:
            EmbeddingError: they cannot be loaded, or none of the labels is called entailment, or none contradiction.
        """
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model: CrossEncoder = CrossEncoder(str(folder), device="cpu", local_files_only=True)
            named = json.loads((folder / "config.json").read_text("utf-8")).get("id2label") or {}
        except Exception as error:  # transformers, safetensors and pickle raise classes that share no base but this
            raise EmbeddingError(f"The weights in {folder} are no model that can be loaded ({error}). {_ADVICE}") from error
        places = {str(label).casefold(): int(place) for place, label in named.items()}
        if not set(_LABELS) <= set(places):
            found = ", ".join(sorted(places)) or "none"
            raise EmbeddingError(f"The model in {folder} has no labels entailment and contradiction; it has: {found}. {_ADVICE}")
        self.folder = folder
        self._entails, self._contradicts = (places[label] for label in _LABELS)
        self._lock = Lock()  # a call takes every core: two at once would gain no time and take twice the memory

    def weigh(self, sentence: str, evidence: Sequence[str]) -> list[Odds]:
        if not evidence:
            return []
        pairs = [(text, sentence) for text in evidence]
        try:
            with self._lock:
                odds = self._model.predict(pairs, apply_softmax=True, show_progress_bar=False)
        except (ValueError, IndexError, RuntimeError) as error:
            raise EmbeddingError(f"The entailment model in {self.folder} failed ({error}). {_ADVICE}") from error
        return [Odds(float(row[self._entails]), float(row[self._contradicts])) for row in odds]
