"""Acronyms as documents introduce them."""

import pytest

from eunato_rag.indexing.acronyms import Acronyms, find_acronyms


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("money of the European Defence Fund (EDF) is spent", "EDF", "European Defence Fund"),
        ("the Treaty on European Union (TEU) says", "TEU", "Treaty on European Union"),
        ("the Pooling and Sharing (P&S) concept", "P&S", "Pooling and Sharing"),
        ("the Euro-Atlantic Partnership Council (EAPC) met", "EAPC", "Euro-Atlantic Partnership Council"),
        ("Members of the European Parliament (MEPs) voted", "MEPs", "Members of the European Parliament"),
        ("the OECD (Organisation for Economic Co-operation and Development) says", "OECD", None),
        ("the CDP (Capability Development Plan) says", "CDP", "Capability Development Plan"),
        ("the World Trade Organization’s (WTO) rules", "WTO", "World Trade Organization"),
        ("it was adopted by Spain (ES) and others", "ES", None),
        ("the plan (see Annex II) was agreed", "II", None),
        ("in the Fund (EDF)", "EDF", None),
    ],
)
def test_a_short_form_is_tied_to_the_words_that_its_letters_come_from(text: str, short: str, long: str | None) -> None:
    assert find_acronyms([text]).get(short) == long


def test_of_two_long_forms_the_more_frequent_one_stays() -> None:
    texts = ["the Allied Command Transformation (ACT)", "the Assembly for Common Trade (ACT)", "the Allied Command Transformation (ACT)"]
    assert find_acronyms(texts) == {"ACT": "Allied Command Transformation"}


KNOWN = Acronyms({"EDF": "European Defence Fund", "P&S": "Pooling and Sharing", "HSC": "stem cell"})


@pytest.mark.parametrize(
    ("asked", "forms"),
    [
        ("What is the EDF?", ("European Defence Fund",)),
        ("What is the european defence fund?", ("EDF",)),
        ("P&S failure?", ("Pooling and Sharing",)),
        ("Is the EDF the European Defence Fund?", ()),
        ("Who are the EDFs?", ()),
        ("Which stem cells?", ()),
        ("Why?", ()),
    ],
)
def test_either_form_brings_the_other(asked: str, forms: tuple[str, ...]) -> None:
    assert KNOWN.other_forms(asked) == forms
