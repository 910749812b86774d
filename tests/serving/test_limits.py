"""What one caller and one request may take: rates, bodies, time, and how much is computed at once. Over real connections where it shows."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from eunato_rag.serving import assembly
from eunato_rag.serving.http.access import Access
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.draining import CONNECTIONS, Draining
from eunato_rag.serving.http.frame import Frame
from eunato_rag.serving.http.limits import COMPUTED, WAITED_FOR, BodyLimit, Work
from eunato_rag.serving.http.metrics import Metrics
from eunato_rag.serving.http.rates import Rates
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.keys import KeyStore
from eunato_rag.settings import load_settings
from tests.conftest import WordEmbedder
from tests.serving.running import running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

ASKED = {"query": "harbour"}
RATES = {"general": "3/minute", "costly": "2/minute", "admin": "1/minute"}


@contextmanager
def connected(application: Any, proxies: str = "") -> Iterator[http.client.HTTPConnection]:
    with running(application, proxies) as (host, port), closing(http.client.HTTPConnection(host, port, timeout=20)) as connection:
        yield connection


def limited(index: Path, embedder: WordEmbedder, rates: Rates, keys: KeyStore | None = None) -> FastAPI:
    access = Access(keys, "auto" if keys is None else "always")
    return create_app(index, embedder, serving=Serving(corpus=index.parent / "corpus", rates=rates, access=access))


def test_a_caller_over_the_rate_is_told_when_to_go_on(index: Path, embedder: WordEmbedder) -> None:
    """429 as a problem, with Retry-After and what is left at each step."""
    client = TestClient(limited(index, embedder, Rates(RATES, owner_is_free=False)))
    left = [client.get("/v1/works").headers["ratelimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=2", "r=1", "r=0"]
    refused = client.get("/v1/works")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"] == '"general";q=3;w=60'
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.get("/livez").status_code == client.get("/").status_code == 200, "probes and the page are not counted"


def test_kinds_of_requests_are_counted_apart(index: Path, embedder: WordEmbedder) -> None:
    """What costs much, and what an operator does, has its own rate."""
    client = TestClient(limited(index, embedder, Rates(RATES, owner_is_free=False)))
    question = {"question": "When was the harbour dredged?"}
    assert [client.post("/v1/ask", json=question).status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/v1/jobs").status_code for _ in range(2)] == [200, 429]
    assert client.get("/v1/works").status_code == 200


def test_each_key_has_its_own_rate_and_so_have_those_without(index: Path, embedder: WordEmbedder, tmp_path: Path) -> None:
    """Guessing keys is limited by address."""
    store = KeyStore(tmp_path / "keys.json")
    client = TestClient(limited(index, embedder, Rates(RATES), store))
    one, two = ({"Authorization": f"Bearer {store.add(name)}"} for name in ("one", "two"))
    assert [client.get("/v1/works", headers=one).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/v1/works", headers=two).status_code == 200
    wrong = [client.get("/v1/works", headers={"Authorization": f"Bearer eunato_{n}"}).status_code for n in range(5)]
    assert wrong == [401, 401, 401, 429, 429]


def test_the_owner_of_an_open_service_is_not_counted(index: Path, embedder: WordEmbedder) -> None:
    """Unless a rate is set."""
    client = TestClient(limited(index, embedder, Rates(RATES)))
    assert {client.get("/v1/works").status_code for _ in range(9)} == {200}
    assert "ratelimit" not in client.get("/v1/works").headers


def test_a_request_that_is_refused_does_not_count() -> None:
    """Else a caller who goes on asking would wait for ever. The window moves."""
    times = (0.0, 20.0, 40.0, 50.0, 59.9, 60.1, 70.0, 80.5)
    rates = Rates({"general": "2/minute", "costly": "2/minute", "admin": "2/minute"}, clock=iter(times).__next__)
    verdicts = [rates.count("general", "", "192.0.2.1") for _ in times]
    assert [verdict.allowed for verdict in verdicts] == [True, True, False, False, False, True, False, True]
    assert [verdict.wait_s for verdict in verdicts] == [60, 40, 20, 10, 1, 20, 10, 40]
    assert verdicts[3].headers == {
        "RateLimit-Policy": '"general";q=2;w=60',
        "RateLimit": '"general";r=0;t=10',
        "Retry-After": "10",
    }


def test_callers_that_are_gone_are_forgotten() -> None:
    """Of twenty thousand addresses nothing is left a minute later."""
    now = 0.0
    rates = Rates({"general": "9/minute", "costly": "9/minute", "admin": "9/minute"}, clock=lambda: now)
    tracemalloc.start()
    for number in range(20_000):
        now = number / 10_000
        rates.count("general", "", f"caller {number}")
    full, _ = tracemalloc.get_traced_memory()
    now = 100.0
    rates.count("general", "", "caller 7")
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < full / 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1%eth0", "2001:db8::1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("unix", "unix", True),
    ],
)
def test_who_has_a_network_has_one_rate(one: str, other: str, same: bool) -> None:
    """Whoever has one IPv6 address has 2^64 of them."""
    rates = Rates({"general": "1/minute", "costly": "1/minute", "admin": "1/minute"})
    assert rates.count("general", "", one).allowed
    assert rates.count("general", "", other).allowed is not same


@pytest.mark.parametrize(("proxies", "statuses"), [("", [200, 429]), ("127.0.0.1", [200, 200]), ("10.0.0.0/8", [200, 429])])
def test_a_callers_address_is_believed_only_of_a_trusted_proxy(
    index: Path, embedder: WordEmbedder, proxies: str, statuses: list[int]
) -> None:
    """Else anybody would have as many addresses as they can write."""
    one = Rates({"general": "1/minute", "costly": "1/minute", "admin": "1/minute"}, owner_is_free=False)
    application = create_app(index, embedder, serving=Serving(rates=one, access=Access(demand="never")))
    with connected(application, proxies) as connection:
        found = []
        for address in ("198.51.100.1", "198.51.100.2"):
            connection.request("GET", "/v1/works", headers={"X-Forwarded-For": address})
            response = connection.getresponse()
            response.read()
            found.append(response.status)
    assert found == statuses


def test_a_body_is_passed_on_as_it_comes_and_held_nowhere() -> None:
    """The application has the first part while the rest is still to come."""
    heard: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            heard.append(len(message.get("body", b"")))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with running(BodyLimit(app)) as (host, port), socket.create_connection((host, port), timeout=10) as line:  # type: ignore[arg-type]
        line.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
        deadline = time.monotonic() + 5
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard == [3]
        line.sendall(b"def")
        assert line.recv(100).startswith(b"HTTP/1.1 204")
    assert sum(heard) == 6


@pytest.mark.parametrize("announced", ["262145", "99999999999999999999", "-1", "1e3", "٣"])
def test_a_length_over_the_limit_or_none_at_all_is_refused_unread(index: Path, embedder: WordEmbedder, announced: str) -> None:
    """By what is announced; the server itself refuses some that are no numbers."""
    head = f"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n"
    with running(create_app(index, embedder)) as (host, port), socket.create_connection((host, port), timeout=10) as line:
        line.sendall(head.encode())
        assert line.recv(100).split()[1] in (b"413", b"400")


@pytest.mark.parametrize(("path", "code"), [("/v1/search", "too_large"), ("/v1/drafts", "malformed_json")])
def test_a_body_that_is_only_sent_is_counted(index: Path, embedder: WordEmbedder, path: str, code: str) -> None:
    """In chunks, without a length; a path that takes files takes more."""
    with connected(create_app(index, embedder)) as connection:
        chunks = (b"x" * 10_000 for _ in range(30))
        connection.request("POST", path, chunks, {"Content-Type": "application/json"}, encode_chunked=True)
        assert json.loads(connection.getresponse().read())["code"] == code


def test_who_sends_far_too_much_hears_why(index: Path, embedder: WordEmbedder) -> None:
    """Though it sends all of it before it listens, as most clients do; and can go on."""
    with connected(create_app(index, embedder)) as connection:
        for _ in range(2):
            connection.request("POST", "/v1/search", b"x" * 20_000_000, {"Content-Type": "application/json"})
            response = connection.getresponse()
            assert (response.status, json.loads(response.read())["code"]) == (413, "too_large")
        connection.request("POST", "/v1/search", json.dumps(ASKED), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    """408, after the grace; what the application says then is not heard."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    with running(BodyLimit(app, grace_s=0.3)) as (host, port), socket.create_connection((host, port), timeout=10) as line:  # type: ignore[arg-type]
        line.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab")
        answer = line.recv(4000)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"too_slow"' in answer + line.recv(4000)


@contextmanager
def busy(index: Path, embedder: WordEmbedder, work: Work) -> Iterator[tuple[tuple[str, int], threading.Event, list[int]]]:
    """A server with a route that computes until it is let go, and how many compute now and at most."""
    application = create_app(index, embedder, serving=Serving(work=work))
    go, lock, now = threading.Event(), threading.Lock(), [0, 0]

    @application.post("/v1/compute")
    def compute() -> dict[str, bool]:
        with lock:
            now[0] += 1
            now[1] = max(now)
        go.wait(20)
        with lock:
            now[0] -= 1
        return {"done": True}

    with running(application) as address:
        try:
            yield address, go, now
        finally:
            go.set()


def compute(address: tuple[str, int]) -> tuple[int, dict[str, Any], str | None]:
    with closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
        connection.request("POST", "/v1/compute")
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers["retry-after"]


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_more_is_computed_at_once_than_may_be(index: Path, embedder: WordEmbedder) -> None:
    """Two compute, two wait, the rest is told at once to come again; probes and the page answer meanwhile."""
    with busy(index, embedder, Work(at_a_time=2, queue=2)) as (address, go, now), ThreadPoolExecutor(4) as pool:
        first = [pool.submit(compute, address) for _ in range(2)]
        until(lambda: now[0] == 2)
        second = [pool.submit(compute, address) for _ in range(2)]
        time.sleep(0.3)
        began = time.monotonic()
        status, problem, retry = compute(address)
        assert (status, problem["code"], retry) == (503, "overloaded", "5")
        assert time.monotonic() - began < 2
        with closing(http.client.HTTPConnection(*address, timeout=5)) as connection:
            for path in ("/livez", "/", "/metrics"):
                connection.request("GET", path)
                response = connection.getresponse()
                response.read()
                assert response.status == 200
        go.set()
        assert [future.result()[0] for future in first + second] == [200] * 4
    assert now == [0, 2]


def test_who_comes_to_a_crowded_service_is_told_to_come_again(index: Path, embedder: WordEmbedder) -> None:
    """More connections than there may be: a problem with Retry-After, heard though the body comes after the head; probes answer."""
    draining = Draining()
    application = create_app(index, embedder, draining=draining)
    with running(application) as (host, port):
        draining.connections = lambda: CONNECTIONS + 1
        body = json.dumps(ASKED).encode()
        head = b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        with socket.create_connection((host, port), timeout=10) as line:
            line.sendall(head)
            time.sleep(0.2)
            line.sendall(body)
            answer = b"".join(iter(lambda: line.recv(4000), b""))  # to the end, which is the server's
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 5" in answer.lower()
        assert b'"overloaded"' in answer
        with closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200


def test_where_a_language_model_is_waited_for_more_is_done_at_a_time() -> None:
    """Unless a setting says how much."""
    with_model = {"generation": {"base_url": "http://127.0.0.1:1/v1", "model": "m"}}
    for settings, places in (({}, COMPUTED), (with_model, WAITED_FOR), ({**with_model, "serving": {"at_a_time": 3}}, 3)):
        assert assembly.serving(load_settings(**settings), "127.0.0.1").work.at_a_time == places


def test_nobody_waits_for_ever(index: Path, embedder: WordEmbedder) -> None:
    """Who has waited long enough is told to come again."""
    with busy(index, embedder, Work(at_a_time=1, queue=5, queue_s=0.3)) as (address, go, now), ThreadPoolExecutor(1) as pool:
        first = pool.submit(compute, address)
        until(lambda: now[0] == 1)
        assert compute(address)[0] == 503
        go.set()
        assert first.result()[0] == 200
        assert compute(address)[0] == 200, "the place is free again"


def test_an_answer_that_takes_too_long_is_given_up_and_its_place_kept(index: Path, embedder: WordEmbedder) -> None:
    """504 in time. A thread cannot be ended, so until it is done nobody else takes its place; then somebody does."""
    with busy(index, embedder, Work(at_a_time=1, queue=0, answer_s=0.4)) as (address, go, now):
        began = time.monotonic()
        status, problem, _ = compute(address)
        assert (status, problem["code"]) == (504, "took_too_long")
        assert time.monotonic() - began < 3
        assert now[0] == 1
        assert compute(address)[0] == 503
        go.set()
        until(lambda: now[0] == 0)
        until(lambda: compute(address)[0] == 200)


def test_a_slow_upload_takes_no_place(index: Path, embedder: WordEmbedder) -> None:
    """It is computed only once its body is complete."""
    application = create_app(index, embedder, serving=Serving(work=Work(at_a_time=1, queue=0)))
    with running(application) as (host, port), socket.create_connection((host, port), timeout=10) as line:
        line.sendall(b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
        time.sleep(0.2)
        with closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
            connection.request("POST", "/v1/search", json.dumps(ASKED), {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            assert response.status == 200


def test_who_stops_reading_is_left() -> None:
    """An answer that nobody takes holds no memory for ever."""
    ended = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 2**20, "more_body": True})
        finally:
            ended.set()

    metrics = Metrics()
    with running(Frame(app, metrics, stalled_s=0.3)) as (host, port), socket.create_connection((host, port), timeout=10) as line:  # type: ignore[arg-type]
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(10)
    assert b"eunato_requests_in_progress 0.0" in metrics.shown()


@pytest.mark.parametrize("body", ["[" * 100_000, "9" * 100_000, '{"query": ' * 5_000, '"\\ud800"', "NaN", '{"query": 1e999}'])
def test_json_that_is_made_to_hurt_is_refused(index: Path, embedder: WordEmbedder, body: str) -> None:
    """Deep, long, half a character, no number: 400 or 422, never a fault."""
    client = TestClient(create_app(index, embedder))
    response = client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


def test_who_hangs_up_leaves_the_place(index: Path, embedder: WordEmbedder) -> None:
    """In the middle of a body, or of a stream: not one place is lost."""
    application = create_app(index, embedder, serving=Serving(work=Work(at_a_time=1, queue=0)))
    body = json.dumps({"question": "When was the harbour dredged?"}).encode()
    with running(application) as (host, port):
        for accept, sent in ((b"application/json", body[:5]), (b"text/event-stream", body), (b"application/json", body)) * 3:
            with socket.create_connection((host, port), timeout=10) as line:
                head = b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nAccept: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                line.sendall(head % (accept, len(body)) + sent)
                time.sleep(0.05)

        def answered() -> bool:
            with closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
                connection.request("POST", "/v1/search", json.dumps(ASKED), {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                return response.status == 200

        until(answered)
