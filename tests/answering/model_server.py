"""A language model for tests: a real HTTP server on loopback that answers as it is told to, well or badly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from eunato_rag.answering.endpoint import ChatModel, Endpoint


@dataclass(frozen=True)
class Asked:
    """One request: its headers, its body, and when it came."""

    headers: dict[str, str]
    body: dict[str, Any]
    at: float

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][1]["content"])

    def passages(self) -> dict[int, dict[str, str]]:
        """The passages by their numbers, read as the model would."""
        lines = self.prompt.split("<passages>\n")[1].split("\n</passages>")[0].split("\n")
        return {int(line[1 : line.index("]")]): json.loads(line[line.index("]") + 1 :]) for line in lines}

    def number(self, words: str) -> int:
        """The number of the first passage that says these words."""
        return next(number for number, passage in self.passages().items() if words in passage["text"])


@dataclass(frozen=True)
class Reply:
    """How a request is answered. `text` may hold {words} for the number of the passage that says them.

    Streamed in pieces of `size` characters, or whole, or `raw` as it stands; with seconds of silence before and between;
    closed after so many pieces, if `cut` is given.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    raw: bytes | None = None
    size: int = 7
    before: float = 0.0
    between: float = 0.0
    cut: int | None = None
    finish: str = "stop"


class ModelServer:
    """Gives the replies one after the other, the last one again and again. `left` is set when a client hangs up."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self.left = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def model(self, **changes: Any) -> ChatModel:
        """A client of this server that does not wait long."""
        return ChatModel(Endpoint(self.address, "tiny", **{"backoff": 0.01, "pulse": 0.05, "timeout": 5.0, **changes}))

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def _handler(server: ModelServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = Asked(dict(self.headers), body, time.monotonic())
            server.asked.append(asked)
            try:
                self._answer(asked, server.next_reply())
            except (BrokenPipeError, ConnectionResetError):
                server.left.set()
            self.close_connection = True

        def _answer(self, asked: Asked, reply: Reply) -> None:
            time.sleep(reply.before)
            if self.path != "/v1/chat/completions":
                reply = Reply(status=404)
            text = _numbered(asked, reply.text)
            if reply.status != 200 or reply.raw is not None or reply.whole:
                whole = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reply.finish}]}
                data = (
                    reply.raw
                    if reply.raw is not None
                    else json.dumps(whole if reply.status == 200 else {"error": {"message": text}}).encode()
                )
                self._begin(reply, {"Content-Type": "application/json", "Content-Length": str(len(data))})
                self.wfile.write(data)
                return
            self._begin(reply, {"Content-Type": "text/event-stream"})
            self._stream(reply, [text[n : n + reply.size] for n in range(0, len(text), reply.size)])

        def _begin(self, reply: Reply, headers: dict[str, str]) -> None:
            self.send_response(reply.status)
            for name, value in {**headers, "Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def _stream(self, reply: Reply, pieces: list[str]) -> None:
            self._event({"choices": [{"delta": {"role": "assistant"}, "finish_reason": None}]})
            for n, piece in enumerate(pieces):
                if n == reply.cut:
                    return
                self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
                time.sleep(reply.between)
            self._event({"choices": [{"delta": {}, "finish_reason": reply.finish}]})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, data: object) -> None:
            self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


def _numbered(asked: Asked, text: str) -> str:
    """The text with the number of a passage for each {words that it says}."""
    parts = text.replace("}", "{").split("{")
    return "".join(str(asked.number(part)) if n % 2 else part for n, part in enumerate(parts))
