"""Whatever bytes a file holds: a sound document, or the reader's own reason why there is none. `make fuzz` tries many more."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.ingestion.readers import READERS, read
from eunato_rag.records import Document
from tests.ingestion.mutation import mutated, mutated_pdf, mutated_zip
from tests.ingestion.seeds import seeds
from tests.ingestion.soundness import check_document

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
UNHURRIED = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
IN_PROCESS = sorted(READERS.keys() - {".pdf"})
"""Read right here, where a warning is an error; PDFium may crash, and is asked in a worker, as the service does."""

LETTERS = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from(
        "\0\x01\x1b\x7f\x85\u00a0\u00ad\u0301\u0323\u115f\u1161\u11a8\u200b\u200d\u200f\u2028\u202e\u2066\ufb01\ufdfa\ufeff\ufffd\uffff"
    ),
    st.sampled_from("aAéß²¹⁴İıſǅ①٣Ⅷ〇…“”’«»-–—_*`|#<>&;:()[]{}!?., \t\n\r\f😀𝔸"),
)
FRAGMENTS = st.sampled_from(
    (
        *(
            "The EU acts. ",
            "word ",
            "¹ ",
            "[^1]",
            "[^1]: note\n",
            "[1] note\n\n",
            "\n\n",
            "# ",
            "1. ",
            "- ",
            "> ",
            "| a | b |\n",
            "|-|-|\n",
        ),
        *(
            "```\n",
            "---\n",
            "<!--",
            "-->",
            "<b>",
            "</b>",
            "<p>",
            "<table><tr><td>",
            "<ul><li>",
            "&#0;",
            "&#10;",
            "&#x301;",
            "&nbsp;",
            "&shy;",
        ),
        *(
            "<sup>1</sup>",
            '<a href="#a" id="b">1</a>',
            '<p id="a"><a href="#b">1</a> ',
            "Article 1\n\n",
            "Contents\n\n",
            "a ..... 1\n",
            "<h1>",
        ),
        *("http://a.b/c_(d) ", "<http://a>", "[a](b)", "![a](b)", "**", "e\u0301", "\u1100\u1161", "ﬁ", "\r\n", "<pre>", "<q>", "<br><br>"),
    )
)
TEXTS = st.lists(FRAGMENTS | st.text(LETTERS, max_size=8), max_size=40).map("".join)


def read_soundly(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        document = read(path)
    except UnreadableDocument:
        return
    check_document(document)


@pytest.mark.parametrize("suffix", IN_PROCESS)
@pytest.mark.parametrize("beginning", [b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PK\x03\x04", b"<html>", b"---\n", b"%PDF-1.4\n"])
def test_a_file_of_nothing_but_its_beginning_is_refused_or_read(tmp_path: Path, suffix: str, beginning: bytes) -> None:
    """Byte order marks, magic numbers and opening marks with nothing behind them."""
    read_soundly(tmp_path / f"any{suffix}", beginning)


@UNHURRIED
@given(
    suffix=st.sampled_from(IN_PROCESS), beginning=st.sampled_from((b"", b"\xff\xfe", b"PK\x03\x04", b"<p>")), rest=st.binary(max_size=400)
)
def test_any_bytes_under_any_suffix(tmp_path: Path, suffix: str, beginning: bytes, rest: bytes) -> None:
    read_soundly(tmp_path / f"any{suffix}", beginning + rest)


@UNHURRIED
@given(suffix=st.sampled_from([".html", ".md", ".txt"]), text=TEXTS, encoding=st.sampled_from(("utf-8", "utf-16", "utf-8-sig")))
def test_any_text_in_any_format(tmp_path: Path, suffix: str, text: str, encoding: str) -> None:
    """Marks of every format in any order, and letters of every script."""
    read_soundly(tmp_path / f"any{suffix}", text.encode(encoding))


@UNHURRIED
@given(suffix=st.sampled_from(IN_PROCESS), seed=st.integers(0, 2**32))
def test_a_sound_file_made_wrong(tmp_path: Path, suffix: str, seed: int) -> None:
    """Bytes flipped, cut, doubled, moved, spliced with another file's; parts of an archive, too."""
    chance = random.Random(seed)
    others = seeds(suffix)
    wrong = mutated_zip if suffix == ".docx" else mutated
    read_soundly(tmp_path / f"any{suffix}", wrong(chance.choice(others), chance, others))


def test_pdfs_made_wrong_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    """Each in a worker, as the service reads them; where the worker ended by itself, its reader raised what it should not."""
    others = seeds(".pdf")
    paths = []
    for seed in range(EXAMPLES if "FUZZ_EXAMPLES" in os.environ else 80):
        chance = random.Random(seed)
        paths.append(tmp_path / f"{seed}.pdf")
        paths[-1].write_bytes(mutated_pdf(chance.choice(others), chance, others))
    with Workers(Limits(seconds=30, megabytes=2048), 1) as workers:
        for path, outcome in zip(paths, workers.read_all(paths), strict=True):
            if isinstance(outcome, Document):
                check_document(outcome)
            else:
                assert path.name in str(outcome)
                assert "ended with code" not in str(outcome), outcome
