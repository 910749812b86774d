"""Plain text drafts: what is read of them, and the same text with numbered notes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eunato_rag.citing.manuscripts import Manuscript, Note, annotate, as_bytes, read_manuscript
from eunato_rag.citing.manuscripts.quoting import quotation_ranges
from eunato_rag.errors import InvalidText

FRAGMENTS = (
    *("The EU acts. ", "NATO did so.", "Why? ", "word ", "end", "Mr. Smith", "\n", "\n\n", "\r\n", "\r\n\r\n", "> ", "- ", "1. ", "# "),
    *(
        "References\n\n",
        "[1]",
        "[2] A note.\n",
        "¹",
        "km²",
        "“",
        "”",
        '"',
        "'",
        "’",
        "‘",
        "\t",
        "…",
        "! ",
        "\u00a0",
        "—",
        "é",
        "\u2028",
        "===\n",
    ),
)


def sentences(manuscript: Manuscript) -> list[str]:
    return [sentence.text for sentence in manuscript.sentences]


def everywhere(manuscript: Manuscript) -> list[Note]:
    return [Note(sentence.end, f"On *{n}*.") for n, sentence in enumerate(manuscript.sentences)]


def test_a_draft_as_people_write_it() -> None:
    """Headings, bullets, captions, note markers and the writer's own notes are no sentences; wrapped lines are one."""
    draft = (
        "A Study of Two Organisations\n\n"
        "Introduction\n"
        "The EU and NATO have agreed to work together in many fields, as was shown by\n"
        "Smith [15]. It went on.[2] They said: “This is\n"
        "good.” It grew to 20 km² in 2016¹ – or 10³. So Mr. Jones left\n\n"
        "- capability development\n"
        "- exercises. They agreed on\n"
        "  both\n\n"
        "Figure 1: Members\n\n"
        "2. Background\n\n"
        "The declaration was agreed by [15] states. [3] And more.\n\n"
        "> We reaffirm\n> our commitment.\n> — NATO, 2022\n\n"
        "Notes\n\n"
        "[1] Smith, A Book. It is long.\n"
        "[15] Jones.\n"
    )
    manuscript = read_manuscript(draft)
    assert (manuscript.format, manuscript.text) == ("text", draft)
    assert sentences(manuscript) == [
        "The EU and NATO have agreed to work together in many fields, as was shown by Smith.",
        "It went on.",
        "They said: “This is good.”",
        "It grew to 20 km² in 2016 – or 10³.",
        "So Mr. Jones left",
        "capability development",
        "exercises.",
        "They agreed on both",
        "The declaration was agreed by [15] states.",
        "And more.",
        "We reaffirm our commitment.",
    ]
    spans = [draft[s.start : s.end] for s in manuscript.sentences]
    assert spans[1] == "It went on.[2]"
    assert spans[3] == "It grew to 20 km² in 2016¹ – or 10³."
    assert spans[8] == "The declaration was agreed by [15] states. [3]"
    assert [(q.text, q.sentence, q.block) for q in manuscript.quotations] == [
        ("This is good.", 2, False),
        ("We reaffirm our commitment.", 10, True),
    ]


def test_notes_are_numbered_behind_the_writers_own() -> None:
    """The marker follows the full stop, the quotation mark and the writer's marker; notes and bibliography stand at the end."""
    draft = "NATO agreed.[1] The EU “did too.” Then they met\n\nNotes\n\n[1] Smith.\n"
    manuscript = read_manuscript(draft)
    second, first, third = (
        Note(manuscript.sentences[n].end, text) for n, text in ((1, "Two"), (0, "One *x*"), (2, "See <https://a.b/c_d>"))
    )
    assert annotate(manuscript, [second, first, third], ["Smith, *Book* \\*.", "Jones."]) == (
        "NATO agreed.[1][2] The EU “did too.”[3] Then they met[4]\n\nNotes\n\n[1] Smith.\n"
        "\nNotes\n\n[2] One x\n\n[3] Two\n\n[4] See https://a.b/c_d\n\nBibliography\n\nSmith, Book *.\n\nJones.\n"
    )


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("A is so.", "A is so.[1]\n\nNotes\n\n[1] N"),
        ("A is so.\r\n", "A is so.[1]\r\n\r\nNotes\r\n\r\n[1] N\r\n"),
        ("A is so.\n", "A is so.[1]\n\nNotes\n\n[1] N\n"),
        ("It was so.\r\nThey left.\r\n\r\n", "It was so.[1]\r\nThey left.\r\n\r\nNotes\r\n\r\n[1] N\r\n"),
        ("It was so.\rThey left.", "It was so.[1]\rThey left.\r\rNotes\r\r[1] N"),
    ],
)
def test_line_ends_stay_as_they_are(draft: str, expected: str) -> None:
    """Also the missing one at the end."""
    manuscript = read_manuscript(draft)
    assert annotate(manuscript, [Note(manuscript.sentences[0].end, "N")]) == expected


def test_without_notes_nothing_is_added() -> None:
    manuscript = read_manuscript("A is so.")
    assert annotate(manuscript, []) == "A is so."
    assert annotate(manuscript, [], ["Smith."], "Works cited") == "A is so.\n\nWorks cited\n\nSmith."


def test_two_notes_of_one_place_keep_their_order() -> None:
    manuscript = read_manuscript("A is so.")
    assert str(annotate(manuscript, [Note(8, "first"), Note(8, "second")])).startswith("A is so.[1][2]\n\nNotes\n\n[1] first\n\n[2] second")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_bytes_go_out_in_the_encoding_they_came_in(encoding: str) -> None:
    """A byte order mark is no part of the text; letters that the encoding has not make it UTF-8."""
    draft = "The café’s owners agreed to “élan” – they said so. The naïve followed in Genève.\r\n"
    data = draft.encode(encoding)
    manuscript = read_manuscript(data)
    assert manuscript.text == draft
    assert as_bytes(manuscript, annotate(manuscript, [])) == data
    noted = annotate(manuscript, [Note(manuscript.sentences[0].end, "Ω")])
    assert as_bytes(manuscript, noted).decode("utf-8" if encoding == "cp1252" else encoding) == noted
    assert read_manuscript("\ufeffA is so.").sentences[0].start == 0


def test_a_lone_sentence_needs_no_full_stop() -> None:
    """What would be a heading in a longer text is all there is in this one."""
    assert sentences(read_manuscript("NATO and the EU signed a declaration in 2016")) == ["NATO and the EU signed a declaration in 2016"]


def test_long_lines_are_paragraphs() -> None:
    """Where lines are not broken to fit a page, each is a paragraph, and a short one between them a heading."""
    long = "The Alliance and the Union agreed on many things " * 6
    assert sentences(read_manuscript(f"Background\n{long}\nResults\n{long}")) == [long.strip(), long.strip()]


def test_formats_are_told_by_name_and_by_signs_of_markdown() -> None:
    assert read_manuscript("A *is* so. [1] And __x__ 2 * 3 * 4.").format == "text"
    for sign in ("# Head\n\nA.", "A **is** so.", "A is.[^1]\n\n[^1]: b", "[A](https://b.c) is.", "---\nt: x\n---\nA is."):
        assert read_manuscript(sign).format == "markdown"
        assert read_manuscript(sign, name="a.txt").format == "markdown"
        assert read_manuscript(sign, "text", "a.txt").format == "text"
    assert read_manuscript("A is so.", name="A.MD").format == "markdown"
    assert read_manuscript("A is so.", "text", "a.md").format == "text"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “a b” and “c ‘d’ e”.", ["a b", "c ‘d’ e"]),
        ("the EU’s role as ‘strategic partners’ in the states’ view", ["strategic partners"]),
        ("‘the member states’ role’ is large", ["the member states’ role"]),
        ("\"a b\" it's 'c d' the states' role", ["a b", "c d"]),
        ('a 5" tube and "a quotation" here', ["a quotation"]),
        ('"Unclosed and then "quoted" text', ["quoted"]),
        ("„Das ist gut“, »ja«, « oui », ”ja”, ‹ja›", ["Das ist gut", "ja", "oui", "ja", "ja"]),
        ("the ’90s, the '90s, ‘90s and 'tis “left open", []),
        ("closed ” first “ and then open", []),
        ("“of two ”open” ones the balanced", ["of two"]),
        ("(“in brackets”) and—“after a dash”", ["in brackets", "after a dash"]),
        ("“…” \"\" '' ‘’", []),
        ("‘a’ b ‘c", ["a"]),
    ],
)
def test_quotations_stand_between_marks_that_belong_together(text: str, quoted: list[str]) -> None:
    assert [text[start:end] for start, end in quotation_ranges(text)] == quoted


def test_a_quotation_may_run_over_several_sentences() -> None:
    manuscript = read_manuscript("They said “it is new. It is\nneeded” then. Others did not.")
    (quoted,) = manuscript.quotations
    assert (quoted.text, quoted.sentence, quoted.last_sentence) == ("it is new. It is needed", 0, 1)
    assert manuscript.text[quoted.start : quoted.end] == "it is new. It is\nneeded"


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_not_a_character_of_the_draft_changes(draft: str) -> None:
    """Sentences are ordered ranges of any text whatever, and the annotated text without its notes is the draft."""
    try:
        manuscript = read_manuscript(draft, "text")
    except InvalidText:
        return
    assert manuscript.text == draft.removeprefix("\ufeff")
    end = 0
    for sentence in manuscript.sentences:
        assert end <= sentence.start < sentence.end <= len(draft)
        assert sentence.text == " ".join(sentence.text.split())
        end = sentence.end
    for quoted in manuscript.quotations:
        first, last = manuscript.sentences[quoted.sentence], manuscript.sentences[quoted.last_sentence]
        assert first.start < quoted.end
        assert quoted.start < last.end
    notes = everywhere(manuscript)
    noted = str(annotate(manuscript, notes, ["Smith."]))
    body, found, appended = noted.rpartition("Notes")
    assert found
    assert "Bibliography" in appended
    first_number = max([int(n) for m in re.findall(r"\[[\d\s,–-]+\]", manuscript.text) for n in re.findall(r"\d{1,3}", m)], default=0) + 1
    for number in range(first_number, first_number + len(notes)):
        assert body.count(f"[{number}]") == 1
        body = body.replace(f"[{number}]", "")
    assert body.startswith(manuscript.text)
    assert not body[len(manuscript.text) :].strip()
