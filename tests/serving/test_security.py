"""What browsers are told, which web pages are kept out, and what need not be sent again."""

from __future__ import annotations

import http.client
import json
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.caching import is_known
from eunato_rag.serving.http.security import HEADERS, allowed_hosts
from eunato_rag.serving.http.serving import Serving
from tests.conftest import WordEmbedder
from tests.serving.running import running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

ASKED = {"query": "harbour"}
LOCAL = Serving(hosts=allowed_hosts("127.0.0.1", "https://rag.example", ["lab"]), public_url="https://rag.example")
OTHERS = ("https://one.example",)


@pytest.fixture
def client(index: Path, embedder: WordEmbedder) -> TestClient:
    return TestClient(create_app(index, embedder, serving=LOCAL), base_url="http://127.0.0.1:8000")


def test_every_answer_carries_the_headers(client: TestClient) -> None:
    """Page, JSON, not found, refused; and nothing that names the server. HSTS only behind https."""
    for path, status in (("/", 200), ("/livez", 200), ("/v1/works", 200), ("/nothing", 404), ("/v1/ask", 405), ("/metrics", 200)):
        response = client.get(path)
        assert response.status_code == status
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
        assert "strict-transport-security" not in response.headers
        assert "server" not in response.headers
    secure = TestClient(client.app, base_url="https://rag.example").get("/livez")
    assert secure.headers["strict-transport-security"] == "max-age=31536000"


def test_a_fault_inside_is_a_problem_with_the_headers_and_tells_nothing(client: TestClient) -> None:
    """The id leads to the log; a traceback, a path or the error's words do not get out."""
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("the inside")

    response = client.get("/v1/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "the inside" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_a_stream_that_breaks_is_broken_off(index: Path, embedder: WordEmbedder) -> None:
    """A caller can tell that what it has is not whole."""
    app = create_app(index, embedder)

    @app.get("/v1/breaks")
    def breaks() -> StreamingResponse:
        def parts():  # type: ignore[no-untyped-def]
            yield b"part"
            raise RuntimeError

        return StreamingResponse(parts())

    with running(app) as (host, port), closing(http.client.HTTPConnection(host, port, timeout=10)) as connection:
        connection.request("GET", "/v1/breaks")
        with connection.getresponse() as response, pytest.raises(http.client.IncompleteRead):
            response.read()


@pytest.mark.parametrize("given", ["abcdefgh-1234", "a" * 128])
def test_a_well_formed_request_id_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/livez", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 129, "with space in it", "<script>alert(1)</script>", "-begins-with-dash", "line\tbreak"]
)
def test_another_request_id_is_made_anew(client: TestClient, given: str) -> None:
    """What is logged and echoed has a form."""
    made = client.get("/livez", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert made != given
    assert len(made) == 32


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:9", "[::1]:8000", "rag.example", "lab:8000"])
def test_loopback_is_asked_for_by_its_names(client: TestClient, host: str) -> None:
    assert client.get("/version", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.example", "0.0.0.0"]
)
def test_a_name_that_was_bent_to_loopback_is_refused(client: TestClient, host: str) -> None:
    """DNS rebinding: the browser believes to speak with that site, and says so in Host."""
    response = client.get("/v1/works", headers={"Host": host})
    assert (response.status_code, response.json()["code"]) == (421, "unknown_host")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://one.example.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    """Whatever it sends, and whichever browser says so."""
    for path in ("/v1/search", "/v1/jobs", "/v1/documents", "/mcp"):
        response = client.post(path, json=ASKED, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "cross_site")
    assert client.delete("/v1/documents/harbour-2020", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://rag.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_its_own_page_and_programs_are_heard(client: TestClient, headers: dict[str, str]) -> None:
    """At the address asked for, or the public one where a proxy bends the Host."""
    assert client.post("/v1/search", json=ASKED, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"]
)
def test_json_is_taken_as_json_alone(client: TestClient, kind: str) -> None:
    """A form of any site can send the other types, without asking."""
    response = client.post("/v1/search", content=json.dumps(ASKED), headers={"Content-Type": kind})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_content_type")


def test_other_sites_may_call_only_where_they_are_named(index: Path, embedder: WordEmbedder) -> None:
    """Without a setting no answer names an origin, and a preflight is no route; with one, that origin alone, and no credentials."""
    closed = TestClient(create_app(index, embedder))
    asks = {"Origin": OTHERS[0], "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    assert closed.options("/v1/ask", headers=asks).status_code == 405
    assert "access-control-allow-origin" not in closed.get("/livez", headers={"Origin": OTHERS[0]}).headers
    welcome = TestClient(create_app(index, embedder, serving=Serving(origins=OTHERS)))
    allowed = welcome.options("/v1/ask", headers=asks)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == OTHERS[0]
    assert "access-control-allow-credentials" not in allowed.headers
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    answer = welcome.post("/v1/search", json=ASKED, headers={"Origin": OTHERS[0]})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, OTHERS[0])
    assert "ETag" in answer.headers["access-control-expose-headers"]
    other = welcome.options("/v1/ask", headers={**asks, "Origin": "https://evil.example"})
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert welcome.post("/v1/search", json=ASKED, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/v1/ask", "POST"), ("/v1/documents", "GET, HEAD"), ("/livez", "GET, HEAD"), ("/mcp", "POST")],
)
def test_a_method_that_is_not_taken_is_told_which_are(client: TestClient, path: str, allow: str) -> None:
    response = client.put(path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.headers["content-type"] == "application/problem+json"


def test_a_head_is_a_get_without_its_body(index: Path, embedder: WordEmbedder) -> None:
    """Over a real connection, which the next request can use; the headers are those of the GET."""
    with (
        running(create_app(index, embedder)) as (host, port),
        closing(http.client.HTTPConnection(host, port, timeout=10)) as connection,
    ):
        for path in ("/v1/documents", "/", "/livez", "/nothing"):
            connection.request("GET", path)
            whole = connection.getresponse()
            body = whole.read()
            connection.request("HEAD", path)
            head = connection.getresponse()
            assert head.read() == b""
            assert head.status == whole.status
            assert head.headers["content-length"] == whole.headers["content-length"] == str(len(body))
            assert set(head.headers) == set(whole.headers)


@pytest.mark.parametrize(
    "path",
    ["/v1/documents", "/v1/documents/harbour-2020", "/v1/documents/harbour-2020/text", "/v1/documents/harbour-2020/footnotes", "/v1/works"],
)
def test_what_a_caller_has_is_not_sent_again(client: TestClient, path: str) -> None:
    """By the snapshot's tag, in any of the forms of If-None-Match; another tag gets the whole."""
    whole = client.get(path)
    tag = whole.headers["etag"]
    assert whole.json()["snapshot"] in tag if "snapshot" in whole.json() else tag
    for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "no-cache"
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_files_are_not_sent_again_either(index: Path, corpus: Path, embedder: WordEmbedder) -> None:
    """The page, and an original."""
    client = TestClient(create_app(index, embedder, serving=Serving(corpus=corpus)))
    for path in ("/", "/v1/documents/harbour-2020/file"):
        whole = client.get(path)
        assert whole.status_code == 200
        again = client.get(path, headers={"If-None-Match": whole.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("current", "given", "known"), [("", "*", False), ('"a"', "", False), ('"a"', '"b"', False), ('"a"', 'W/"a"', True)]
)
def test_a_tag_is_compared_weakly(current: str, given: str, known: bool) -> None:
    assert is_known(current, given) is known


def test_answers_are_compressed_and_streams_are_not(index: Path, embedder: WordEmbedder) -> None:
    """Only for those who take it; an event arrives when it is told, not when a block is full."""
    with TestClient(create_app(index, embedder)) as client:
        packed = client.get("/v1/documents/harbour-2020", headers={"Accept-Encoding": "gzip"})
        assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
        plain = client.get("/v1/documents/harbour-2020", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.json() == packed.json()
        assert int(packed.headers["content-length"]) < len(plain.content) / 2
        stream = client.post(
            "/v1/ask",
            json={"question": "When was the harbour dredged?"},
            headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"},
        )
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
