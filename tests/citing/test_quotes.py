"""A quotation is found wherever it stands, told apart from what it is not, and refused where it is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from eunato_rag.citing.quotes import check_quotation
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.folding import read_words
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Document
from tests.citing.quotations import library, opened

UNHURRIED = settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
DOCUMENTS = library()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    snapshot = opened(DOCUMENTS, tmp_path_factory.mktemp("index"))
    yield snapshot
    snapshot.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no words"),
        (" \n\t ", "no words"),
        ("…—“”!?", "no words"),
        ("% € §", "no words"),
        ("Reserve", "single word"),
        ("“Reserve.”", "single word"),
        ("x" * 20_001, "20,001 characters; at most 20,000"),
        ("the\x00Reserve shall", r"control character \(U\+0000\) at 3"),
        ("the \ud83d Reserve", "half of a character"),
    ],
)
def test_what_is_no_quotation_is_refused(texts: Snapshot, text: str, says: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InvalidText, match=says):
        check_quotation(texts, text)


def test_a_filter_that_names_no_document_is_refused(texts: Snapshot) -> None:
    """A misspelt id must not read as "this quotation is nowhere"."""
    with pytest.raises(NotFound, match="nowhere"):
        check_quotation(texts, "The Reserve shall", Filter(document_id="nowhere"))


def test_a_filter_leaves_only_its_documents(texts: Snapshot) -> None:
    """A quotation of another document is absent; a filter that nothing fits says so."""
    paper = next(document for document in DOCUMENTS if document.footnotes)
    said = "The Reserve shall not replace national services."
    assert check_quotation(texts, said).status == "exact"
    assert check_quotation(texts, said, Filter(document_id=paper.id)).status == "absent"
    assert check_quotation(texts, said, Filter(publisher="nobody")).reason == "No document fits the filter."


@pytest.mark.parametrize(
    "text",
    [
        "the " * 3_000,
        "of the " * 2_000,
        "[a] " * 1_000,
        "… " * 1_000 + "the Reserve",
        "the … " * 1_000,
        "not " * 4_000,
        "1 " * 5_000,
        "a-\n" * 3_000,
        "é́́́" * 2_000 + " the",
        "((((" * 2_000 + "the Reserve" + "))))" * 2_000,
    ],
)
def test_a_hostile_text_is_answered_in_time(texts: Snapshot, text: str) -> None:
    """Whatever is repeated, the work is bounded."""
    began = time.perf_counter()
    check_quotation(texts, text)
    assert time.perf_counter() - began < 3


def test_a_whole_document_is_its_own_quotation(texts: Snapshot) -> None:
    """Ten thousand characters across blocks and sections are one slice."""
    paper = next(document for document in DOCUMENTS if document.footnotes)
    text = paper.text[:12_000].rsplit(" ", 1)[0]
    found = check_quotation(texts, text)
    assert (found.status, found.matches[0].locator.start) == ("exact", 0)
    assert check_quotation(texts, text.replace("Lisbon", "Nice", 1)).matches[0].edits[0].kind == "name"


def test_every_place_is_told_with_the_passage_that_holds_it(texts: Snapshot) -> None:
    """The same sentence twice in one document: both places, in order, each in its section."""
    found = check_quotation(texts, "The harbour at Lindholm was dredged in 2019.")
    assert [match.locator.headings for match in found.matches] == [(), ("Costs",)]
    for match in found.matches:
        assert match.passage.locator.start <= match.locator.start < match.passage.locator.end
    assert len(check_quotation(texts, "The harbour at Lindholm was dredged in 2019.", most=1).matches) == 1


def test_the_parts_of_a_stitched_quotation_are_told_apart(texts: Snapshot) -> None:
    """Each part has its own place and range, and the reason says that they stand nowhere together."""
    first, second = "We don't know who did it.", "The Reserve shall not replace national services."
    found = check_quotation(texts, f"{first} {second}")
    assert (found.status, found.stitched) == ("altered", True)
    assert [found.quote[slice(*match.covers)] for match in found.matches] == [first[:-1], second[:-1]]
    assert "come from different documents" in (found.reason or "")


def test_a_copy_of_the_text_is_another_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What two documents say is told of both, in the order of the corpus."""
    copies = [replace(DOCUMENTS[1], id=name, source=name) for name in ("a", "b", "c")]
    snapshot = opened(copies, tmp_path_factory.mktemp("copies"))
    said = copies[0].text[200:300].split(" ", 1)[1].rsplit(" ", 1)[0]
    assert [match.passage.document_id for match in check_quotation(snapshot, said).matches] == ["a", "b", "c"]
    near = check_quotation(snapshot, said.upper())
    assert (near.status, len(near.matches)) == ("normalized", 3)
    changed = check_quotation(snapshot, said.replace(" ", " purple ", 1))
    assert [match.passage.document_id for match in changed.matches] == ["a", "b", "c"]
    snapshot.close()


@st.composite
def slices(draw: st.DrawFn) -> tuple[Document, int, int]:
    """A run of whole words of a document, at least two."""
    document = draw(st.sampled_from(DOCUMENTS))
    words = read_words(document.text)
    first = draw(st.integers(0, len(words) - 3))
    last = draw(st.integers(first + 1, min(len(words) - 1, first + 60)))
    start, end = int(words.starts[first]), int(words.ends[last])
    assume(sum(form[0].isalnum() for form in words.forms[first : last + 1]) > 1)
    assume(start == 0 or not document.text[start - 1].isalnum())
    return document, start, end


@UNHURRIED
@given(place=slices())
def test_any_slice_is_exact_at_its_place(texts: Snapshot, place: tuple[Document, int, int]) -> None:
    """A run of whole words of a document is found to the letter where it was cut."""
    document, start, end = place
    found = check_quotation(texts, document.text[start:end], most=1_000)
    assert found.status == "exact"
    assert (document.id, start) in {(match.passage.document_id, match.locator.start) for match in found.matches}


@UNHURRIED
@given(place=slices(), data=st.data())
def test_what_is_folded_away_does_not_count(texts: Snapshot, place: tuple[Document, int, int], data: st.DataObject) -> None:
    """Case, spaces, line ends, quotation marks and soft hyphens leave the words the same."""
    document, start, end = place
    text = document.text[start:end]
    text = data.draw(st.sampled_from([text.upper(), text.swapcase(), text])).replace(
        " ", data.draw(st.sampled_from(["  ", "\u00a0", "\n"]))
    )
    assume(len(text) == end - start or "  " in text)
    text = data.draw(st.sampled_from(["“{}”", "*{}*", "{},", "\u00ad{}\u00ad"])).format(text)
    assert check_quotation(texts, text).status in ("normalized", "exact")


@UNHURRIED
@given(place=slices(), other=st.integers(10, 99))
def test_a_changed_number_is_told(texts: Snapshot, place: tuple[Document, int, int], other: int) -> None:
    """It is altered, and the edit is a number or a date, wherever in the slice it stands."""
    document, start, end = place
    words = read_words(document.text[start:end])
    numbers = [n for n, form in enumerate(words.forms) if form.isdecimal() and int(form) != other and 0 < n < len(words) - 1]
    assume(numbers and len(words) > 8)
    at = numbers[len(numbers) // 2]
    text = document.text[start:end]
    text = f"{text[: words.starts[at]]}{other}{text[words.ends[at] :]}"
    found = check_quotation(texts, text)
    assume(found.status != "exact")  # the corpus may say that, too
    assert found.status == "altered"
    assert {edit.kind for edit in found.matches[0].edits} & {"number", "date"}
