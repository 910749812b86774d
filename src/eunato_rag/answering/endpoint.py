"""One OpenAI-compatible endpoint: messages in, pieces of text out, whether it streams them or answers whole.

The connection lives on an event loop in a thread of its own, so that whoever reads the pieces stays in control: every
`pulse` seconds there is a piece, if only an empty one; time is over when it is over, whatever the server does; and to
stop reading closes the connection at once. No proxy, cookie or redirect is used.
Left out: what is asked (prompting) and what becomes of the answer (generation).
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import httpx2

from eunato_rag.answering.completions import Cut, own_words, texts
from eunato_rag.errors import GenerationError
from eunato_rag.retrying import Again, retry_after

Messages = Sequence[Mapping[str, str]]

_TRY_AGAIN = {408, 429, 500, 502, 503, 504, 529}
_SHOWN = 200
"""Characters of a server's own words that an error repeats."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is and what asking it may take; times in seconds.

    `timeout` is the silence to bear, between two pieces too. Between two attempts lie `backoff`, twice that, and so on,
    shortened at random by up to half, or what the server asks for. `output_tokens` bounds one answer.
    """

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    output_tokens: int = 800
    timeout: float = 30.0
    attempts: int = 3
    backoff: float = 0.5
    temperature: float = 0.0
    pulse: float = 0.25


class ChatModel:
    """Asks one endpoint. May be shared by threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def pieces(self, messages: Messages, until: float) -> Generator[str, None, None]:
        """What the model answers, as it comes; an empty piece is a sign that one is still waiting.

        Connection errors, time-outs and the statuses 408, 429 and 5xx are tried again while no piece has come.

        Raises:
            GenerationError: no answer, not a whole one, or not one by `until` (on `time.monotonic`).
        """
        found: SimpleQueue[str | GenerationError | None] = SimpleQueue()
        exchange = _Exchange(self.endpoint, messages, until, found.put)
        thread = Thread(target=exchange.run, name="language model", daemon=True)
        thread.start()
        try:
            while True:
                left = until - time.monotonic()
                if left <= 0:
                    raise GenerationError("The language model took longer than it may.")
                try:
                    piece = found.get(timeout=min(self.endpoint.pulse, left))
                except Empty:
                    if not thread.is_alive() and found.empty():
                        raise GenerationError("Asking the language model failed; the log says how.") from None
                    piece = ""
                if piece is None:
                    return
                if isinstance(piece, GenerationError):
                    raise piece
                yield piece
        finally:
            exchange.cancel()
            # A name that is being looked up cannot be called off; the thread then ends by itself.
            thread.join(1.0)


class _Exchange:
    """One question to the model, with its attempts, on a loop of its own; `put` takes pieces, then None or an error."""

    def __init__(self, endpoint: Endpoint, messages: Messages, until: float, put: Callable[[str | GenerationError | None], None]) -> None:
        self._endpoint, self._until, self._put = endpoint, until, put
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._ask(messages))
        self._begun = False

    def run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def cancel(self) -> None:
        with suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _ask(self, messages: Messages) -> None:
        endpoint = self._endpoint
        body: dict[str, Any] = {
            "model": endpoint.model,
            "messages": list(messages),
            "temperature": endpoint.temperature,
            "max_tokens": endpoint.output_tokens,
            "stream": True,
        }
        headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
        try:
            async with httpx2.AsyncClient(
                headers=headers, timeout=endpoint.timeout, trust_env=False, verify=_certificates(), follow_redirects=False
            ) as client:
                await self._attempts(client, body)
            self._put(None)
        except GenerationError as error:
            self._put(error)
        except (httpx2.InvalidURL, httpx2.HTTPError, httpx2.StreamError, UnicodeError) as error:
            self._put(GenerationError(f"The language model cannot be asked: {self._plain(str(error)) or type(error).__name__}"))

    async def _attempts(self, client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(client, body)
            except httpx2.TimeoutException:
                trouble = Again("it was silent for too long")
            except httpx2.TransportError as error:
                trouble = Again(self._plain(str(error)) or type(error).__name__)
            except Again as error:
                trouble = error
            if self._begun:
                raise GenerationError(f"The language model broke off: {trouble}.")
            if attempt == self._endpoint.attempts:
                raise GenerationError(f"The language model cannot be reached: {trouble} ({attempt} attempts).")
            wait = self._endpoint.backoff * 2 ** (attempt - 1) * (1 - random.random() / 2) if trouble.wait is None else trouble.wait
            if time.monotonic() + wait >= self._until:
                raise GenerationError(f"The language model cannot be reached in time: {trouble}.")
            await asyncio.sleep(wait)

    async def _attempt(self, client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
        url = self._endpoint.base_url.rstrip("/") + "/chat/completions"
        async with client.stream("POST", url, json=body) as response:
            if response.status_code in _TRY_AGAIN:
                raise Again(f"it answers {response.status_code}", retry_after(response.headers))
            if response.status_code != 200:
                said = (await _bounded(response)).decode("utf-8", "replace")
                if response.status_code in (400, 422) and _adapt(body, said):
                    raise Again("it takes other parameters", 0.0)
                detail = self._plain(own_words(said) or response.headers.get("location", ""))
                raise GenerationError(f"The language model answers {response.status_code}: {detail or response.reason_phrase}")
            try:
                async for piece in texts(response):
                    self._hand_over(piece)
            except Cut as error:
                self._hand_over(error.text)
                raise

    def _hand_over(self, piece: str) -> None:
        if piece:
            self._begun = True
            self._put(piece)

    def _plain(self, text: str) -> str:
        """A server's words for a log: short, on one line, without the key."""
        text = " ".join(text.split())
        return (text.replace(self._endpoint.api_key, "***") if self._endpoint.api_key else text)[:_SHOWN]


def _adapt(body: dict[str, Any], said: str) -> bool:
    """Whether the body was changed to what the server says that it takes: newer models name and bound things otherwise."""
    if "max_tokens" in body and "max_completion_tokens" in said:
        body["max_completion_tokens"] = body.pop("max_tokens")
        return True
    return "temperature" in said and body.pop("temperature", None) is not None


async def _bounded(response: httpx2.Response) -> bytes:
    data = b""
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > 65536:
            break
    return data


@cache
def _certificates() -> ssl.SSLContext:
    """The system's certificates, read once."""
    return httpx2.create_ssl_context(trust_env=False)
