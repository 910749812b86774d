"""Settings -> the parts that a door is made of: embedder, writer, reranker, engine, and what a build is told.

Nothing heavy is imported before it is needed. Left out: what a door does with them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eunato_rag.errors import SettingsError

if TYPE_CHECKING:
    from eunato_rag.answering.abstention import Abstention
    from eunato_rag.engine import Engine, Writer
    from eunato_rag.evidence.entailment import Entailment
    from eunato_rag.indexing.embedding import Embedder
    from eunato_rag.indexing.milvus import Milvus
    from eunato_rag.indexing.reranking import Reranker
    from eunato_rag.ingestion.chunking import Chunking
    from eunato_rag.ingestion.isolation import Limits
    from eunato_rag.ingestion.preparing import Recruit
    from eunato_rag.serving.http.serving import Serving
    from eunato_rag.serving.keys import KeyStore
    from eunato_rag.settings import Settings


def embedder(settings: Settings) -> Embedder:
    from eunato_rag.indexing.embedding import load_embedder
    from eunato_rag.indexing.snapshot import MODELS

    chosen = settings.embedding
    return load_embedder(
        chosen.model,
        settings.index / MODELS,
        backend=chosen.backend,
        precision=chosen.precision,
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
    return Engine.open(settings.index, embedder(settings), writer, reranker(settings), entailment(settings), milvus(settings))


def milvus(settings: Settings) -> Milvus | None:
    """Where vectors and keywords are searched, if Milvus is set; else nothing of it is imported.

    Raises:
        SettingsError: its package is not installed.
    """
    chosen = settings.milvus
    if not chosen.url:
        return None
    from eunato_rag.indexing.milvus import Milvus

    token = chosen.token.get_secret_value() if chosen.token else ""
    return Milvus(chosen.url, token, name=chosen.name, timeout=chosen.timeout)


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


def entailment(settings: Settings) -> Entailment | None:
    """The model that decides what evidence says of a draft's sentences, if one is set; else nothing of it is imported."""
    chosen = settings.entailment
    if not chosen.model:
        return None
    from eunato_rag.evidence.entailment import EntailmentModel, find_entailment

    return EntailmentModel(find_entailment(chosen.model, allow_download=settings.embedding.allow_download))


def chunking(settings: Settings) -> Chunking:
    from eunato_rag.ingestion.chunking import Chunking

    return Chunking(settings.chunking.target_tokens, settings.chunking.overlap_sentences)


def limits(settings: Settings) -> Limits:
    from eunato_rag.ingestion.isolation import Limits

    return Limits(settings.reading.seconds, settings.reading.megabytes)


def cluster(settings: Settings, address: str) -> Recruit:
    """What makes a workforce on the Ray cluster of an address; `local`: on one that is begun for it.

    Raises:
        SettingsError: Ray is not installed, or that is no address.
    """
    from eunato_rag.indexing.snapshot import MODELS
    from eunato_rag.ingestion.cluster import Cluster, check, load_there

    check(address)
    chosen = settings.embedding
    models = (settings.index / MODELS).absolute()
    load = partial(load_there, chosen.model, models, chosen.backend, chosen.precision, chosen.allow_download)
    return partial(Cluster, address, load)


def abstention(settings: Settings) -> Abstention:
    from eunato_rag.answering.abstention import Abstention

    return Abstention(least=settings.abstention.least)


def keys(settings: Settings) -> KeyStore:
    from eunato_rag.serving.keys import KeyStore, beside

    return KeyStore(settings.serving.key_file or beside(settings.index))


def serving(settings: Settings, address: str, shared: Path | None = None) -> Serving:
    """How the service is run on an address to listen on; in `shared` lies what several processes count together.

    Raises:
        SettingsError: others could reach it, and nothing would keep them out.
    """
    from eunato_rag.serving.http.access import Access
    from eunato_rag.serving.http.limits import COMPUTED, WAITED_FOR, Work
    from eunato_rag.serving.http.rates import DEFAULT, Kind, Rates
    from eunato_rag.serving.http.security import allowed_hosts, is_loopback
    from eunato_rag.serving.http.serving import Serving
    from eunato_rag.serving.http.windows import SharedWindows
    from eunato_rag.settings import listed

    chosen, store = settings.serving, keys(settings)
    exposed = not is_loopback(address) or bool(chosen.public_url)
    if exposed and chosen.keys == "auto" and not any(key.revoked is None for key in store.all()):
        raise SettingsError(
            f"Others can reach the service at {chosen.public_url or address}, and there is no key in {store.path}. "
            "Make one: eunato-rag keys add NAME. Or let anybody read, or do all, with EUNATO_SERVING__KEYS=admin or never."
        )
    given: dict[Kind, str | None] = {"general": chosen.rate, "costly": chosen.costly_rate, "admin": chosen.admin_rate}
    return Serving(
        public_url=chosen.public_url,
        corpus=settings.corpus,
        access=Access(store, chosen.keys, exposed),
        rates=Rates(
            {kind: rate or DEFAULT[kind] for kind, rate in given.items()},
            owner_is_free=not any(given.values()),
            windows=SharedWindows(shared / "rates.sqlite") if shared else None,
        ),
        hosts=allowed_hosts(address, chosen.public_url, listed(chosen.hosts)) if is_loopback(address) else None,
        origins=tuple(listed(chosen.cors_origins)),
        work=Work(
            chosen.at_a_time or (WAITED_FOR if settings.generation.base_url else COMPUTED),
            chosen.queue,
            chosen.queue_seconds,
            chosen.answer_seconds,
        ),
        watch=chosen.watch,
        keep=settings.snapshots.keep,
        log_questions=chosen.log_questions,
        log_clients=chosen.log_clients,
    )
