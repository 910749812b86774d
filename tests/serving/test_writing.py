"""Quotations, drafts, references and re-checking: over HTTP and in the terminal, bad input first."""

from __future__ import annotations

import json
import subprocess
import time
import warnings
from base64 import b64decode, b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest

from eunato_rag.serving.http.app import create_app
from tests.conftest import WordEmbedder
from tests.serving.test_cli import run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

DREDGED = "The harbour at Lindholm was dredged in 2019."
DRAFT = f"{DREDGED} It is 15 metres deep."


@pytest.fixture
def client(index: Path, embedder: WordEmbedder) -> Iterator[TestClient]:
    with TestClient(create_app(index, embedder), raise_server_exceptions=False) as made:
        yield made


def post(client: TestClient, path: str, body: object, status: int = 200) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
    return response.json()


REFUSED: list[tuple[str, object, int, str]] = [
    ("/v1/quotes", {}, 422, "invalid_request"),
    ("/v1/quotes", {"quote": ""}, 422, "invalid_text"),
    ("/v1/quotes", {"quote": " \n "}, 422, "invalid_text"),
    ("/v1/quotes", {"quote": "harbour"}, 422, "invalid_text"),
    ("/v1/quotes", {"quote": "harbour\u0000 master"}, 422, "invalid_text"),
    ("/v1/quotes", {"quote": "of the " * 30_000}, 422, "invalid_text"),
    ("/v1/quotes", {"quote": "x" * 300_000}, 413, "the_request_is_too_large"),
    ("/v1/drafts", {"text": ""}, 422, "invalid_text"),
    ("/v1/drafts", {"text": "\u0000\u0001\u0002"}, 422, "invalid_text"),
    ("/v1/drafts", {"text": "a " * 600_000}, 422, "invalid_text"),
    ("/v1/drafts", {"text": "Words.", "format": "odt"}, 422, "invalid_request"),
    ("/v1/drafts", {"text": "no base64!", "format": "docx"}, 422, "invalid_text"),
    ("/v1/drafts", {"text": b64encode(b"no package").decode(), "format": "docx"}, 422, "invalid_text"),
    ("/v1/verify", {}, 422, "invalid_text"),
    ("/v1/verify", [1, 2], 422, "invalid_text"),
    ("/v1/references", {"ids": []}, 422, "invalid_text"),
    ("/v1/references", {"ids": ["nobody-1900"]}, 404, "not_found"),
    ("/v1/references", {"ids": ["harbour-2020"], "style": "mla"}, 422, "unknown_style"),
    ("/v1/references", {"places": [{"document_id": "harbour-2020", "start": 5, "end": 9_999_999}]}, 422, "invalid_text"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), REFUSED)
def test_what_cannot_be_read_is_a_problem_and_quick(client: TestClient, path: str, body: object, status: int, code: str) -> None:
    """A problem object that names the fault; nothing takes long."""
    began = time.perf_counter()
    problem = post(client, path, body, status)
    assert problem["code"] == ("too_large" if status == 413 else code)
    assert len(problem["detail"]) > 20
    assert time.perf_counter() - began < 5


def test_a_quotation_is_found_with_all_that_a_note_needs(client: TestClient) -> None:
    """Status, place, reference, selectors, the note that stands there; the slice is the quotation."""
    found = post(client, "/v1/quotes", {"quote": f"“{DREDGED}”"})
    assert (found["status"], found["stitched"], found["reason"]) == ("exact", False, None)
    (match,) = found["matches"]
    place = match["locator"]
    text = client.get(f"/v1/documents/harbour-2020/text?start={place['start']}&end={place['end']}").json()
    assert text["text"] == match["quote"] == DREDGED
    assert match["reference"] == "Lind, Harbour Report (2020), “Summary”, para. 1"
    assert [selector["type"] for selector in match["selectors"]] == ["TextQuoteSelector", "TextPositionSelector"]
    assert [note["number"] for note in match["footnotes"]] == [1]
    assert match["url"] == f"/documents/harbour-2020?start={place['start']}&end={place['end']}"
    assert len(match["document"]["sha256"]) == 64


def test_a_changed_number_is_named_on_both_sides(client: TestClient) -> None:
    """With the ranges of both texts."""
    yours = DREDGED.replace("2019", "2021")
    found = post(client, "/v1/quotes", {"quote": yours})
    (edit,) = found["matches"][0]["edits"]
    assert (found["status"], edit["kind"], edit["yours"], edit["source"]) == ("altered", "date", "2021", "2019")
    assert yours[edit["yours_span"]["start"] : edit["yours_span"]["end"]] == "2021"


def test_a_filter_confines_the_search_for_a_quotation(client: TestClient) -> None:
    """It stands in the harbour report, not in the orchard notes."""
    (orchard,) = [d["id"] for d in client.get("/v1/documents").json()["documents"] if d["id"] != "harbour-2020"]
    found = post(client, "/v1/quotes", {"quote": DREDGED, "filter": {"document_id": orchard}})
    assert (found["status"], found["matches"]) == ("absent", [])


def test_a_draft_comes_back_with_labels_notes_and_bibliography(client: TestClient) -> None:
    """Every evidence is a citation with its note's number; the counts add up."""
    draft = post(client, "/v1/drafts", {"text": DRAFT, "format": "text"})
    assert [s["label"] for s in draft["sentences"]] == ["supported", "contradicted"]
    assert draft["counts"] == {"supported": 1, "contradicted": 1, "not_found": 0, "left_alone": 0}
    assert draft["annotated"].startswith(f"{DREDGED}[1] It is 15 metres deep.[2]")
    assert [c["number"] for s in draft["sentences"] for c in s["evidence"]] == [1, 2]
    assert [work["id"] for work in draft["bibliography"]] == ["harbour-2020"]
    for sentence in draft["sentences"]:
        assert DRAFT[sentence["start"] : sentence["end"]] == sentence["text"]


def test_a_docx_draft_comes_back_as_docx(client: TestClient) -> None:
    """In base64 both ways; python-docx opens it and reads the same words."""
    written = docx.Document()
    written.add_paragraph(DRAFT)
    file = BytesIO()
    written.save(file)
    draft = post(client, "/v1/drafts", {"text": b64encode(file.getvalue()).decode(), "format": "docx"})
    again = docx.Document(BytesIO(b64decode(draft["annotated"])))
    assert again.paragraphs[0].text == DRAFT
    assert any("Harbour Report" in paragraph.text for paragraph in again.paragraphs)


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/quotes", "/v1/drafts"])
def test_what_the_service_gave_can_be_verified(client: TestClient, path: str) -> None:
    """An answer, a quotation, a draft: all citations unchanged."""
    body: dict[str, object] = {"question": "When was the harbour at Lindholm dredged?"} if path == "/v1/ask" else {}
    body |= {"quote": DREDGED} if path == "/v1/quotes" else {"text": DRAFT} if path == "/v1/drafts" else {}
    verified = post(client, "/v1/verify", post(client, path, body))
    assert verified["holds"] is True
    assert {c["status"] for c in verified["citations"]} == {"unchanged"}
    assert verified["counts"]["unchanged"] == len(verified["citations"]) > 0


def test_a_forged_quotation_does_not_hold(client: TestClient) -> None:
    """A number changed in the saved answer is told with its pointer."""
    answer = post(client, "/v1/ask", {"question": "When was the harbour at Lindholm dredged?"})
    answer["citations"][0]["quote"] = answer["citations"][0]["quote"].replace("2019", "2018")
    verified = post(client, "/v1/verify", answer)
    assert verified["holds"] is False
    (citation,) = [c for c in verified["citations"] if c["status"] != "unchanged"]
    assert (citation["pointer"], citation["status"]) == ("/citations/0", "altered")
    assert citation["found"]["edits"][0]["source"] == "2019"


def test_references_in_every_style_name_the_place(client: TestClient) -> None:
    """For a passage, the note or brackets have section and paragraph; a work that is not here can be cited, too."""
    passage = post(client, "/v1/search", {"query": "Port Authority dredging port.example"})["hits"][0]["passage"]["id"]
    for style in ("csl-json", "bibtex", "ris", "apa", "chicago"):
        made = post(client, "/v1/references", {"ids": [passage, "port-2019"], "style": style})
        assert [r["id"] for r in made["references"]] == [passage, "port-2019"]
        assert [r["document_id"] for r in made["references"]] == ["harbour-2020", None]
        assert all("Harbour" in text for text in (made["references"][0]["reference"], made["text"]))
        assert made["references"][0]["pinpoint"] == "“Summary”, para. 1, n. 1"
    place = {"document_id": "harbour-2020", "start": 30, "end": 40}
    chicago = post(client, "/v1/references", {"places": [place]})
    assert chicago["references"][0]["citation"].endswith("under “Summary,” para. 1.")


def terminal(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run(*arguments, cwd=desk)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_in_the_terminal(desk: Path) -> None:
    """Quote, check, cite, verify: what is printed, and the exit codes that scripts branch on."""
    assert terminal(desk, "reindex").returncode == 0
    exact = terminal(desk, "quote", DREDGED)
    assert (exact.returncode, exact.stdout.splitlines()[0]) == (0, "exact")
    altered = terminal(desk, "quote", DREDGED.replace("2019", "2020"), "--json")
    assert (altered.returncode, json.loads(altered.stdout)["status"]) == (1, "altered")

    (desk / "draft.md").write_text(DRAFT, "utf-8")
    checked = terminal(desk, "check", "draft.md", "--output", "checked.md")
    assert checked.returncode == 1
    assert "CONTRADICTED It is 15 metres deep." in checked.stdout
    assert (desk / "checked.md").read_text("utf-8").startswith(f"{DREDGED}[^1] It is 15 metres deep.[^2]")
    assert (desk / "draft.md").read_text("utf-8") == DRAFT
    itself = terminal(desk, "check", "draft.md", "--output", "draft.md")
    assert (itself.returncode, "never overwritten" in itself.stderr) == (2, True)
    missing = terminal(desk, "check", "nothing.md")
    assert (missing.returncode, "nothing.md cannot be read" in missing.stderr) == (2, True)

    match = json.loads(altered.stdout)["matches"][0]
    cited = terminal(desk, "cite", match["document"]["id"], "--style", "bibtex")
    assert cited.stdout.startswith("@")
    placed = terminal(desk, "cite", match["passage_id"])
    assert "para. 1" in placed.stdout.splitlines()[0]
    unknown = terminal(desk, "cite", match["passage_id"], "--style", "mla")
    assert (unknown.returncode, "bibtex" in unknown.stderr) == (2, True)

    (desk / "answers").mkdir()
    (desk / "answers" / "one.json").write_text(terminal(desk, "ask", "When was the harbour dredged?", "--json").stdout, "utf-8")
    held = terminal(desk, "verify", "answers")
    assert (held.returncode, held.stdout.startswith("ok")) == (0, True)
    report = desk / "corpus" / "harbour.txt"
    report.write_text(report.read_text("utf-8").replace("2019", "2018"), "utf-8")
    assert terminal(desk, "reindex").returncode == 0
    fallen = terminal(desk, "verify", "answers")
    assert (fallen.returncode, "'2019' was cited, '2018' stands there now" in fallen.stdout) == (1, True)
