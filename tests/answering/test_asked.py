"""What a question asks for, and whether a sentence holds it."""

import pytest

from eunato_rag.answering.asked import Asked, Kind, holds_kind, kind_asked, missing, specifics
from eunato_rag.indexing.keywords import analyse


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many Allies met the target?", "number"),
        ("What share of GDP does Poland spend?", "number"),
        ("number of tanks in the table", "number"),
        ("When was the first declaration signed?", "time"),
        ("In what year did the talks begin?", "time"),
        ("dates of the summit?", "time"),
        ("Who told the Allies to step up?", "name"),
        ("In which city was it signed?", "name"),
        ("Why did it fail?", "other"),
        ("Do governments act only when they profit?", "other"),
        ("What of the officials who were interviewed?", "other"),
        ("What does the paper recommend?", "other"),
    ],
)
def test_question_words_tell_the_kind_of_thing_asked_for(question: str, kind: Kind) -> None:
    assert kind_asked(question) == kind


@pytest.mark.parametrize(
    ("kind", "sentence", "question", "held"),
    [
        ("number", "There are 23 of them.", "How many?", True),
        ("number", "Several were late.", "How many were late?", True),
        ("number", "The 74 proposals are assessed.", "How many of the 74 proposals concern cyber?", False),
        ("number", "It was slow.", "How many soldiers?", False),
        ("time", "It was signed in July 2016.", "When was it signed?", True),
        ("time", "The crisis impedes it.", "In what year did it begin?", False),
        ("time", "In 2024 they exercised.", "When in 2024 did they exercise?", False),
        ("name", "It was Pete Hegseth.", "Who said so?", True),
        ("name", "The dispute remains.", "who is to blame", False),
        ("other", "Anything.", "Why?", True),
    ],
)
def test_a_sentence_holds_a_kind_when_it_says_one_that_the_question_does_not(kind: Kind, sentence: str, question: str, held: bool) -> None:
    assert holds_kind(kind, sentence, question) is held


def test_names_numbers_and_ordinals_are_what_a_question_is_about() -> None:
    wanted = specifics("What did the second EU declaration of 2018 say about Polish rail?", lambda term: term == "eu")
    assert sorted(wanted.values()) == ["2018", "Polish", "second"]


def test_the_first_word_of_a_question_is_no_name_unless_it_is_an_acronym() -> None:
    assert not specifics("Military mobility?", lambda term: False)
    assert sorted(specifics("PESCO projects?", lambda term: False).values()) == ["PESCO"]


@pytest.mark.parametrize(
    ("question", "evidence", "left"),
    [
        ("What does Germany spend?", "German spending rose.", ()),
        ("What does Brussels pay?", "The EU pays for it.", ()),
        ("What does Britain do?", "The UK is a partner.", ()),
        ("the 2nd declaration?", "The second joint declaration", ()),
        ("What does Poland spend?", "The Allies spend 2 %.", ("Poland",)),
        ("Was it in 2018?", "It was in 2016.", ("2018",)),
        ("the second declaration", "The third declaration", ("second",)),
    ],
)
def test_a_name_counts_as_said_in_any_of_its_forms(question: str, evidence: str, left: tuple[str, ...]) -> None:
    assert missing(specifics(question, lambda term: False), frozenset(analyse(evidence))) == left


def test_evidence_is_judged_by_the_sentence_and_what_stands_around_it() -> None:
    asked = Asked.read("How many soldiers does Germany send to Lithuania?", lambda term: False)
    evidence = asked.judge(0.7, "Germany leads the battlegroup.", frozenset(analyse("Germany leads the battlegroup. It is in Lithuania.")))
    assert (evidence.missing, evidence.kind, evidence.holds) == ((), "number", False)
