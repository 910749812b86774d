"""The answers of OpenAI-compatible chat endpoints: what their bodies say, streamed or whole, and what is wrong with them.

Whether an answer is a stream or one JSON object its first character tells, not its headers, which proxies and small
servers get wrong. Left out: the connection (endpoint).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2

from eunato_rag.errors import GenerationError
from eunato_rag.retrying import Again

MAX_BYTES = 4 * 2**20
"""Of one answer; far more than its tokens need."""
_BEGINNINGS = "{:deri"
"""Of a JSON object, and of the lines of a stream: comment, data, event, retry, id."""
_SHOWN = 200
"""Characters of a server's own words that an error repeats."""


async def texts(response: httpx2.Response) -> AsyncIterator[str]:
    """The pieces of an answer: events of a stream, or one JSON object. What it is, its first character tells."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    buffer, size, kind, ended = "", 0, "", False
    async for data in response.aiter_bytes():
        size += len(data)
        if size > MAX_BYTES:
            raise GenerationError(f"The language model sends more than {MAX_BYTES} bytes.")
        buffer += decoder.decode(data)
        kind = kind or buffer.lstrip("\ufeff \r\n\t")[:1]
        if kind and kind not in _BEGINNINGS:
            raise GenerationError("The address of the language model gives something else than its API; it should end in /v1 or the like.")
        while kind != "{" and "\n" in buffer:
            line, _, buffer = buffer.partition("\n")
            piece, last = _event(line)
            ended = ended or last
            yield piece
    if kind == "{":
        yield _content(_loaded(buffer), whole=True)[0]
    elif buffer.strip():
        piece, last = _event(buffer)
        ended = ended or last
        yield piece
    if kind != "{" and not ended:
        raise Again("its stream ended before its answer did" if size else "its answer is empty")


def _event(line: str) -> tuple[str, bool]:
    """The text of one line of a stream, and whether it is the last one."""
    line = line.strip("\ufeff \r")
    if not line.startswith("data:"):
        return "", False
    data = line[5:].strip()
    if data == "[DONE]":
        return "", True
    return _content(_loaded(data), whole=False) if data else ("", False)


def _content(answer: Any, *, whole: bool) -> tuple[str, bool]:
    """The text of a completion or of one part of it, and whether it says that nothing follows."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        raise GenerationError(f"The language model fails: {own_words(json.dumps({'error': error}))[:_SHOWN]}")
    try:
        choices = answer["choices"]
        if not choices and not whole:
            return "", False  # a part that only counts tokens
        part = choices[0].get("message" if whole else "delta") or choices[0].get("message") or {}
        text, reason = part.get("content") or "", choices[0].get("finish_reason")
        if isinstance(text, list):
            text = "".join(item.get("text", "") for item in text)
    except (KeyError, IndexError, TypeError, AttributeError) as found:
        raise GenerationError("The language model's answer is not of the shape that an OpenAI-compatible endpoint gives.") from found
    if not isinstance(text, str):
        raise GenerationError("The language model's answer holds no text.")
    if reason in ("length", "content_filter"):
        raise Cut(text, reason)
    return text, reason is not None


class Cut(GenerationError):
    """An answer that the server ended early, with the text that still came along."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"The language model's answer was cut off ({reason}).")
        self.text = text


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GenerationError("The language model's answer is not JSON.") from error


def own_words(said: str) -> str:
    """What a server says of its error, in OpenAI's shape or as it comes."""
    with suppress(ValueError, AttributeError):
        error = json.loads(said).get("error")
        return str(error.get("message", "") if isinstance(error, dict) else error or "")
    return "" if said.lstrip().startswith("<") else said
