"""Typed settings from `EUNATO_*` environment variables; nothing is read at import, and a misspelt name is an error."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from eunato_rag.answering.abstention import Abstention
from eunato_rag.errors import SettingsError
from eunato_rag.indexing.embedding import DEFAULT_MODEL
from eunato_rag.indexing.history import KEPT

PREFIX = "EUNATO_"
_SECRET = ("API_KEY", "BASE_URL", "MILVUS__TOKEN", "MILVUS__URL")
"""Variables whose values an error does not repeat; in an address somebody may have put a password."""


_RATE_FORM = "as 600/minute"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _sendable(value: SecretStr | None) -> SecretStr | None:
    key = value.get_secret_value().strip() if value else ""
    if not key.isascii() or not key.isprintable():
        raise ValueError("a key is made of visible ASCII characters")
    return SecretStr(key) if key else None


class EmbeddingSettings(_Section):
    """`EUNATO_EMBEDDING__*`"""

    model: str = Field(DEFAULT_MODEL, description="bundled model, folder, or Hugging Face name")
    backend: Literal["auto", "onnx", "torch"] = Field("auto", description="auto: ONNX where the model can be exported")
    precision: Literal["int8", "float32"] = Field("int8", description="of products, where the model is a BERT and runs on ONNX")
    threads: int = Field(0, ge=0, le=256, description="0: one per core")
    allow_download: bool = Field(False, description="may fetch a model's weights from Hugging Face")


class ChunkingSettings(_Section):
    """`EUNATO_CHUNKING__*`"""

    target_tokens: int = Field(128, ge=16, le=4096, description="size of a passage aimed at, in tiktoken tokens")
    overlap_sentences: int = Field(2, ge=0, le=4, description="sentences that two parts of one paragraph share")


class AbstentionSettings(_Section):
    """`EUNATO_ABSTENTION__*`"""

    least: float = Field(Abstention().least, ge=0, le=1, description="confidence below which a question is refused; set by reindex")


class SnapshotSettings(_Section):
    """`EUNATO_SNAPSHOTS__*`"""

    keep: int = Field(KEPT, ge=1, le=1000, description="snapshots that a re-index leaves, the served one among them")


class ReadingSettings(_Section):
    """`EUNATO_READING__*`"""

    seconds: float = Field(
        120.0, gt=0, description="time that reading one file may take; over 2 MiB as much longer as it is larger, up to 16 times"
    )
    megabytes: int = Field(2048, ge=256, description="memory that reading one file may take")


class FetchingSettings(_Section):
    """`EUNATO_FETCHING__*`"""

    max_bytes: int = Field(64 * 2**20, ge=1024, description="size of one file")
    seconds: float = Field(300.0, gt=0, description="time for one work, all its addresses and attempts together")
    timeout: float = Field(30.0, gt=0, description="silence of a server to bear, in seconds")
    attempts: int = Field(4, ge=1, le=20, description="attempts at one address")
    delay: float = Field(1.0, ge=0, description="seconds between two requests to one host")
    hosts: int = Field(4, ge=1, le=32, description="hosts asked at a time")
    allow_private: bool = Field(False, description="may reach addresses that are not public")


class GenerationSettings(_Section):
    """`EUNATO_GENERATION__*`; with a `base_url`, a language model writes the answers."""

    base_url: str | None = Field(None, description="OpenAI-compatible endpoint whose model writes answers, as http://host/v1")
    model: str = Field("", validate_default=True, description="the model's name there")
    api_key: SecretStr | None = Field(None, description="key that the endpoint asks for")
    prompt_tokens: int = Field(6000, ge=500, description="size of what is sent for an answer, in tiktoken tokens")
    output_tokens: int = Field(800, ge=16, description="size of what the model may write")
    seconds: float = Field(60.0, gt=0, description="time for one answer, all attempts together")
    timeout: float = Field(30.0, gt=0, description="silence of the endpoint to bear, in seconds")
    attempts: int = Field(3, ge=1, le=10, description="attempts to reach it")
    temperature: float = Field(0.0, ge=0, le=2, description="0: the likeliest words")

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        try:
            parts = urlsplit(value or "")
            named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its message would repeat the address
            named = False
        if value and (not named or parts.username or parts.password or parts.query or parts.fragment):
            raise ValueError("an address as http://host:port/v1 is expected, without name, password or query")
        return value or None

    @field_validator("model")
    @classmethod
    def _is_named(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("base_url") and not value.strip():
            raise ValueError("the endpoint needs the name of a model")
        return value.strip()

    @field_validator("api_key")
    @classmethod
    def _is_sendable(cls, value: SecretStr | None) -> SecretStr | None:
        return _sendable(value)


class RerankingSettings(_Section):
    """`EUNATO_RERANKING__*`; with a `model`, a cross-encoder orders the best passages."""

    model: str = Field("", description="cross-encoder that reads the best passages again: folder or Hugging Face name; empty: none")
    candidates: int = Field(20, ge=1, le=100, description="how many of the best passages the cross-encoder reads")


class EntailmentSettings(_Section):
    """`EUNATO_ENTAILMENT__*`; with a `model`, it decides what evidence says of a draft's sentences, in place of rules."""

    model: str = Field("", description="model for natural language inference: folder or Hugging Face name; empty: rules")


class MilvusSettings(_Section):
    """`EUNATO_MILVUS__*`; with a `url`, vectors and keywords are searched there."""

    url: str = Field("", description="Milvus, as http://host:19530, or a file of Milvus Lite, as /path/milvus.db; empty: the index folder")
    token: SecretStr | None = Field(None, description="token, or name:password, that Milvus asks for")
    name: str = Field(
        "eunato", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$", description="alias, and how the names of collections begin; one per index"
    )
    timeout: float = Field(10.0, gt=0, le=3600, description="silence of Milvus to bear, in seconds")

    @field_validator("url")
    @classmethod
    def _is_place(cls, value: str) -> str:
        given = value.strip()
        address = re.fullmatch(r"https?://[^\s/?#@]+(/\w*)?", given)
        if given and not address and ("://" in given or not given.endswith(".db")):
            raise ValueError("an address as http://host:19530, without name or password, or a file that ends with .db is expected")
        return given

    @field_validator("token")
    @classmethod
    def _is_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _sendable(value)


class ServingSettings(_Section):
    """`EUNATO_SERVING__*`"""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    workers: int = Field(1, ge=1, le=64, description="processes that answer, on one address and one index")
    public_url: str | None = Field(None, description="address that people reach the service under, as https://rag.example; for links")
    keys: Literal["auto", "always", "admin", "never"] = Field(
        "auto",
        description="who needs a key: auto: all, once one was made or others can reach the service; always: all; "
        "admin: who starts jobs or changes documents; never: nobody",
    )
    key_file: Path | None = Field(None, description="file of the keys; without it, keys.json beside the index folder")
    rate: str | None = Field(
        None, description=f"requests that one key or address may send, {_RATE_FORM}; without it 600/minute, but no limit for the owner"
    )
    costly_rate: str | None = Field(None, description="the same for questions, drafts, re-checks and /mcp; without it 120/minute")
    admin_rate: str | None = Field(None, description="the same for jobs, uploads, deletions, snapshots; without it 120/minute")
    at_a_time: int | None = Field(
        None, ge=1, le=1000, description="requests computed at a time; without it 4, or 16 where a language model writes answers"
    )
    queue: int = Field(64, ge=0, le=10_000, description="requests that may wait for that; more are refused at once")
    queue_seconds: float = Field(10.0, gt=0, description="time that a request may wait")
    answer_seconds: float = Field(120.0, gt=0, description="time after which a request is told that its answer takes too long")
    watch: bool = Field(False, description="re-index when the corpus folder has changed and then stayed as it is for some seconds")
    hosts: str = Field("", description="names, besides loopback's and the public one, that a service on loopback is asked for by; commas")
    cors_origins: str = Field("", description="origins of other sites whose pages may call, as https://one.example; commas between them")
    trusted_proxies: str = Field("", description="addresses or networks of proxies whose X-Forwarded-For and -Proto are believed; commas")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON")
    log_questions: bool = Field(False, description="may write what is asked into the log")
    log_clients: bool = Field(False, description="may write the addresses of callers into the log")

    @field_validator("rate", "costly_rate", "admin_rate")
    @classmethod
    def _is_rate(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", value):
            raise ValueError(f"a rate is expected {_RATE_FORM}")
        return value or None

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for origin in listed(value):
            if not re.fullmatch(r"https?://[^\s/?#@*]+", origin):
                raise ValueError(f"{origin!r} is no origin; name each, as https://one.example")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for network in listed(value):
            ip_network(network, strict=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _is_public_address(cls, value: str | None) -> str | None:
        given = (value or "").strip().rstrip("/")
        if given and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", given):
            raise ValueError("an address as https://rag.example is expected, without name, password, query or fragment")
        return given or None


class Settings(BaseSettings):
    """All settings; a stage receives plain values from here and can reach for none itself."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    corpus: Path = Field(Path("corpus"), description="folder of documents")
    index: Path = Field(Path("index"), description="folder of the index")
    embedding: EmbeddingSettings = EmbeddingSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    abstention: AbstentionSettings = AbstentionSettings()
    snapshots: SnapshotSettings = SnapshotSettings()
    reading: ReadingSettings = ReadingSettings()
    fetching: FetchingSettings = FetchingSettings()
    generation: GenerationSettings = GenerationSettings()
    reranking: RerankingSettings = RerankingSettings()
    entailment: EntailmentSettings = EntailmentSettings()
    milvus: MilvusSettings = MilvusSettings()
    serving: ServingSettings = ServingSettings()


def listed(value: str) -> list[str]:
    """The parts of a setting that is a list, with commas between them."""
    return [part.strip() for part in value.split(",") if part.strip()]


def load_settings(**overrides: object) -> Settings:
    """The settings of this process; an override of None counts as not given.

    Raises:
        SettingsError: an unknown `EUNATO_*` variable, or a value that does not fit.
    """
    known = set(variables())
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(f"{name} is no setting. Known are: {', '.join(sorted(known))}.")
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        if any(word in name for word in _SECRET):  # nor may the cause show it
            raise SettingsError(f"{name} cannot be what it is: {first['msg']}.") from None
        raise SettingsError(f"{name} cannot be {first.get('input')!r}: {first['msg']}.") from error


def variables() -> dict[str, str]:
    """Every environment variable and what it sets."""
    found: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for key, inner in section.model_fields.items():
                found[f"{PREFIX}{name}__{key}".upper()] = f"{inner.description} (default: {inner.default!r})"
        else:
            found[f"{PREFIX}{name}".upper()] = f"{field.description} (default: {str(field.default)!r})"
    return found
