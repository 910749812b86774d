"""Answers as they come: server-sent events from a real server, with a language model behind it and without."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from eunato_rag.answering.generation import Generator
from eunato_rag.engine import Writer
from eunato_rag.serving.http import streaming
from eunato_rag.serving.http.app import create_app
from tests.answering.model_server import ModelServer, Reply
from tests.conftest import WordEmbedder

QUESTION = "When was the harbour at Lindholm dredged?"
WRITTEN = "The harbour at Lindholm was dredged in 2019 [{dredged in 2019}]. The works cost 3.2 million crowns [{3.2 million}]."

Serve = Callable[..., str]


@pytest.fixture
def serve(index: Path, embedder: WordEmbedder) -> Iterator[Serve]:
    """Starts servers over the small corpus; gives their addresses."""
    ends: list[Callable[[], None]] = []

    def started(writer: Writer | None = None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(index, embedder, writer), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join()
            listener.close()

        ends.append(end)
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield started
    for end in ends:
        end()


@contextmanager
def asking(address: str, question: str = QUESTION, accept: str = "text/event-stream") -> Iterator[HTTPResponse]:
    connection = HTTPConnection(address, timeout=20)
    headers = {"Content-Type": "application/json", "Accept": accept}
    connection.request("POST", "/v1/ask", json.dumps({"question": question}), headers)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def events_of(response: HTTPResponse) -> list[tuple[str, Any]]:
    """The events of a stream, each with its data; comments left out."""
    frames = [frame for frame in response.read().decode().split("\n\n") if frame and not frame.startswith(":")]
    parts = [frame.split("\n") for frame in frames]
    assert all(name.startswith("event: ") and data.startswith("data: ") for name, data in parts)
    return [(name[7:], json.loads(data[6:])) for name, data in parts]


def test_a_written_answer_comes_event_by_event(serve: Serve) -> None:
    """search, then words and citations in turn, last the answer; the words together are the answer's text."""
    with ModelServer(Reply(WRITTEN)).running() as model, asking(serve(Generator(model.model()))) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-request-id"]
        events = events_of(response)
    assert [name for name, _ in events] == ["search", "answer.delta", "citation", "answer.delta", "citation", "answer"]
    answer = events[-1][1]
    assert answer["answer"] == "The harbour at Lindholm was dredged in 2019 [1]. The works cost 3.2 million crowns [2]."
    assert "".join(data["text"] for name, data in events if name == "answer.delta") == answer["answer"]
    assert [data for name, data in events if name == "citation"] == answer["citations"]
    assert events[0][1]["hits"] == answer["hits"]
    assert (answer["model"], answer["notice"]) == ({"name": "tiny"}, None)


def test_without_a_model_the_sentences_of_the_corpus_come_the_same_way(serve: Serve) -> None:
    """One delta for each quotation; the answer is the one that is given whole."""
    address = serve()
    with asking(address) as response:
        events = events_of(response)
    with asking(address, accept="application/json") as response:
        whole = json.loads(response.read())
    assert [name for name, _ in events][:3] == ["search", "answer.delta", "citation"]
    assert {**events[-1][1], "took_ms": 0} == {**whole, "took_ms": 0}
    assert whole["model"] is None
    assert "".join(data["text"] for name, data in events if name == "answer.delta") == whole["answer"]


def test_an_abstention_comes_as_an_answer(serve: Serve) -> None:
    """Its words at once, and no citation."""
    with ModelServer(Reply("NOT_ANSWERED")).running() as model, asking(serve(Generator(model.model()))) as response:
        events = events_of(response)
    assert [name for name, _ in events] == ["search", "answer.delta", "answer"]
    assert (events[-1][1]["status"], events[-1][1]["citations"]) == ("abstained", [])


def test_a_question_that_cannot_be_asked_is_a_problem_and_no_stream(serve: Serve) -> None:
    """With its status."""
    with asking(serve(), question="?!") as response:
        assert response.status == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert json.loads(response.read())["code"] == "invalid_question"


class Failing:
    """A writer that dies in the middle."""

    def write(self, *given: object) -> Any:
        raise ZeroDivisionError
        yield

    def rewrite(self, *given: object) -> None:
        return None


def test_what_fails_inside_ends_the_stream_with_an_error(serve: Serve) -> None:
    """In the shape of a problem, which says nothing of the inside."""
    with asking(serve(Failing())) as response:
        events = events_of(response)
    assert [name for name, _ in events] == ["search", "error"]
    problem = events[-1][1]
    assert (problem["status"], problem["code"], "division" in problem["detail"]) == (500, "internal_error", False)
    assert problem["request_id"]


def test_a_first_sentence_is_read_while_the_model_still_writes(serve: Serve) -> None:
    """It is not held back by anything on the way."""
    with ModelServer(Reply(WRITTEN + " Then" * 200, between=0.02)).running() as model, asking(serve(Generator(model.model()))) as response:
        began = time.monotonic()
        while response.readline() != b"event: answer.delta\n":
            pass
        assert b"dredged in 2019 [1]" in response.readline()
        assert time.monotonic() - began < 2


def test_who_hangs_up_ends_the_work(serve: Serve) -> None:
    """The model's connection is closed, too; the service goes on."""
    with ModelServer(Reply(WRITTEN + " Then" * 5000, between=0.02)).running() as model:
        address = serve(Generator(model.model()))
        with asking(address) as response:
            assert response.readline() == b"event: search\n"
            while not model.asked:  # else there is no connection of the model to close
                time.sleep(0.01)
        assert model.left.wait(5)
        model.replies = [Reply(WRITTEN)]
        with asking(address) as response:
            assert events_of(response)[-1][0] == "answer"


def test_a_comment_keeps_a_silent_connection_open(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 15 seconds; here, sooner."""
    monkeypatch.setattr(streaming, "SILENCE", 0.2)
    with ModelServer(Reply(WRITTEN, before=1.0)).running() as model, asking(serve(Generator(model.model()))) as response:
        assert 2 <= response.read().count(b": still at work\n\n") <= 5


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/json, text/event-stream", False),
        ("*/*", False),
        ("", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=nonsense, */*;q=0.1", False),
    ],
)
def test_a_stream_is_given_to_whom_it_is_the_first_wish(accept: str, wanted: bool) -> None:
    """RFC 9110, 12.5.1, and of equals the first."""
    assert streaming.is_wanted(accept) is wanted
