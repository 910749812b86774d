"""Numbers: which a sentence may say on the strength of its evidence, and which not."""

from __future__ import annotations

import pytest

from eunato_rag.evidence.claims import read_claim
from eunato_rag.evidence.quantities import instead, unproved, unread, written

CATCH = ["In 2019, 23 out of 32 boats reached 2 % of the catch.", "Only 8 boats stayed in port, 7 of them old ones."]


@pytest.mark.parametrize(
    "claim",
    [
        "In 2019, 23 of the harbour's 32 boats reached two per cent of the catch.",
        "More than 20 boats reached 2 percent of the catch in 2019.",
        "Eight boats stayed in port, seven of them old.",
        "The two sides agree.",
        "Nothing is counted here.",
    ],
)
def test_what_the_evidence_counts_may_be_said_in_another_form(claim: str) -> None:
    """Digits or words, per cent or %, or less exactly."""
    assert unproved(read_claim(claim), CATCH) == []


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("In 2018, 23 boats reached 2 % of the catch.", 2018),
        ("All 32 boats reached 2 % of the catch.", 32),
        ("23 out of 23 boats reached 2 % of the catch.", 23),
        ("Eight boats stayed in port, eight of them old.", 8),
        ("More than 23 boats reached 2 % of the catch.", 23),
        ("More than 30 boats reached 2 % of the catch.", 30),
        ("More than 12 boats reached 2 % of the catch.", 12),
        ("2 boats stayed in port.", 2),
        ("In 23, boats reached 2 % of the catch.", 23),
    ],
)
def test_what_it_counts_otherwise_may_not(claim: str, value: float) -> None:
    """A whole is no part, a number counts once, and "more than" is neither equal nor far away."""
    assert value in [number.value for number in unproved(read_claim(claim), CATCH)]


def test_a_year_belongs_to_its_event() -> None:
    """The one of the sentence that says it, or of one before it; not of what came later."""
    sentences = ["The lake was surveyed in 1998, when it was 31 metres deep.", "In 2004 a well was drilled on the shore."]
    assert unproved(read_claim("The lake was surveyed in 1998."), sentences) == []
    assert [number.value for number in unproved(read_claim("The lake was surveyed in 2004."), sentences)] == [2004]
    before = ["The year 1998 was dry.", "The lake was then surveyed for the first time."]
    assert unproved(read_claim("In 1998 the lake was surveyed."), before) == []


def test_the_number_that_stands_instead_is_one_of_the_same_kind() -> None:
    """A percentage for a percentage, a year for a year; nothing for a fraction."""
    evidence = read_claim("\n".join(CATCH))
    (other, *_) = instead(read_claim("3 % of the catch").numbers[0], read_claim("3 % of the catch"), evidence)
    assert written(other) == "2 per cent"
    (other, *_) = instead(read_claim("in 2017").numbers[0], read_claim("in 2017"), evidence)
    assert written(other) == "2019"
    assert instead(read_claim("four fifths").numbers[0], read_claim("four fifths"), evidence) == []


def test_words_with_digits_that_are_no_numbers_are_told() -> None:
    """They can only be compared as they are."""
    assert unread(read_claim("Document 1.4,250 has 12 pages.")) == ["1.4,250"]


@pytest.mark.parametrize("text", ["", "…", "\ue768|\U0005cfa1", "100 %", "<br>"])
def test_a_text_of_few_words_or_none_claims_no_quantity(text: str) -> None:
    """A passage may be of nothing but signs, and is compared with claims all the same."""
    assert read_claim(text).quantifiers == frozenset()
