"""Settings -> the parts that a door is made of: embedder, writer, reranker, engine, and what a build is told.

Nothing heavy is imported before it is needed. Left out: what a door does with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eunato_rag.answering.abstention import Abstention
    from eunato_rag.engine import Engine, Writer
    from eunato_rag.indexing.embedding import Embedder
    from eunato_rag.indexing.reranking import Reranker
    from eunato_rag.ingestion.chunking import Chunking
    from eunato_rag.ingestion.isolation import Limits
    from eunato_rag.settings import Settings


def embedder(settings: Settings) -> Embedder:
    from eunato_rag.indexing.embedding import load_embedder
    from eunato_rag.indexing.snapshot import MODELS

    chosen = settings.embedding
    return load_embedder(
        chosen.model,
        settings.index / MODELS,
        backend=chosen.backend,
        threads=chosen.threads,
        allow_download=chosen.allow_download,
    )


def open_engine(settings: Settings, writer: Writer | None = None) -> Engine:
    """The engine of the index folder.

    Raises:
        NoIndex and the others of `Engine.open`.
    """
    from eunato_rag.engine import Engine
    from eunato_rag.indexing.snapshot import current_id

    current_id(settings.index)  # says that there is no index before the model is loaded
    return Engine.open(settings.index, embedder(settings), writer, reranker(settings))


def writer(settings: Settings) -> Writer | None:
    """The language model that writes answers, if one is set; else nothing of it is imported."""
    chosen = settings.generation
    if chosen.base_url is None:
        return None
    from eunato_rag.answering.endpoint import ChatModel, Endpoint
    from eunato_rag.answering.generation import Generator

    endpoint = Endpoint(
        chosen.base_url,
        chosen.model,
        api_key=chosen.api_key.get_secret_value() if chosen.api_key else "",
        output_tokens=chosen.output_tokens,
        timeout=chosen.timeout,
        attempts=chosen.attempts,
        temperature=chosen.temperature,
    )
    return Generator(ChatModel(endpoint), prompt_tokens=chosen.prompt_tokens, seconds=chosen.seconds)


def reranker(settings: Settings) -> Reranker | None:
    """The cross-encoder that reads the best passages again, if one is set; else nothing of it is imported."""
    chosen = settings.reranking
    if not chosen.model:
        return None
    from eunato_rag.indexing.reranking import CrossEncoderReranker, find_reranker

    folder = find_reranker(chosen.model, allow_download=settings.embedding.allow_download)
    return CrossEncoderReranker(folder, candidates=chosen.candidates)


def chunking(settings: Settings) -> Chunking:
    from eunato_rag.ingestion.chunking import Chunking

    return Chunking(settings.chunking.target_tokens, settings.chunking.overlap_sentences)


def limits(settings: Settings) -> Limits:
    from eunato_rag.ingestion.isolation import Limits

    return Limits(settings.reading.seconds, settings.reading.megabytes)


def abstention(settings: Settings) -> Abstention:
    from eunato_rag.answering.abstention import Abstention

    return Abstention(least=settings.abstention.least)
