"""The concordance: every word of every document at its place, and folding that keeps its way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.folding import read_words
from tests.conftest import WordEmbedder

TEXTS = ("The barge, the barge!", "", "No barge in 2019.", "the BARGE in 2019, the barge")


@pytest.fixture
def concordance(tmp_path: Path) -> Concordance:
    Concordance.write(tmp_path / "concordance", TEXTS)
    return Concordance.load(tmp_path / "concordance")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """With the command that mends it."""
    Concordance.write(tmp_path / "concordance", TEXTS)
    (tmp_path / "concordance" / "places.npy").write_bytes(b"nothing")
    with pytest.raises(DamagedSnapshot, match="Run: eunato-rag reindex"):
        Concordance.load(tmp_path / "concordance")


def test_a_snapshot_guards_its_concordance(index: Path, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of another scheme are refused, and a changed byte is found."""
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "CONCORDANCE_SCHEME", "words/9")
        with pytest.raises(IncompatibleIndex, match="not words/9"):
            snapshot.open_snapshot(index, embedder)
    path = index / "snapshots" / snapshot.current_id(index) / "concordance" / "words.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedSnapshot, match=r"words\.npy"):
        snapshot.open_snapshot(index, embedder)


@pytest.mark.parametrize("texts", [(), ("",), ("… !",)])
def test_no_word_is_no_error(tmp_path: Path, texts: tuple[str, ...]) -> None:
    """A corpus without a word has nothing to find."""
    Concordance.write(tmp_path / "concordance", texts)
    opened = Concordance.load(tmp_path / "concordance")
    assert (len(opened), opened.document_count) == (0, len(texts))
    assert not len(opened.find(opened.ids(["barge"])))
    assert opened.counts(opened.ids(["barge"])).tolist() == [0]


def test_words_stand_where_they_are_written(concordance: Concordance) -> None:
    """Position, document and range of every word lead back to the text."""
    words = [
        TEXTS[document][concordance.starts[n] : concordance.ends[n]]
        for n, document in enumerate(concordance.documents_of(np.arange(len(concordance))).tolist())
    ]
    assert words == "The barge the barge No barge in 2019 the BARGE in 2019 the barge".split()
    assert concordance.forms(0, len(concordance)) == [word.lower() for word in words]


@pytest.mark.parametrize(
    ("run", "documents", "found"),
    [
        (["the", "barge"], None, [0, 2, 8, 12]),
        (["the", "barge"], [3], [8, 12]),
        (["the", "barge"], [0, 3], [0, 2, 8, 12]),
        (["the", "barge"], [1], []),
        (["barge", "in", "2019"], None, [5, 9]),
        (["barge", "no"], None, []),
        (["2019", "the"], None, [11]),
        (["barge", "ship"], None, []),
        ([], None, []),
    ],
)
def test_a_run_of_words_is_found_everywhere(
    concordance: Concordance, run: list[str], documents: list[int] | None, found: list[int]
) -> None:
    """In order, within one document, and only in the documents asked for."""
    assert concordance.find(concordance.ids(run), documents).tolist() == found


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Don’t co-operate", ["don't", "co", "operate"]),
        ("€5bn, 3.7 % of 1,150 km²", ["€", "5bn", "3.7", "%", "of", "1,150", "km", "²"]),
        ("the eﬃcient Straße", ["the", "efficient", "strasse"]),
        ("Nova\u0301k and Novák", ["novák", "and", "novák"]),
        ("de\u00adfence _now_ **here**", ["defence", "now", "here"]),
        ("from -5 to 7-9", ["from", "-", "5", "to", "7", "9"]),
        ("R&D in the 1990s", ["r", "&", "d", "in", "the", "1990s"]),
    ],
)
def test_words_are_folded(text: str, forms: list[str]) -> None:
    """Signs are words; case, ligatures, soft hyphens and the way an accent is written are not."""
    assert read_words(text).forms == forms


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(st.sampled_from("abÉßﬁİ\u0301\u00ad\u200b’'- .,5²%€\n_"), max_size=40))
def test_every_word_has_its_range(text: str) -> None:
    """Ranges are in order, do not overlap, are not empty and read again give the same word."""
    words = read_words(text)
    done = 0
    for form, start, end in zip(words.forms, words.starts.tolist(), words.ends.tolist(), strict=True):
        assert done <= start < end <= len(text)
        assert form in "".join(read_words(text[start:end]).forms) or form == "-"
        done = end
