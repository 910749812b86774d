"""How a question is put."""

import pytest

from eunato_rag.answering import wording
from eunato_rag.engine import Engine


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who paid for the works, and why were they late?", ("Who paid for the works?", "why were they late?")),
        ("When was it dredged? How deep is it?", ("When was it dredged?", "How deep is it?")),
        ("What is PESCO; who leads it?", ("What is PESCO?", "who leads it?")),
        ("Why did Pooling and Sharing fail?", ()),
        ("What do Norway and Canada bring?", ()),
        ("Is it true that ships and barges call there?", ()),
        ("Please tell me. When was it dredged?", ()),
        ("list the lessons and the costs", ()),
    ],
)
def test_a_question_is_cut_where_another_question_begins(question: str, parts: tuple[str, ...]) -> None:
    assert wording.parts_of(question) == parts


@pytest.mark.parametrize(
    ("question", "all_of_it"),
    [
        ("What are the recommendations?", True),
        ("Please list the exercises", True),
        ("I need each one of the documents", True),
        ("Which countries are below the target?", True),
        ("What does the paper recommend first?", False),
        ("Why did it fail?", False),
        ("What is this about?", False),
    ],
)
def test_a_list_is_wanted_whole(question: str, all_of_it: bool) -> None:
    assert wording.asks_for_all(question) is all_of_it


def test_a_note_is_named_by_its_number() -> None:
    assert (wording.named_note("What is in footnote 12?"), wording.named_note("Take note of 12 things")) == (12, None)


def test_both_parts_of_a_question_are_answered(engine: Engine) -> None:
    """Each with its own evidence, though one is in another document than the other."""
    text = engine.ask("Why was the dredging late, and when was codling moth seen?").text
    assert "the barge broke down" in text
    assert "seen in 2021" in text


def test_a_part_that_points_back_is_asked_with_what_it_points_at(engine: Engine) -> None:
    """The second part alone, "how deep is it", would find nothing."""
    text = engine.ask("When was the harbour at Lindholm dredged, and how deep is it?").text
    assert "dredged in 2019" in text
    assert "14 metres" in text
