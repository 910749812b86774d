"""The fast path: a sentence-transformers model as one ONNX graph, run by onnxruntime without importing torch.

The graph is made once per model, written from the weights where the model is a BERT (bert) and exported by way of torch
where it is another, and kept beside the index with its checksums. It is compared with sentence-transformers on texts of
several lengths; for the bundled weights the tests have done that. Texts run one by one at their natural length, one per
core: padding costs more than batching gains. Left out: models with more than one modality or other inputs than ids and
mask; they run on sentence-transformers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from eunato_rag.digests import sha256_of
from eunato_rag.errors import EmbeddingError, UnusableExport
from eunato_rag.indexing.bert import Plan, Precision, write_graph
from eunato_rag.indexing.embedding import Embedder, Encoded, TorchEmbedder, Vectors, unit

GRAPH, TOKENIZER, CARD = "model.onnx", "tokenizer.json", "model.json"
if TYPE_CHECKING:
    from tokenizers import Tokenizer

_ASIDE, _LOCK = ".export-", ".lock"
_REMEMBERED = 256
"""Questions whose vectors are kept, about 30 KB each: people ask again, page on, and change a filter."""
_WORDS = 2**17
"""Words whose tokens are remembered. Most words of a text are among its corpus's first thousands, and are not tokenized again."""
_SPACE = re.compile(r"[ \t\n\r]+")
"""What BERT's tokenizers part words at, for certain; other spaces stay in a word, and are left to them."""
_OUTPUTS = ["sentence_embedding", "token_embeddings"]
MIN_AGREEMENT: dict[Precision, float] = {"float32": 0.999, "int8": 0.98}
"""Least cosine between a vector of the export and the original's."""

_PROBES = (
    "NATO",
    "Why did Pooling and Sharing fail?",
    "The European Union and NATO signed joint declarations in 2016, 2018 and 2023; Türkiye is an Ally, not a Member State.",
    " ".join(["Defence planning often gets stuck at national level, and 23 of 32 Allies spend 2 % of GDP."] * 6),
)


@dataclass(frozen=True, slots=True)
class _Card:
    """What must be known of an exported model to run it; `files` are the SHA-256 of the others."""

    name: str
    digest: str
    dimension: int
    max_tokens: int
    query_prompt: str
    document_prompt: str
    files: Mapping[str, str]


def load_or_export(name: str, folder: Path, make: Callable[[], None], *, threads: int = 1) -> OnnxEmbedder:
    """The exported model in `folder`; `make` exports it there where it is missing, changed or of another version.

    Of several processes one makes it, and the others wait. What a killed one left half made is cleared away.

    Raises:
        EmbeddingError: the folder cannot be written; whatever `make` raises.
    """
    try:
        return OnnxEmbedder(name, folder, threads=threads)
    except UnusableExport:
        pass
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / _LOCK):
            try:
                return OnnxEmbedder(name, folder, threads=threads)  # another process made it meanwhile
            except UnusableExport as error:
                if folder.exists():
                    logging.getLogger(__name__).warning("%s That is done now.", error)
            for left in folder.parent.glob(f"{_ASIDE}*"):
                shutil.rmtree(left, ignore_errors=True)
            make()
    except OSError as error:
        raise EmbeddingError(f"The model {name} cannot be exported to {folder}: {error}.") from error
    return OnnxEmbedder(name, folder, threads=threads)


def verify(folder: Path) -> _Card:
    """The card of an export all of whose files are as they were written.

    Raises:
        UnusableExport: it names the file that is missing or changed.
    """
    try:
        table = json.loads((folder / CARD).read_text("utf-8"))
        seal = table.pop("seal", None)
        card = _Card(**table)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UnusableExport(f"The exported model in {folder} has no {CARD} of this version; it must be made anew.") from error
    if seal != _seal(card) or set(card.files) != {GRAPH, TOKENIZER}:
        raise UnusableExport(f"The {CARD} of the exported model in {folder} was changed; it must be made anew.")
    for name, digest in card.files.items():
        try:
            found = sha256_of(folder / name)
        except OSError as error:
            raise UnusableExport(f"The exported model in {folder} lacks {name} ({error}); it must be made anew.") from error
        if found != digest:
            raise UnusableExport(f"{name} of the exported model in {folder} is not as it was written (checksum); it must be made anew.")
    return card


def _seal(card: _Card) -> str:
    return hashlib.sha256(json.dumps(asdict(card), sort_keys=True).encode()).hexdigest()


def export(original: TorchEmbedder, folder: Path) -> None:
    """Write the ONNX graph, the tokenizer and a card into `folder`, whole or not at all, by way of torch.

    Raises:
        EmbeddingError: the model cannot be exported, or its export disagrees with it.
    """
    prompts = original.prompts()
    with _aside(folder) as aside:
        _write_graph(original, aside / GRAPH)
        _write_tokenizer(original, aside / TOKENIZER)
        shape = (original.dimension, original.max_tokens, prompts["query"], prompts["document"])
        _write_card(aside, original.name, original.digest, *shape)
        _compare(original, OnnxEmbedder(original.name, aside), MIN_AGREEMENT["float32"])


def export_bert(
    name: str, digest: str, weights: Path, plan: Plan, precision: Precision, folder: Path, original: Callable[[], TorchEmbedder] | None
) -> None:
    """The same for a BERT, straight from the folder of its weights; compared with the original if one is given.

    Products in 8 bits are compared with those in 32, here on this processor, for some older ones round otherwise.

    Raises:
        EmbeddingError: the weights are not those of the plan, or what was made of them disagrees with the original.
    """
    with _aside(folder) as aside, _aside(folder, keep=False) as exact:
        graphs: dict[Path, Precision] = {aside: precision} if precision == "float32" else {aside: precision, exact: "float32"}
        for place, kind in graphs.items():
            write_graph(weights, plan, place / GRAPH, kind)
            shutil.copyfile(weights / TOKENIZER, place / TOKENIZER)
            _write_card(place, name, digest, plan.dimension, plan.max_tokens, plan.query_prompt, plan.document_prompt)
        made = OnnxEmbedder(name, aside)
        if precision != "float32":
            reference = OnnxEmbedder(name, exact)
            _compare(reference, made, MIN_AGREEMENT[precision])
            made = reference
        if original is not None:
            _compare(original(), made, MIN_AGREEMENT["float32"])


@contextmanager
def _aside(folder: Path, *, keep: bool = True) -> Iterator[Path]:
    """A folder to fill, which then takes the place of `folder`, if it is to be kept and nothing was raised."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder.parent))
    try:
        yield aside
        if keep:
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write_card(folder: Path, name: str, digest: str, dimension: int, max_tokens: int, query_prompt: str, document_prompt: str) -> None:
    files = {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)}
    card = _Card(name, digest, dimension, max_tokens, query_prompt, document_prompt, files)
    (folder / CARD).write_text(json.dumps({**asdict(card), "seal": _seal(card)}, indent=2) + "\n", "utf-8")


def _compare(original: Embedder, made: OnnxEmbedder, least: float) -> None:
    for mine, theirs in (
        (made.encode_document(_PROBES), original.encode_document(_PROBES)),
        (made.encode_query(_PROBES), original.encode_query(_PROBES)),
    ):
        agreement = float(np.min(np.sum(mine * theirs, axis=1)))
        if not agreement >= least:
            raise EmbeddingError(
                f"The ONNX export of {original.name} agrees with it to {agreement:.4f} only, not {least}. "
                "Where its products are in 8 bits, set EUNATO_EMBEDDING__PRECISION=float32."
            )


class OnnxEmbedder:
    """An exported model, loaded after its files were compared with their checksums."""

    def __init__(self, name: str, folder: Path, *, threads: int = 1) -> None:
        """Load it.

        Raises:
            UnusableExport: a file is missing, changed or of another version. EmbeddingError: it cannot be run.
        """
        card = verify(folder)
        import onnxruntime
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime and tokenizers raise classes of their own that share no base but this
            raise EmbeddingError(f"The exported model in {folder} cannot be loaded: {error}. Delete that folder.") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._threads = threads
        self.name, self.digest = name, card.digest
        self.dimension, self.max_tokens = card.dimension, card.max_tokens
        self._query_prompt, self._document_prompt = card.query_prompt, card.document_prompt
        self._specials = self._count("")
        self._count_word = lru_cache(_WORDS)(lambda word: self._count(word) - self._specials) if _is_by_words(self._tokenizer) else None
        self._query = lru_cache(_REMEMBERED)(lambda text: self._one(self._query_prompt, text))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embedding")

    def count_tokens(self, text: str) -> int:
        text = self._document_prompt + text
        if self._count_word is None:
            return self._count(text)
        return self._specials + sum(map(self._count_word, _SPACE.split(text)))

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._stacked(self.encode_query_tokens(texts))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self._stacked(self.encode_document_tokens(texts))

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        return self._spread(self._query, texts)

    def encode_document_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        return self._spread(lambda text: self._one(self._document_prompt, text), texts)

    def _stacked(self, encoded: Sequence[Encoded]) -> Vectors:
        return np.stack([one.vector for one in encoded]) if encoded else np.zeros((0, self.dimension), dtype=np.float32)

    def _spread(self, encode: Callable[[str], Encoded], texts: Sequence[str]) -> list[Encoded]:
        """Several texts over all threads, whoever asks; one alone where it is asked for."""
        if len(texts) <= 1 or self._threads == 1:
            return [encode(text) for text in texts]
        return list(self._pool.map(encode, texts))

    def _one(self, prompt: str, text: str) -> Encoded:
        """One text; a question longer than the model reads is embedded in parts, so that no part of it is ignored."""
        read = self._tokenizer.encode(prompt + text)
        ids: list[int] = read.ids
        special = np.asarray(read.special_tokens_mask, dtype=bool)
        places = np.asarray(read.offsets, dtype=np.int32)[:, 0] - len(prompt)
        if len(ids) <= self.max_tokens:
            vector, tokens = self._run(ids)
        else:
            size = self.max_tokens - 2
            parts = [self._run([ids[0], *ids[1:-1][i : i + size], ids[-1]]) for i in range(0, len(ids) - 2, size)]
            vector = np.mean([part for part, _ in parts], axis=0)
            tokens = np.concatenate([parts[0][1][:1], *(part[1:-1] for _, part in parts), parts[-1][1][-1:]])
        kept = ~special & (places >= 0)
        return Encoded(unit(vector[None])[0], unit(tokens[kept]), np.asarray(ids, dtype=np.int32)[kept], places[kept])

    def _count(self, text: str) -> int:
        (read,) = self._tokenizer.encode_batch_fast([text])  # without offsets
        return len(read.ids)

    def _run(self, ids: list[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        row = np.asarray([ids], dtype=np.int64)
        vectors, tokens = self._session.run(_OUTPUTS, {"input_ids": row, "attention_mask": np.ones_like(row)})
        return vectors[0], tokens[0]


def _is_by_words(tokenizer: Tokenizer) -> bool:
    """Whether no token of a text reaches over a space, so that its words can be counted one by one: BERT's tokenizers are so."""
    kinds = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.model)
    return [type(kind).__name__ for kind in kinds] == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]


def _write_graph(original: TorchEmbedder, path: Path) -> None:
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = original.model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            out = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return out["sentence_embedding"], out["token_embeddings"]

    rows = torch.tensor([[101, 2054, 2003, 2023, 102, 0], [101, 2023, 2003, 2054, 2003, 102]])
    rows = rows % max(2, len(original.model.tokenizer))
    mask = (torch.arange(6) < torch.tensor([[5], [6]])).long()
    names, size = ("input_ids", "attention_mask"), {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    loud = logging.getLogger("torch.onnx")
    level = loud.level
    loud.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns of its own internals
            torch.onnx.export(
                Graph().eval(),
                (rows, mask),
                str(path),
                input_names=list(names),
                output_names=_OUTPUTS,
                dynamic_shapes=dict.fromkeys(names, size),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter raises classes of many modules; the caller falls back to torch
        raise EmbeddingError(f"The model {original.name} cannot be exported to ONNX: {error}") from error
    finally:
        loud.setLevel(level)


def _write_tokenizer(original: TorchEmbedder, path: Path) -> None:
    backend = getattr(original.model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EmbeddingError(f"The model {original.name} has no fast tokenizer; run it with the torch backend.")
    path.write_text(backend.to_str(), "utf-8")
