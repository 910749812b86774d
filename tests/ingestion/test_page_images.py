"""Pages of PDFs, drawn with their words marked; over HTTP too, and only of files that are what was indexed."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.page_images import WIDTH, Mark, draw_page, found, letters
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from tests.conftest import WordEmbedder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client warns of its own choice of HTTP library
    from fastapi.testclient import TestClient

LINES = (
    "The harbour at Lindholm was dredged in 2019.",
    "It is 14 metres deep, and ships call there.",
    "The works cost 3.2 million crowns.",
)
"""One below the other, from the top."""
TOP = 500
"""On a page that is turned the paper is only as high as it was wide."""


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.pdf"
    canvas = Canvas(str(path), pagesize=A4)
    for turn in (0, 90):
        canvas.setPageRotation(turn)
        canvas.setFont("Helvetica", 14)
        for n, line in enumerate(LINES):
            canvas.drawString(72, TOP - 150 * n, line)
        canvas.showPage()
    canvas.save()
    return path


def coloured(png: bytes) -> list[tuple[int, int]]:
    """The pixels that are marked."""
    red, green, blue = np.asarray(Image.open(BytesIO(png)).convert("RGB")).transpose(2, 0, 1)
    rows, columns = np.nonzero((red > 240) & (green > 200) & (blue < 140))
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def test_a_page_is_drawn_as_wide_as_a_screen_wants_it(pdf: Path) -> None:
    """Nothing is marked where nothing is asked for."""
    png = draw_page(pdf, 1)
    assert Image.open(BytesIO(png)).width == pytest.approx(WIDTH, abs=2)
    assert coloured(png) == []


@pytest.mark.parametrize("line", range(3))
def test_the_words_are_marked_where_they_stand(pdf: Path, line: int) -> None:
    """One line of three, and nothing of the others."""
    png = draw_page(pdf, 1, Mark(LINES[line]))
    height = Image.open(BytesIO(png)).height
    rows = {y for _, y in coloured(png)}
    middle = (842 - TOP + 150 * line - 5) / 842 * height
    assert min(rows) < middle < max(rows)
    assert max(rows) - min(rows) < 0.04 * height


def test_on_a_page_that_lies_on_its_side_too(pdf: Path) -> None:
    """The picture is turned, and the mark with it."""
    marked = coloured(draw_page(pdf, 2, Mark(LINES[0])))
    columns = {x for x, _ in marked}
    rows = {y for _, y in marked}
    assert max(rows) - min(rows) > 4 * (max(columns) - min(columns))


def test_words_that_the_page_has_not_leave_it_unmarked(pdf: Path) -> None:
    """Better no mark than a wrong one."""
    assert coloured(draw_page(pdf, 1, Mark("Codling moth was seen in 2021, and the trees were banded with paper."))) == []
    assert coloured(draw_page(pdf, 1, Mark("—"))) == []


def test_lifted_markers_and_hyphens_do_not_hide_the_words() -> None:
    """The page has a note's number in the middle, the canonical text has not."""
    page = letters("the harbour at Lind-\nholm was dredged12 in 2019 and is deep")
    wanted = Mark("The harbour at Lindholm was dredged in 2019")
    places = found(page, wanted)
    assert "".join(page[n] for n in places) == letters(wanted.words)


def test_of_words_that_stand_twice_those_at_the_place_are_marked() -> None:
    """By how much of the page stands before them."""
    page = letters("total 12. other words. total 12.")
    assert found(page, Mark("Total 12", 0))[0] == 0
    assert found(page, Mark("Total 12", 17))[0] == page.rindex("total")


def test_what_cannot_be_drawn_is_an_error(pdf: Path, tmp_path: Path) -> None:
    """No such page; no PDF at all."""
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    for path, number in ((pdf, 9), (tmp_path / "broken.pdf", 1)):
        with pytest.raises(UnreadableDocument, match="cannot be drawn"):
            draw_page(path, number)


def test_over_http_the_page_and_the_file_of_what_was_indexed(tmp_path: Path, pdf: Path) -> None:
    """With a range its words are marked; a file that changed since is not given out as the original."""
    corpus, index, embedder = tmp_path / "corpus", tmp_path / "index", WordEmbedder()
    corpus.mkdir()
    pdf.rename(corpus / "harbour.pdf")
    (corpus / "notes.html").write_text("<html><body><p>The pilots know the channel well.</p></body></html>", "utf-8")
    reindex(corpus, index, embedder, Chunking())
    with TestClient(create_app(index, embedder, serving=Serving(corpus=corpus))) as client:
        ids = {d["source"]: d["id"] for d in client.get("/v1/documents").json()["documents"]}
        base = f"/v1/documents/{ids['harbour.pdf']}"
        text = client.get(f"{base}/text").json()["text"]
        start = text.index(LINES[1])
        drawn = client.get(f"{base}/pages/1.png?start={start}&end={start + len(LINES[1])}")
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")
        assert coloured(drawn.content)
        assert coloured(client.get(f"{base}/pages/2.png?start={start}&end={start + 5}").content) == []
        assert client.get(f"{base}/pages/3.png").status_code == 404
        page = client.get(f"/v1/documents/{ids['notes.html']}/file")
        assert page.headers["content-disposition"].startswith("attachment")
        assert client.get(f"{base}/file").content == (corpus / "harbour.pdf").read_bytes()
        (corpus / "harbour.pdf").write_bytes(b"%PDF-1.7 another")
        assert client.get(f"{base}/file").status_code == 404
        assert "has changed since" in client.get(f"{base}/pages/1.png").json()["detail"]
