"""Cutting what a model writes: whole sentences, with the passages that they cite, and no markup."""

from __future__ import annotations

import pytest

from eunato_rag.answering.prose import Cutter, Written

TEXT = (
    "<think>Let me see [9].</think>\n\nThe harbour was dredged in 2019 [1]. It is 14 metres deep. [2] The U.S. and Mr. Lind paid "
    '3.2 million crowns.[1, 3]\n\n- **Barges** broke down 【4】.\n2. Ask [1] the pilots [^2]!\nHe said "no." [2-4] The end'
)
SENTENCES = [
    ("The harbour was dredged in 2019.", (1,), True),
    ("It is 14 metres deep.", (2,), False),
    ("The U.S. and Mr. Lind paid 3.2 million crowns.", (1, 3), False),
    ("Barges broke down.", (4,), True),
    ("Ask the pilots!", (1, 2), True),
    ('He said "no."', (2, 3, 4), True),
    ("The end", (), False),
]


def cut(text: str, size: int) -> list[Written]:
    cutter = Cutter()
    found = [sentence for n in range(0, len(text), size) for sentence in cutter.feed(text[n : n + size])]
    return [*found, *cutter.close()]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1000])
def test_sentences_do_not_depend_on_how_the_text_arrives(size: int) -> None:
    """Marks of every fashion, before or after the full stop; bullets, emphasis and thinking aloud are taken off."""
    assert [(s.text, s.cited, s.new_line) for s in cut(TEXT, size)] == SENTENCES


def test_a_sentence_is_handed_out_when_the_next_one_has_begun() -> None:
    """Not before: a mark may follow the full stop."""
    cutter = Cutter()
    assert list(cutter.feed("The barge broke down. ")) == []
    assert list(cutter.feed("[1")) == []
    assert list(cutter.feed("] It")) == []
    assert list(cutter.feed(" was")) == [Written("The barge broke down.", (1,))]
    assert [s.text for s in cutter.feed(" repaired.")] == []
    assert [s.text for s in cutter.close()] == ["It was repaired."]


def test_numbers_stand_before_the_final_mark() -> None:
    """As in answers made of quotations."""
    assert Written("It broke down.", ()).marked([1, 2]) == "It broke down [1][2]."
    assert Written("Who paid", ()).marked([3]) == "Who paid [3]"
    assert Written("It broke down.", ()).marked([]) == "It broke down."


@pytest.mark.parametrize("text", ["", " \n\n ", "[1] [2]", "…", "---", "<think>never ends", "```\n```"])
def test_what_holds_no_words_is_no_sentence(text: str) -> None:
    """Nothing is made of nothing."""
    assert cut(text, 3) == []


def test_what_people_cannot_see_is_taken_off() -> None:
    """Controls, zero-width and bidirectional characters, halves of characters, tags."""
    assert cut("The \u202ebarge\u200b broke\x07 down\U000e0041\ud800 [1].", 4) == [Written("The barge broke down.", (1,))]


def test_a_bracket_that_is_no_mark_stays() -> None:
    """A year, a remark."""
    (sentence,) = cut("It [the barge] broke down in [2019] again [1].", 5)
    assert sentence == Written("It [the barge] broke down in [2019] again.", (1,))
