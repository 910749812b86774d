"""What is counted, and what is logged: enough to run the service by, and nothing of what anybody asked."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from eunato_rag.indexing.snapshot import current_id
from eunato_rag.serving.http import logs
from eunato_rag.serving.http.access import Access
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.keys import KeyStore
from tests.conftest import WordEmbedder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

QUESTION = {"question": "When was the harbour at Lindholm dredged?"}


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics by its name and its labels' values."""
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.text)
    return {(s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for family in families for s in family.samples}


@pytest.fixture
def client(index: Path, corpus: Path, embedder: WordEmbedder) -> TestClient:
    return TestClient(create_app(index, embedder, serving=Serving(corpus=corpus)))


def test_requests_are_counted_by_route_method_and_status(client: TestClient) -> None:
    """A route by its template; what fits none, and a method nobody knows, are one each, however many are tried."""
    for n in range(3):
        client.get(f"/v1/documents/none-{n}")
        client.get(f"/nothing/{n}")
        client.request(f"METHOD{n}", "/v1/works")
    client.head("/v1/documents/harbour-2020")
    found = samples(client)
    assert found["eunato_requests_total", "GET", "/v1/documents/{document_id}", "404"] == 3
    assert found["eunato_requests_total", "HEAD", "/v1/documents/{document_id}", "200"] == 1
    assert found["eunato_requests_total", "GET", "none", "404"] == 3
    assert found["eunato_requests_total", "other", "/v1/works", "405"] == 3
    assert found["eunato_request_seconds_count", "/v1/documents/{document_id}"] == 4
    assert found["eunato_requests_in_progress",] == 1, "the one that asks"


def test_answers_are_counted_by_what_they_say(client: TestClient) -> None:
    """Whichever door they leave by; and the stages that they took."""
    client.post("/v1/ask", json=QUESTION)
    client.post("/v1/ask", json=QUESTION, headers={"Accept": "text/event-stream"})
    client.post("/v1/chat/completions", json={"model": "eunato-rag", "messages": [{"role": "user", "content": QUESTION["question"]}]})
    client.post("/v1/ask", json={"question": "Which zebra won the quantum chess tournament?"})
    client.post("/v1/quotes", json={"quote": "The harbour at Lindholm was dredged in 2019."})
    client.post("/v1/quotes", json={"quote": "zebra quantum chess tournament won"})
    client.post("/v1/drafts", json={"text": "The harbour at Lindholm was dredged in 2019."})
    found = samples(client)
    assert (found["eunato_answers_total", "answered"], found["eunato_answers_total", "abstained"]) == (3, 1)
    assert found["eunato_citations_total", "exact"] >= 3
    assert found["eunato_quotations_total", "exact"] == found["eunato_quotations_total", "absent"] == 1
    assert found["eunato_draft_sentences_total", "supported"] == 1
    for stage in ("embed", "vectors", "keywords", "late interaction", "extract"):
        assert found["eunato_stage_seconds_count", stage] >= 3, stage
    assert found["eunato_stage_seconds_count", "quote"] == 2


def test_the_snapshot_and_the_jobs_are_told_as_they_are(client: TestClient, index: Path) -> None:
    client.post("/v1/jobs")
    found = samples(client)
    assert found["eunato_snapshot", "words", current_id(index)] == 1
    assert found["eunato_snapshot_documents",] == 2
    assert found["eunato_snapshot_passages",] > 2
    assert found["eunato_snapshot_created_seconds",] > 1.7e9
    assert (found["eunato_jobs", "queued"], found["eunato_jobs", "failed"]) == (1, 0)
    assert found["process_resident_memory_bytes",] > 1e6


def test_two_applications_count_apart(index: Path, embedder: WordEmbedder) -> None:
    """Nothing is global."""
    one, other = (TestClient(create_app(index, embedder)) for _ in range(2))
    one.get("/v1/works")
    assert ("eunato_requests_total", "GET", "/v1/works", "200") in samples(one)
    assert ("eunato_requests_total", "GET", "/v1/works", "200") not in samples(other)


@pytest.fixture
def logged() -> Iterator[Any]:
    """The lines of the log so far; the process's logging is as before, afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    out = StringIO()
    logs.configure("json", out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def test_a_request_is_one_line_that_tells_nothing_of_what_was_asked(
    index: Path, embedder: WordEmbedder, tmp_path: Path, logged: Any
) -> None:
    """Id, method, path, status, milliseconds, key's id; no query, no question, no address, no key."""
    store = KeyStore(tmp_path / "keys.json")
    key = store.add("one")
    client = TestClient(create_app(index, embedder, serving=Serving(access=Access(store, "always"))))
    given = {"X-Request-ID": "trace-0001", "Authorization": f"Bearer {key}"}
    client.post("/v1/ask?secret=question", json=QUESTION, headers=given)
    (line,) = logged()
    assert line.pop("timestamp")
    assert line.pop("ms") > 0
    assert line == {
        **{"event": "request", "level": "info", "logger": "eunato_rag.http", "id": "trace-0001", "key": key.split("_")[1]},
        **{"method": "POST", "path": "/v1/ask", "status": 200},
    }


def test_questions_and_callers_are_logged_where_that_is_set(index: Path, embedder: WordEmbedder, logged: Any) -> None:
    """Under the request's id, also from the thread that answers."""
    client = TestClient(create_app(index, embedder, serving=Serving(log_questions=True, log_clients=True)))
    client.post("/v1/ask", json=QUESTION)
    question, request = logged()
    assert (question["event"], question["text"], question["id"]) == ("question", QUESTION["question"], request["id"])
    assert request["client"] == "testclient"


def test_a_line_of_the_log_cannot_be_forged(index: Path, embedder: WordEmbedder, logged: Any) -> None:
    """Line ends and escape codes of a caller's come out encoded; a long path comes out short."""
    client = TestClient(create_app(index, embedder))
    client.get("/v1/works%0A%1B[31mforged")
    client.get("/" + "x" * 5000)
    first, second = logged()
    assert first["path"] == "/v1/works%0A%1B%5B31mforged"
    assert len(second["path"]) == 200


@pytest.mark.parametrize(("form", "begins"), [("json", '{"event"'), ("text", "20"), ("auto", '{"event"')])
def test_other_libraries_log_in_the_same_form(logged: Any, form: logs.Form, begins: str) -> None:
    """The server's own lines too; JSON unless a person looks."""
    out = StringIO()
    logs.configure(form, out)
    logging.getLogger("uvicorn.error").info("Started %s", "it")
    logging.getLogger("httpcore").info("of no interest")
    logging.getLogger("uvicorn.access").info("tells the query")
    assert out.getvalue().startswith(begins)
    assert "Started it" in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1


def test_a_fault_is_logged_with_its_traceback_under_the_requests_id(index: Path, embedder: WordEmbedder, logged: Any) -> None:
    application = create_app(index, embedder)

    @application.get("/v1/broken")
    def broken(question: str) -> None:
        raise RuntimeError("the inside")

    identity = TestClient(application).get("/v1/broken?question=asked-in-confidence").json()["request_id"]
    fault, request = logged()
    assert (fault["level"], fault["id"], request["id"], request["status"]) == ("error", identity, identity, 500)
    assert fault["exception"][0]["exc_value"] == "the inside"
    assert fault["exception"][0]["frames"]
    assert "in-confidence" not in json.dumps(fault), "the values of variables are not shown"
