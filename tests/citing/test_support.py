"""Sentences of a draft against the corpus: labels, evidence and reasons; how often they are right, is measured on labelled claims."""

from __future__ import annotations

import pytest

from eunato_rag.citing.claims_about import attributed, claims_nothing, clauses, resolved
from eunato_rag.citing.support import Judge, Judgement
from eunato_rag.engine import Engine
from tests.citing.judging import Judged, judge_all, macro_f1, read_claims


@pytest.fixture(scope="module")
def judged(paper_engine: Engine) -> list[Judged]:
    return judge_all(paper_engine, list(read_claims()))


@pytest.fixture(scope="module")
def judge(paper_engine: Engine) -> Judge:
    return Judge(paper_engine.snapshot, paper_engine.embedder, paper_engine.search)


def told(judge: Judge, sentence: str, *before: str) -> Judgement:
    judgement = judge.judge(sentence, before)
    assert judgement is not None
    return judgement


def test_on_claims_that_it_was_not_fitted_on(judged: list[Judged]) -> None:
    """Macro-F1 over supported, contradicted and not found is three quarters and more (82 sentences)."""
    held_out = [one for one in judged if one.claim.held_out]
    assert len([one for one in held_out if one.claim.label]) >= 80
    assert macro_f1(held_out) >= 0.75


def test_on_the_claims_that_it_was_fitted_on(judged: list[Judged]) -> None:
    """Nine of ten (78 sentences)."""
    assert macro_f1([one for one in judged if not one.claim.held_out]) >= 0.88


def test_on_sentences_that_no_rule_was_made_with(paper_engine: Engine) -> None:
    """Of 45 by another hand 40 are right; nothing that the paper does not say is called supported or contradicted."""
    judged = judge_all(paper_engine, list(read_claims("unseen.jsonl")))
    assert macro_f1(judged) >= 0.85
    assert all(one.label == "not_found" for one in judged if one.claim.label == "not_found")


def test_no_changed_number_or_date_is_called_supported(judged: list[Judged]) -> None:
    """On neither half: this is the mistake that a writer can least afford."""
    changed = [one for one in judged if one.claim.label == "contradicted" and one.claim.kind in ("number", "date")]
    assert len(changed) >= 15
    assert [one.claim.sentence for one in changed if one.label == "supported"] == []


def test_what_claims_nothing_is_left_alone_and_no_claim_is(judged: list[Judged]) -> None:
    """Nine of ten of the one, none of the other."""
    empty = [one for one in judged if one.claim.label is None]
    assert sum(one.label is None for one in empty) >= 0.9 * len(empty)
    assert [one.claim.sentence for one in judged if one.claim.label is not None and one.label is None] == []


def test_what_is_called_supported_or_contradicted_has_evidence_and_the_rest_has_none(judged: list[Judged]) -> None:
    """And every judgement says why, in one sentence."""
    for one in judged:
        if one.judgement is not None:
            assert bool(one.judgement.runs) == (one.label != "not_found")
            assert one.judgement.why.endswith(".")


def test_the_evidence_is_the_place_that_says_it(judged: list[Judged]) -> None:
    """Nine of ten rightly labelled sentences are given the passage that was named by hand, or a part of it."""
    right = [one for one in judged if one.claim.evidence and one.judgement is not None and one.label == one.claim.label]
    there = [one for one in right if any(one.claim.evidence in run.source.passage.text for run in one.judgement.runs)]  # type: ignore[union-attr]
    assert len(there) >= 0.9 * len(right)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ("In 2024, 25 out of 32 Allies reached 2 % of GDP.", "The evidence says 23, the draft 25."),
        ("In 2024, 23 out of 32 Allies reached 3 % of GDP.", "The evidence says 2 per cent, the draft 3 per cent."),
        ("The Pooling and Sharing concept was adopted in 2011.", "The evidence says 2010, the draft 2011."),
        ("Integrated Resolve 2024 was concluded by the EU in the summer of 2024.", "The evidence says fall, the draft summer."),
        ("Nordic and Baltic countries are already successfully working together, mobilising tourists for Ukraine.", ""),
    ],
)
def test_a_contradiction_names_both_sides(judge: Judge, changed: str, why: str) -> None:
    """As a writer can check at a glance; a word of another meaning is no support either."""
    judgement = told(judge, changed)
    assert judgement.label != "supported"
    if why:
        assert (judgement.label, judgement.why) == ("contradicted", why)


@pytest.mark.parametrize(
    "sentence",
    [
        "In 2024, 32 Allies reached two per cent of GDP.",
        "In 2024, 23 out of 23 Allies reached 2 % of GDP.",
        "More than 30 Allies reached two per cent of GDP in 2024.",
        "More than 23 Allies reached two per cent of GDP in 2024.",
        "Eight Allies miss the target, and eight of them are EU Member States.",
        "The seven original areas of cooperation now include seven common proposals.",
        "As of May 2024, more than 32 such meetings have taken place.",
        "In 2024, within PACE, the EU conducted Integrated Resolve 2022 in parallel with NATO.",
        "The 2021 declaration, signed in Warsaw, covered seven areas.",
        "As of June 2024, over 50 such meetings have taken place.",
    ],
)
def test_a_number_of_the_evidence_in_the_wrong_place_supports_nothing(judge: Judge, sentence: str) -> None:
    """A whole is no part, a number said once is not said twice, and a year belongs to its event."""
    assert told(judge, sentence).label != "supported"


@pytest.mark.parametrize(
    "sentence",
    [
        "In 2024, 23 of NATO's 32 Allies reached two per cent of GDP.",
        "More than 20 Allies reached two per cent of GDP in 2024.",
        "At least 50 such meetings had taken place by May 2024.",
        "There are now 74 common proposals in the seven areas of cooperation.",
        "There are 74 common proposals in the seven original areas of cooperation, assessed twice a year.",
        "In the autumn of 2024 the EU concluded the crisis response exercise Integrated Resolve 2024.",
    ],
)
def test_a_number_in_another_form_is_the_same_number(judge: Judge, sentence: str) -> None:
    """Words and digits, per cent and %, what follows from a count, twice a year and biannually."""
    assert told(judge, sentence).label == "supported"


def test_who_is_said_to_say_so_is_checked_too(judge: Judge) -> None:
    """Against the author and the year of the document; somebody whom nothing names is not found."""
    claim = "the latest joint declaration needs to be updated"
    assert told(judge, f"According to Federica Mangiameli, {claim}.").label == "supported"
    assert told(judge, f"In her 2025 paper, Mangiameli argues that {claim}.").label == "supported"
    wrong = told(judge, f"In her 2021 paper, Mangiameli argues that {claim}.")
    assert wrong.label == "contradicted"
    assert wrong.why.startswith("The document is of 2025, the draft says 2021")
    nobody = told(judge, f"According to Jane Doe, {claim}.")
    assert (nobody.label, nobody.why) == ("not_found", "Nothing in the documents mentions “Jane” and “Doe”.")


def test_a_pronoun_is_read_as_the_subject_of_the_sentence_before(judge: Judge) -> None:
    """So that the right document, and the right year, are looked for."""
    before = "The Pooling and Sharing concept was meant to save money."
    assert told(judge, "It was adopted in 2010.", before).label == "supported"
    assert told(judge, "It was adopted in 2014.", before).label == "contradicted"


def test_half_a_truth_is_not_found_and_the_other_half_is_named(judge: Judge) -> None:
    """With the nearest place, for the writer to look at."""
    judgement = told(
        judge, "Military mobility is the flagship initiative of EU-NATO cooperation, and it has cost 300 million euros so far."
    )
    assert judgement.label == "not_found"
    assert "300 million" in judgement.why
    assert judgement.nearest is not None


def test_without_passages_nothing_is_found(paper_engine: Engine) -> None:
    """And nothing fails."""
    lonely = Judge(paper_engine.snapshot, paper_engine.embedder, lambda text: ())
    assert told(lonely, "NATO has 32 members.") == Judgement("not_found", (), "Nothing in the documents speaks of this.")


@pytest.mark.parametrize("sentence", ["", "   ", "12 34 56", "…", "?!", "🙂🙂"])
def test_what_has_no_words_claims_nothing(judge: Judge, sentence: str) -> None:
    """Nor does it fail."""
    assert judge.judge(sentence) is None


def test_another_language_or_a_whole_text_is_not_found(judge: Judge) -> None:
    """With a reason that fits."""
    assert told(judge, "Die Europäische Verteidigungsagentur wurde im Jahre 2004 gegründet.").label == "not_found"
    assert "sentence by sentence" in told(judge, "The EU and NATO cooperate " + "very " * 2000 + "well.").why


def test_a_claim_is_told_from_who_makes_it() -> None:
    """Verbs that look like it are left alone."""
    assert attributed("According to the paper, the pledge is new.").core == "The pledge is new."
    assert attributed("Mangiameli argues that the pledge is new.").who == "Mangiameli"
    assert attributed("The pledge, as the author notes, is new.").core == "The pledge is new."
    assert not attributed("The idea was proposed by the institute in 2016.").said
    assert not attributed("EU states have shown little interest.").said


def test_a_pronoun_gives_way_to_a_subject_and_to_nothing_else() -> None:
    """An `it` that stands for what follows keeps its place."""
    assert resolved("It failed in 2010.", "The programme was costly.") == "The programme failed in 2010."
    assert resolved("It is clear that it failed.", "The programme was costly.") == "It is clear that it failed."
    assert resolved("Others failed.", "The programme was costly.") == "Others failed."


def test_a_sentence_of_two_claims_is_cut_in_two() -> None:
    """Enumerations are not cut."""
    assert clauses("While the lake supplies the old town, the wells supply all of the suburbs.") == [
        "The lake supplies the old town",
        "The wells supply all of the suburbs.",
    ]
    assert len(clauses("The lake supplies the town, the suburbs, and the port.")) == 1


@pytest.mark.parametrize(
    ("sentence", "empty"),
    [
        ("Should NATO have more members?", True),
        ("In the next section, I turn to defence spending.", True),
        ("I would like to thank the interviewed officials.", True),
        ("The rest of this paper is in three parts.", True),
        ("The rest of the water comes from two wells.", False),
        ("Thanks to the meetings, cooperation works.", False),
        ("Costs rose.", False),
        ("I believe that NATO has 32 members.", False),
    ],
)
def test_what_says_nothing_of_the_world_is_told_from_what_does(sentence: str, empty: bool) -> None:
    """A question, a greeting, an announcement."""
    assert claims_nothing(sentence) is empty
