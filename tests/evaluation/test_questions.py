"""Questions, what finds their evidence, and the project's own sets."""

from __future__ import annotations

import json

import pytest

from eunato_rag.errors import CorpusError
from eunato_rag.evaluation import Judgement, read_conversations, read_questions
from eunato_rag.evaluation.questions import Question, WholeDocument, WholePage, sample
from eunato_rag.records import Document, Page, PageSpan
from tests.evaluation.conftest import Write

PAGES = (PageSpan(0, 10, Page(1)), PageSpan(10, 20, Page(2, "ii")), PageSpan(20, 25, Page(1)))
DOCUMENT = Document("d", "d.txt", "", {}, "x" * 25, pages=PAGES)
JUDGED = {"document": "d", "start": 0, "end": 1, "quote": "x"}
ASKED = {"id": "a", "kind": "fact", "question": "What?", "evidence": [JUDGED]}


@pytest.mark.parametrize(
    ("start", "end", "held", "touched"), [(0, 4, False, False), (0, 6, False, True), (0, 7, True, True), (5, 9, True, True)]
)
def test_a_range_is_found_by_half_of_it(start: int, end: int, held: bool, touched: bool) -> None:
    """Of 5..9, two characters of four; a single one only touches it."""
    judgement = Judgement("d", 5, 9, "xxxx")
    assert (judgement.held_by(DOCUMENT, start, end), judgement.touched_by(DOCUMENT, start, end)) == (held, touched)
    assert not Judgement("other", 5, 9, "xxxx").held_by(DOCUMENT, 0, 25)


def test_a_page_is_found_by_anything_on_it() -> None:
    """Also in the second of its places, where its notes stand; a document by anything in it."""
    assert WholePage("d", 2).held_by(DOCUMENT, 0, 11)
    assert not WholePage("d", 2).held_by(DOCUMENT, 0, 10)
    assert WholePage("d", 1).held_by(DOCUMENT, 22, 23)
    assert not WholePage("other", 1).held_by(DOCUMENT, 0, 5)
    assert WholeDocument("d").held_by(DOCUMENT, 3, 4)
    assert not WholeDocument("other").held_by(DOCUMENT, 3, 4)


def test_the_half_is_decided_by_the_id_alone() -> None:
    """By SHA-256 of it, so it never changes; and by the conversation's id for each of its turns."""
    halves = {name: Question(name, "fact", "?", ()).half for name in ("q1", "q2", "q3", "q4", "57271c235951b619008f860b")}
    assert halves == {"q1": "fitted", "q2": "held-out", "q3": "held-out", "q4": "fitted", "57271c235951b619008f860b": "fitted"}
    assert {Question(f"c.{n}", "fact", "?", (), conversation="q2").half for n in range(20)} == {"held-out"}


def test_questions_are_read(write: Write) -> None:
    """One is answerable where it has evidence; other line separators inside a line of JSON part nothing."""
    rows = [{**ASKED, "question": "What\u2028now?"}, {"id": "b", "kind": "nonsense", "question": "Blorf?", "evidence": []}]
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    first, second = read_questions(write("own", questions_jsonl=text))
    assert first == Question("a", "fact", "What\u2028now?", (Judgement("d", 0, 1, "x"),), answerable=True)
    assert second.answerable is False


def test_conversations_are_read_as_their_turns(write: Write) -> None:
    """Each turn is a question of its conversation, with what it means on its own."""
    turns = [{**ASKED, "standalone": "What is it?"}, {**ASKED, "standalone": "And why is it?", "evidence": []}]
    for turn in turns:
        del turn["id"]
    first, second = read_conversations(write("own", conversations_jsonl=[{"id": "c", "turns": turns}]))
    assert (first.id, second.id, second.conversation, second.standalone) == ("c.1", "c.2", "c", "And why is it?")
    assert (first.answerable, second.answerable) == (True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1, is no JSON"),
        ("\n[1]", "line 2, is no JSON object"),
        ('{"id": "a", "kind": "fact", "evidence": []}', "line 1: 'question' should be text"),
        ('{"id": "a", "kind": "fact", "question": "?", "evidence": [{"document": "d"}]}', "line 1, is no question"),
        (
            '{"id": "a", "kind": "fact", "question": "?", "evidence": [{"document": "d", "start": 3, "end": 3, "quote": ""}]}',
            ".*holds nothing",
        ),
        ('{"id": "a", "kind": "fact", "question": "?", "evidence": [], "topic": "x"}', ".*unknown are topic"),
        (
            '{"id": "a", "kind": "k", "question": "?", "evidence": []}\n{"id": "a", "kind": "k", "question": "!", "evidence": []}',
            "line 2.*twice",
        ),
    ],
)
def test_a_broken_line_is_named(write: Write, text: str, said: str) -> None:
    """With its file and number."""
    with pytest.raises(CorpusError, match=rf"questions\.jsonl, {said}"):
        read_questions(write("own", questions_jsonl=text))


@pytest.mark.parametrize("row", ['{"id": "c"}', '{"id": "c", "turns": []}', '{"id": "c", "turns": ["?"]}', '{"id": 1, "turns": [{}]}'])
def test_what_is_no_conversation_is_named(write: Write, row: str) -> None:
    """Without turns there is none."""
    with pytest.raises(CorpusError, match="line 1, is no conversation"):
        read_conversations(write("own", conversations_jsonl=row))


def test_a_sample_is_evenly_spaced_and_keeps_conversations_whole() -> None:
    """Three of ten are the first, fourth and seventh; nothing is left out where as many are wanted as there are."""
    single = [Question(str(n), "fact", "?", ()) for n in range(10)]
    assert [q.id for q in sample(single, 3)] == ["0", "3", "6"]
    assert sample(single, 0) == sample(single, 10) == sample(single, 99) == single
    turns = [Question(f"{c}.{n}", "fact", "?", (), conversation=c) for c in "abcd" for n in (1, 2)]
    assert [q.id for q in sample(turns, 2)] == ["a.1", "a.2", "c.1", "c.2"]
