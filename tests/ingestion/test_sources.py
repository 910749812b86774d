"""The corpus folder and its manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.errors import CorpusNotFound, ManifestError
from eunato_rag.ingestion.citations import cited_by
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import document_id, identify, list_sources, read_manifest
from tests.conftest import ROOT


def test_files_are_listed_by_path_without_what_describes_the_folder(corpus: Path) -> None:
    """Sub-folders count; hidden files, sources.toml and the folder's README.md do not."""
    (corpus / "README.md").write_text("about")
    (corpus / ".hidden.txt").write_text("x")
    (corpus / "sub").mkdir()
    (corpus / "sub" / "README.md").write_text("a document")
    assert [source for source, _ in list_sources(corpus)] == ["harbour.txt", "orchard.md", "sub/README.md"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says where it looked and how to name another."""
    with pytest.raises(CorpusNotFound, match=r"no corpus folder at .*nowhere.*--corpus"):
        list_sources(tmp_path / "nowhere")


def test_the_manifest_gives_a_document_its_id_record_and_cited_works(corpus: Path) -> None:
    """A file that the manifest names takes its record, and its notes are tied to the works they cite."""
    manifest = read_manifest(corpus)
    document = identify(read(corpus / "harbour.txt"), "harbour.txt", manifest)
    assert (document.id, document.title) == ("harbour-2020", "Harbour Report")
    assert document.work["id"] == "harbour-2020"
    assert [note.work for note in document.footnotes] == ["port-2019"]


def test_a_file_without_a_record_has_a_readable_lasting_id(corpus: Path) -> None:
    """Its id depends on its path alone, so it outlives a change of content."""
    document = identify(read(corpus / "orchard.md"), "orchard.md", read_manifest(corpus))
    assert document.id == document_id("orchard.md")
    assert document.id.startswith("orchard-")
    assert document_id("a/orchard.md") != document.id
    assert document.title == "Orchard Notes"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[work]\n", "cannot be read"),
        ("[other]\n", r"\[\[other\]\]"),
        ('[[work]]\nid = "a"\n', "needs an id and a"),
        ('[[work]]\nid = "a"\nfiel = "x"\n[work.csl]\ntitle = "T"\n', "unknown key 'fiel'"),
        ('[[work]]\nid = "a"\n[work.csl]\ntitle = "T"\n[[work]]\nid = "a"\n[work.csl]\ntitle = "T"\n', "two works with the id 'a'"),
        ('[[work]]\nid = "a"\n[work.csl]\ntitle = "T"\n[[work.cited]]\nby = "b"\nnote = "3"\n', "`note` a number"),
    ],
)
def test_a_malformed_manifest_says_where(corpus: Path, text: str, reason: str) -> None:
    """Nothing in it is ignored in silence."""
    (corpus / "sources.toml").write_text(text)
    with pytest.raises(ManifestError, match=reason):
        read_manifest(corpus)


def test_a_folder_without_a_manifest_is_fine(tmp_path: Path) -> None:
    """Every document then makes its own record."""
    assert read_manifest(tmp_path).works == ()


def test_the_papers_manifest_names_each_footnote_once() -> None:
    """Twenty-four notes, twenty works, and each note as the paper prints it."""
    manifest = read_manifest(ROOT / "corpus")
    mentions = [m for work in manifest.works for m in work.mentions if m.note is not None]
    assert sorted(m.note or 0 for m in mentions) == list(range(1, 25))
    assert len(set(cited_by("mangiameli-2025", manifest.works).values())) == 20
    assert all(m.as_printed for m in mentions)
    assert all(work.csl.get("type") and work.rights for work in manifest.works)


def test_a_year_may_be_written_as_text(corpus: Path) -> None:
    """CSL-JSON allows both; a note of that year is not doubted for it."""
    path = corpus / "sources.toml"
    path.write_text(path.read_text("utf-8").replace("[[2019]]", '[["2019"]]'), "utf-8")
    document = identify(read(corpus / "harbour.txt"), "harbour.txt", read_manifest(corpus))
    assert [note.work for note in document.footnotes] == ["port-2019"]
    assert "note-doubt" not in [change.kind for change in document.report]
