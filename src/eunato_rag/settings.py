"""Typed settings from `EUNATO_*` environment variables; nothing is read at import, and a misspelt name is an error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from eunato_rag.errors import SettingsError
from eunato_rag.indexing.embedding import DEFAULT_MODEL

PREFIX = "EUNATO_"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddingSettings(_Section):
    """`EUNATO_EMBEDDING__*`"""

    model: str = Field(DEFAULT_MODEL, description="bundled model, folder, or Hugging Face name")
    backend: Literal["auto", "onnx", "torch"] = Field("auto", description="auto: ONNX where the model can be exported")
    threads: int = Field(0, ge=0, le=256, description="0: one per core")
    allow_download: bool = Field(False, description="may fetch a model's weights from Hugging Face")


class ChunkingSettings(_Section):
    """`EUNATO_CHUNKING__*`"""

    target_tokens: int = Field(128, ge=16, le=4096, description="size of a passage aimed at, in tiktoken tokens")
    overlap_sentences: int = Field(2, ge=0, le=4, description="sentences that two parts of one paragraph share")


class ReadingSettings(_Section):
    """`EUNATO_READING__*`"""

    seconds: float = Field(120.0, gt=0, description="time that reading one file may take")
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


class ServingSettings(_Section):
    """`EUNATO_SERVING__*`"""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")


class Settings(BaseSettings):
    """All settings; a stage receives plain values from here and can reach for none itself."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    corpus: Path = Field(Path("corpus"), description="folder of documents")
    index: Path = Field(Path("index"), description="folder of the index")
    embedding: EmbeddingSettings = EmbeddingSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    reading: ReadingSettings = ReadingSettings()
    fetching: FetchingSettings = FetchingSettings()
    serving: ServingSettings = ServingSettings()


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
