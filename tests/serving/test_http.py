"""The HTTP door: every route and every error, over the small corpus."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.indexing.snapshot import current_id
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.app import create_app
from tests.conftest import WordEmbedder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

QUESTION = "When was the harbour at Lindholm dredged?"


@pytest.fixture
def client(index: Path, embedder: WordEmbedder) -> Iterator[TestClient]:
    with TestClient(create_app(index, embedder), raise_server_exceptions=False) as made:
        yield made


def get(client: TestClient, path: str, status: int = 200) -> Any:
    response = client.get(path)
    assert response.status_code == status, response.text
    return response.json()


def post(client: TestClient, path: str, body: object, status: int = 200) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


def test_state_routes_name_the_snapshot(client: TestClient, index: Path) -> None:
    """Alive, ready with a snapshot, and which version of what."""
    assert get(client, "/livez") == {"status": "alive"}
    assert get(client, "/readyz") == {"status": "ready", "snapshot": current_id(index)}
    version = get(client, "/version")
    assert version["embedder"]["name"] == "words"
    assert version["snapshot"] == current_id(index)


def test_ask_gives_an_answer_in_the_contracts_shape(client: TestClient, index: Path) -> None:
    """Each quotation can be fetched again at its locator, and its note leads to its work."""
    answer = post(client, "/v1/ask", {"question": QUESTION})
    assert set(answer) >= {"question", "standalone_question", "status", "answer", "citations", "hits", "nearest", "reason", "model"}
    assert (answer["status"], answer["snapshot"]) == ("answered", current_id(index))
    citation = answer["citations"][0]
    place = citation["locator"]
    text = get(client, f"/v1/documents/{citation['document']['id']}/text?start={place['start']}&end={place['end']}")
    assert text["text"] == citation["quote"]
    span = citation["answer_span"]
    assert answer["answer"][span["start"] : span["end"]].endswith("[1].")
    assert citation["verification"] == {"status": "exact"}
    assert citation["footnotes"] == [
        {
            "number": 1,
            "text": "Port Authority, Dredging at Lindholm, 2019, https://port.example/dredging",
            "work": get(client, "/v1/works")["works"][1]["csl"],
        }
    ]
    assert citation["reference"].startswith("Lind, Harbour Report (2020), “Summary”, para. 1")
    assert citation["url"] == f"/documents/harbour-2020?start={place['start']}&end={place['end']}"
    assert [s["type"] for s in citation["selectors"]] == ["TextQuoteSelector", "TextPositionSelector"]
    assert get(client, f"/v1/passages/{citation['passage_id']}")["document"]["id"] == "harbour-2020"


def test_an_abstention_says_so_and_shows_the_nearest(client: TestClient) -> None:
    """Status, words, reason, no citations."""
    answer = post(client, "/v1/ask", {"question": "Which zebra won the quantum chess tournament?"})
    assert (answer["status"], answer["citations"]) == ("abstained", [])
    assert answer["answer"] == "The documents do not answer this question."
    assert answer["reason"]
    assert len(answer["nearest"]) == 3


def test_a_question_is_understood_after_its_history(client: TestClient) -> None:
    """What was searched for stands beside what was asked, and is highlighted; a question that stands alone is searched for as it is."""
    history = [
        {"role": "user", "content": "How deep is the harbour at Lindholm?"},
        {"role": "assistant", "content": "It is 14 metres deep [1]."},
    ]
    answer = post(client, "/v1/ask", {"question": "When was it dredged?", "history": history})
    assert (answer["question"], answer["status"]) == ("When was it dredged?", "answered")
    assert answer["standalone_question"] == "How deep is the harbour at Lindholm? When was it dredged?"
    assert "dredged in 2019" in answer["answer"]
    text = answer["hits"][0]["passage"]["text"]
    start = answer["hits"][0]["passage"]["locator"]["start"]
    assert "Lindholm" in {text[h["start"] - start : h["end"] - start] for h in answer["hits"][0]["highlights"]}
    alone = post(client, "/v1/ask", {"question": QUESTION, "history": history})
    assert alone["standalone_question"] == QUESTION
    assert alone["answer"] == post(client, "/v1/ask", {"question": QUESTION, "history": []})["answer"]


def test_search_gives_hits_with_highlights(client: TestClient) -> None:
    """A highlight is a range of the canonical text that matches the query."""
    found = post(client, "/v1/search", {"query": "dredging barge", "top_k": 2})
    assert len(found["hits"]) == 2
    hit = found["hits"][0]
    marked = [
        get(client, f"/v1/documents/{hit['document']['id']}/text?start={h['start']}&end={h['end']}")["text"] for h in hit["highlights"]
    ]
    assert {"dredging", "barge"} <= {word.lower() for word in marked}
    assert hit["passage"]["locator"]["headings"] == ["Lessons"]


def test_a_search_can_be_filtered(client: TestClient) -> None:
    """By what the record says."""
    found = post(client, "/v1/search", {"query": "harbour", "filter": {"publisher": "Museum", "issued_from": "2019"}})
    assert {hit["document"]["id"] for hit in found["hits"]} == {"harbour-2020"}


def test_documents_are_listed_page_by_page(client: TestClient) -> None:
    """A cursor leads on, and the last page has none."""
    first = get(client, "/v1/documents?limit=1")
    second = get(client, f"/v1/documents?limit=1&cursor={first['next_cursor']}")
    assert [d["title"] for d in first["documents"] + second["documents"]] == ["Harbour Report", "Orchard Notes"]
    assert second["next_cursor"] is None


def test_a_document_tells_its_outline_and_what_reading_changed(client: TestClient) -> None:
    """Outline, blocks and report cover the text."""
    document = get(client, "/v1/documents/harbour-2020")
    assert [entry["title"] for entry in document["outline"]] == ["Harbour Report", "Summary", "Lessons"]
    assert (document["authors"], document["issued"], document["publisher"]) == (["Eva Lind"], "2020-05", "Port Museum")
    assert {block["kind"] for block in document["blocks"]} >= {"heading", "paragraph", "list_item", "note"}
    assert any("notes set behind the prose" in change["detail"] for change in document["report"])
    assert document["length"] == get(client, "/v1/documents/harbour-2020/text")["end"]


def test_footnotes_lead_from_marker_to_work(client: TestClient) -> None:
    """With the sentence at the marker and the coverage of the graph."""
    notes = get(client, "/v1/documents/harbour-2020/footnotes")
    (note,) = notes["footnotes"]
    assert note["anchors"][0]["sentence"] == "The harbour at Lindholm was dredged in 2019."
    assert note["work"]["title"] == "Dredging at Lindholm"
    assert notes["coverage"]["resolved"] == notes["coverage"]["sentences"] == 1
    assert notes["coverage"]["works_present"] == notes["coverage"]["sentences_supported"] == 0


def test_works_tell_which_are_here(client: TestClient) -> None:
    """Present or missing, with the notes that cite them."""
    works = get(client, "/v1/works")["works"]
    assert [(w["id"], w["state"]) for w in works] == [("harbour-2020", "present"), ("port-2019", "missing")]
    assert works[1]["cited"][0]["note"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("get", "/v1/documents/none", None, 404, "not_found"),
        ("get", "/v1/documents/none/footnotes", None, 404, "not_found"),
        ("get", "/v1/passages/none", None, 404, "not_found"),
        ("get", "/v1/nothing", None, 404, "not_found"),
        ("get", "/page/any/secret.py", None, 404, "not_found"),
        ("delete", "/v1/search", None, 405, "method_not_allowed"),
        ("get", "/v1/documents/harbour-2020/text?start=9&end=3", None, 422, "the_request_does_not_fit"),
        ("get", "/v1/documents/harbour-2020/text?end=999999", None, 422, "the_request_does_not_fit"),
        ("get", "/v1/documents?cursor=nonsense", None, 422, "the_request_does_not_fit"),
        ("get", "/v1/documents?limit=0", None, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "  "}, 422, "invalid_question"),
        ("post", "/v1/ask", {"question": "x" * 5000}, 422, "invalid_question"),
        ("post", "/v1/ask", {"question": "x" * 1_000_000}, 413, "too_large"),
        ("post", "/v1/ask", {}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": 7}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "x", "qestion": "y"}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "x", "history": [{"role": "user", "content": "x" * 4001}]}, 422, "invalid_question"),
        ("post", "/v1/ask", {"question": "x", "history": [{"role": "user", "content": "x"}] * 51}, 422, "invalid_question"),
        ("post", "/v1/ask", {"question": "x", "history": [{"role": "system", "content": "x"}]}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "x", "history": [{"role": "user"}]}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "x", "history": "x"}, 422, "invalid_request"),
        ("post", "/v1/ask", {"question": "x", "snapshot": "current"}, 404, "not_found"),
        ("post", "/v1/search", {"query": "x", "top_k": 0}, 422, "invalid_request"),
        ("post", "/v1/search", {"query": "x", "filter": {"issued_from": "May"}}, 422, "invalid_request"),
    ],
)
def test_an_error_is_a_problem_with_a_code(client: TestClient, method: str, path: str, body: object, status: int, code: str) -> None:
    """RFC 9457, with what to branch on and the request's id."""
    response = client.request(method, path, json=body) if body is not None else client.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]


def test_invalid_fields_are_named_by_pointer(client: TestClient) -> None:
    """RFC 6901, from the root of the body."""
    problem = post(client, "/v1/search", {"query": "x", "top_k": "many", "filter": {"nope": 1}}, 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/top_k", "/filter/nope"}


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]"])
def test_a_body_that_is_no_request_is_told_so(client: TestClient, data: bytes) -> None:
    """Not a crash."""
    response = client.post("/v1/ask", content=data, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.json()["code"] in ("malformed_json", "invalid_request")


def test_a_body_without_an_announced_length_is_limited_too(client: TestClient) -> None:
    """A stream is cut off at the limit."""
    response = client.post("/v1/ask", content=(b"x" * 65536 for _ in range(40)), headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_question_in_any_script_is_answered_or_refused(client: TestClient) -> None:
    """Emoji, right-to-left text, a lone surrogate's escape, control characters: never an error of the service."""
    for question in ("هل يوجد ميناء؟", "🛥️ harbour?", "a\u0000b", "\u202eharbour", "ﬀ" * 30):
        assert post(client, "/v1/ask", {"question": question})["status"] in ("answered", "abstained")
    half = client.post("/v1/ask", content=b'{"question": "\\ud800 harbour"}', headers={"content-type": "application/json"})
    assert (half.status_code, half.json()["code"]) == (422, "invalid_question")


def test_a_published_snapshot_is_served_at_the_next_request(client: TestClient, corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Without a restart; the old one answered until then."""
    before = get(client, "/readyz")["snapshot"]
    (corpus / "mill.txt").write_text("Mill\n\nThe mill at Torp was closed in 1911.\n")
    report = reindex(corpus, index, embedder, Chunking())
    assert get(client, "/readyz")["snapshot"] == report.snapshot != before
    assert "1911" in post(client, "/v1/ask", {"question": "When was the mill at Torp closed?"})["answer"]


def test_a_damaged_new_snapshot_is_not_served(client: TestClient, corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The one at hand goes on."""
    before = get(client, "/readyz")["snapshot"]
    (corpus / "mill.txt").write_text("Mill\n\nThe mill at Torp was closed in 1911.\n")
    report = reindex(corpus, index, embedder, Chunking())
    (index / "snapshots" / report.snapshot / "vectors" / "flat.faiss").write_bytes(b"nothing")
    assert get(client, "/readyz")["snapshot"] == before
    assert post(client, "/v1/ask", {"question": QUESTION})["status"] == "answered"


def test_the_page_is_served_with_a_policy_that_lets_nothing_in(client: TestClient) -> None:
    """At the root and at a document's address; scripts and styles come from here alone."""
    for path in ("/", "/documents/harbour-2020?start=1&end=2", "/library/works", "/page/any/app.js", "/page/any/style.css"):
        response = client.get(path)
        assert response.status_code == 200
        assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_description_of_the_api_names_every_route(client: TestClient) -> None:
    """OpenAPI, with a sentence for each."""
    routes = get(client, "/openapi.json")["paths"]
    assert {"/livez", "/readyz", "/version", "/v1/search", "/v1/ask", "/v1/documents", "/v1/works"} <= set(routes)
    assert all(operation.get("description") for path in routes.values() for operation in path.values())
    assert json.dumps(routes)
