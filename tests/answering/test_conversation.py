"""What a follow-up means: what leans on its conversation is resolved, what stands alone takes nothing along."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eunato_rag import evaluation
from eunato_rag.answering.conversation import MAX_LEANING, MAX_TURNS, standalone_question
from eunato_rag.engine import Engine
from eunato_rag.errors import InvalidQuestion
from eunato_rag.indexing.keywords import analyse
from eunato_rag.records import Turn
from tests.conftest import ROOT

COMMON = frozenset(analyse("EU NATO European defence cooperation Member States Allies"))

PESCO = "What is PESCO?"
FUND = "What is the European Defence Fund?"
FAILED = "Why did Pooling and Sharing fail?"
FIRST = "When did the EU and NATO sign joint declarations?"
TARGET = "Does Italy meet the 2% target?"
SHARING = "Why do the EU and NATO struggle to share classified information?"
PROVIDES = "The European Defence Fund (EDF) **pays** for joint procurement, overseen by the European Defence Agency (EDA) [1]."


def weight(term: str) -> float:
    """Rarity as in a corpus about the EU and NATO."""
    return 0.3 if term in COMMON else 3.0


def conversation(*said: str) -> tuple[Turn, ...]:
    """Turns of a user and the service, one after the other."""
    return tuple(Turn("assistant" if n % 2 else "user", text) for n, text in enumerate(said))


def meant(question: str, *said: str) -> str:
    return standalone_question(question, conversation(*said), weight)


@pytest.mark.parametrize(
    ("before", "question", "standalone"),
    [
        # a pronoun is replaced by the one thing that the question before was about
        (FUND, "When was it set up?", "When was the European Defence Fund set up?"),
        (FAILED, "When was it adopted?", "When was Pooling and Sharing adopted?"),
        (FAILED, "So it was a failure?", "So Pooling and Sharing was a failure?"),
        (PESCO, "Which non-EU countries are part of it?", "Which non-EU countries are part of PESCO?"),
        (PESCO, "Who takes part in it and since when?", "Who takes part in PESCO and since when?"),
        (PESCO, "What does the initiative cover?", "What does PESCO cover?"),
        (PESCO, "Is the initiative successful?", "Is PESCO successful?"),
        (PESCO, "Is this initiative open to others?", "Is PESCO open to others?"),
        (PESCO, "Was this programme ever evaluated?", "Was PESCO ever evaluated?"),
        (PESCO, "what are its aims?", "what are PESCO's aims?"),
        ("What was Pooling and Sharing?", "What were its results?", "What were Pooling and Sharing's results?"),
        ("what is the european defence fund", "when did it begin", "when did the european defence fund begin"),
        ("Who is Pete Hegseth?", "What did he call for?", "What did Pete Hegseth call for?"),
        ("How does the EU support PESCO?", "When was it launched?", "When was PESCO launched?"),
        ("What is the difference between CDP and CARD?", "Which of them is older?", "Which of CDP and CARD is older?"),
        ("What is the Strategic Compass?", "When did the EU adopt it?", "When did the EU adopt the Strategic Compass?"),
        # a bare noun that was said before gets back what told which
        ("When was the third joint declaration signed?", "Who signed the declaration?", "Who signed the third joint declaration?"),
        ("How many staff-to-staff meetings took place?", "Are the meetings useful?", "Are the staff-to-staff meetings useful?"),
        # one of several
        (FIRST, "What did the first one cover?", "What did the first joint declaration cover?"),
        (FIRST, "Which one is the most recent?", "Which joint declaration is the most recent?"),
        ("What does the second joint declaration cover?", "what's missing in the third?", "what's missing in the third joint declaration?"),
        # a fragment puts something in the place of its parallel
        ("What did the EU and NATO sign in 2016?", "And in 2018?", "What did the EU and NATO sign in 2018?"),
        ("What happened in 2016?", "How about 2023?", "What happened in 2023?"),
        ("What was agreed?", "In 2018?", "What was agreed in 2018?"),
        ("Who proposed a target of 2% of GDP?", "And 3.5%?", "Who proposed a target of 3.5% of GDP?"),
        ("What did the first declaration cover?", "and the second?", "What did the second declaration cover?"),
        ("Is Norway part of PESCO?", "What about the UK?", "Is the UK part of PESCO?"),
        ("Is Norway part of PESCO?", "is canada too?", "Is canada part of PESCO?"),
        ("Is PESCO open to Norway?", "And for Canada?", "Is PESCO open to Canada?"),
        ("What does the EU contribute?", "And NATO?", "What does NATO contribute?"),
        ("What does CARD do?", "And the CDP?", "What does the CDP do?"),
        (TARGET, "Does Spain?", "Does Spain meet the 2% target?"),
        (TARGET, "Spain?", "Does Spain meet the 2% target?"),
        (TARGET, "Sorry, I meant Portugal.", "Does Portugal meet the 2% target?"),
        ("How many took part in Integrated Resolve 2022?", "I meant the one in 2024.", "How many took part in Integrated Resolve 2024?"),
        ("What was decided at the summit in Warsaw?", "And in Madrid?", "What was decided at the summit in Madrid?"),
        ("What is deterrence?", "And resilience?", "What is resilience?"),
        ("What is PESCO?", "Great, thanks. And CARD?", "What is CARD?"),
        # everything else is joined
        (TARGET, "Why?", f"{TARGET} Why?"),
        (TARGET, "why doesn't it?", f"{TARGET} Why doesn't it?"),
        (FAILED, "any examples?", f"{FAILED} Any examples?"),
        (FAILED, "More details please", f"{FAILED} More details please"),
        (FAILED, "Thanks! Who said that?", f"{FAILED} Who said that?"),
        (FAILED, "and the reason?", f"{FAILED} And the reason?"),
        ("Is there an office in Brussels?", "Since when?", "Is there an office in Brussels? Since when?"),
        ("Which Allies miss the target?", "who doesn't?", "Which Allies miss the target? Who doesn't?"),
        ("How many Allies miss the target?", "Which Allies?", "How many Allies miss the target? Which Allies?"),
        (FAILED, "does the paper say why?", f"{FAILED} Does the paper say why?"),
        (FAILED, "Does she say why?", f"{FAILED} Does she say why?"),
        (FAILED, "According to whom?", f"{FAILED} According to whom?"),
        (PESCO, "Does NATO have one?", f"{PESCO} Does NATO have one?"),
        (PESCO, "Is there a similar instrument in NATO?", f"{PESCO} Is there a similar instrument in NATO?"),
        (PESCO, "Is this true?", f"{PESCO} Is this true?"),
        (PESCO, "Where is this language spoken?", f"{PESCO} Where is this language spoken?"),
        ("military mobility", "how is it organised", "military mobility. How is it organised"),
        ("Who wrote the song?", "Do you know when the song was released?", "Who wrote the song? Do you know when the song was released?"),
        (PESCO, "What were the results?", f"{PESCO} What were the results?"),
        (PESCO, "Are there other instruments like that?", f"{PESCO} Are there other instruments like that?"),
        ("Is Norway part of PESCO?", "What about military mobility?", "Is Norway part of PESCO? What about military mobility?"),
        (SHARING, "How do they get around that?", f"{SHARING} How do they get around that?"),
        ("What did NATO adopt in Madrid?", "Did the EU do the same?", "What did NATO adopt in Madrid? Did the EU do the same?"),
        ("How do their staff meet?", "How many such meetings were there?", "How do their staff meet? How many such meetings were there?"),
        ("What did NATO decide in 2016?", "What happened then?", "What did NATO decide in 2016? What happened then?"),
        ("How do the EU and NATO differ?", "Do both have an army?", "How do the EU and NATO differ? Do both have an army?"),
        ("Why do they hold exercises?", "Between whom?", "Why do they hold exercises? Between whom?"),
    ],
)
def test_a_question_that_leans_on_the_one_before_is_resolved(before: str, question: str, standalone: str) -> None:
    """By replacing what can be replaced, else by saying the question before again."""
    assert meant(question, before, "An answer.") == standalone


@pytest.mark.parametrize(
    "question",
    [
        # nothing points anywhere
        "What is CARD?",
        "Who chairs the EU Military Committee?",
        "What are the main obstacles to information sharing?",
        "Tell me about the White Paper on the Future of European Defence.",
        "And how did NATO respond to the Strategic Compass?",
        "Next: what is CARD?",
        "Thanks! What is CARD?",
        "military mobility",
        # the antecedent stands in the question
        "Does the EU say how it will fund its ambitions?",
        "When is the White Paper due and who asked for it?",
        "Which countries increased their defence spending?",
        "What do the EU's partners expect of it?",
        "Did the Allies who signed the pledge keep their promise?",
        "What about Steadfast Dagger, who organised that?",
        "Is NATO able to defend its members without the US?",
        "If Europeans stepped up, why would that suit the Americans?",
        "Are there any joint exercises, or only coordinated ones?",
        "Do NATO and the EU have the same goals?",
        # words that look like signs
        "Is it true that the EU cannot replace NATO?",
        "How likely is it that the US leaves Europe?",
        "Why is it so hard for the EU and NATO to share classified information?",
        "Who said that the EU should not be a cashbox?",
        "What is the document that introduced strategic autonomy?",
        "Why are there no joint exercises?",
        "Hello there, what is CARD?",
        "What does NATO do?",
        "What limits the production of similar weapons?",
        "Who knows when the White Paper is due?",
        "How long does it usually take to adopt a declaration?",
        "Why do those who work with NATO complain?",
        "Is there one reason or several for the failure of the Battlegroups?",
        "What exercises such as Steadfast Dagger took place?",
        # the paper is what the corpus is about
        "Who is the author of this paper?",
        "What does the paper recommend on exercises?",
        # nothing to search for
        "thanks!",
        "Hello",
        "ok, good to know",
    ],
)
@pytest.mark.parametrize("before", [PESCO, "How many staff-to-staff meetings have taken place?", FAILED])
def test_a_question_that_stands_alone_takes_nothing_along(before: str, question: str) -> None:
    """To the letter, whatever was said before."""
    assert meant(question, before, PROVIDES) == question


@pytest.mark.parametrize(
    ("said", "question", "standalone"),
    [
        (
            ("Which instrument pays for joint procurement?", PROVIDES),
            "Who oversees it?",
            "Which instrument pays for joint procurement (European Defence Fund, European Defence Agency)? Who oversees it?",
        ),
        (
            ("Where did NATO take a historical decision?", "In the same year in Warsaw, NATO took a historical decision [2]."),
            "What else happened there?",
            "Where did NATO take a historical decision (Warsaw)? What else happened there?",
        ),
        (
            ("Which document introduced strategic autonomy?", "The [EU Strategic Compass](https://compass.example) did [1, 2]."),
            "When was the document adopted?",
            "Which document introduced strategic autonomy (EU Strategic Compass)? When was the document adopted?",
        ),
        (("Who wrote about it?", "The documents do not answer this question."), "When?", "Who wrote about it? When?"),
    ],
)
def test_what_answered_a_question_for_a_thing_is_named(said: tuple[str, ...], question: str, standalone: str) -> None:
    """A pronoun after "which" may mean the answer: its names come along, without numbers and markup."""
    assert meant(question, *said) == standalone


def test_follow_ups_of_follow_ups_are_resolved_in_turn() -> None:
    """Each is understood as it was asked, chatter between them notwithstanding."""
    said = [FIRST, "In 2016, 2018 and 2023 [1].", "What did the first one cover?", "Seven areas [1].", "thanks!", "You are welcome."]
    assert meant("And the second one?", *said) == "What did the second joint declaration cover?"
    said += ["And the second one?", "The documents do not answer this question.", FUND, PROVIDES, "Who oversees it?", "The EDA does [1]."]
    assert meant("Since when?", *said) == "Who oversees the European Defence Fund? Since when?"


def test_an_earlier_question_is_taken_up_by_its_noun() -> None:
    """What lies between does not matter."""
    said = (
        "How many staff-to-staff meetings have taken place?",
        "Over 50 [1].",
        "What should frontline countries propose?",
        "Projects [1].",
    )
    expected = "Back to the staff-to-staff meetings: are they an institutionalised practice?"
    assert meant("Back to the meetings: are they an institutionalised practice?", *said) == expected


def test_without_a_question_before_it_a_question_stays_as_it_is() -> None:
    """No history, greetings alone, an assistant alone, empty turns, or the question sent as its own history."""
    for said in ((), ("hello", "How can I help?"), ("", "Welcome to the PESCO pages."), ("👍",), ("Why was it adopted?",)):
        assert meant("Why was it adopted?", *said) == "Why was it adopted?"


def test_a_long_question_says_what_it_is_about() -> None:
    """And a long earlier one is said again by its end, where its question is."""
    long = "We are writing a report on the armies of Europe. " * 10
    assert meant(f"{long * 2}Why was it adopted?", FAILED) == f"{long * 2}Why was it adopted?"
    assert meant("Why?", f"{long}Does Italy meet the target?", "No.").endswith("Europe. Does Italy meet the target? Why?")
    assert len(meant("Why?", "x" * 4000)) < MAX_LEANING


def test_a_long_history_costs_little_and_its_beginning_does_not_matter() -> None:
    """Only the last questions are read, and only the beginning of their answers."""
    said = ("EU it the same " * 250, "The [EU](x) of NATO “ [1]. " * 1000) * (MAX_TURNS // 2)
    began = time.perf_counter()
    assert meant("Why was it adopted?", *said, FUND, PROVIDES) == "Why was the European Defence Fund adopted?"
    assert time.perf_counter() - began < 2


PIECES = (
    "it its the that this one ones she both What about Which And in 2018 2% “ ” \" ' ’ ? ! . ( ) [1] ` İ ß 🙂 — EU P&S's Hegseth \n".split(
        " "
    )
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map(" ".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS.filter(str.strip), st.lists(TEXTS, max_size=5))
def test_whatever_was_said_a_question_comes_back(question: str, said: list[str]) -> None:
    """The same each time, and itself where nothing was said before."""
    standalone = meant(question, *said)
    assert standalone.strip()
    assert standalone == meant(question, *said)
    assert meant(question) == question


def ask(engine: Engine, question: str, *said: str) -> tuple[str, str]:
    answer = engine.ask(question, history=conversation(*said))
    assert answer.question == question
    return answer.standalone_question, answer.text


def test_the_engine_searches_for_what_is_meant(engine: Engine) -> None:
    """The answer keeps the question as asked beside what was searched for."""
    standalone, text = ask(engine, "When was it dredged?", "How deep is the harbour at Lindholm?", "It is 14 metres deep [1].")
    assert standalone == "How deep is the harbour at Lindholm? When was it dredged?"
    assert "The harbour at Lindholm was dredged in 2019 [" in text
    assert ask(engine, "Do the pears keep?", "How deep is the harbour at Lindholm?", "14 metres.")[0] == "Do the pears keep?"


def test_a_long_question_is_not_made_too_long_by_its_history(engine: Engine) -> None:
    """What can be asked alone can be asked in a conversation."""
    question = "Why was it adopted? " * 200
    assert ask(engine, question.strip(), "What is the harbour? " * 100, "A harbour.")[0] == question.strip()


@pytest.mark.parametrize(
    ("history", "wrong"),
    [
        ([Turn("user", "x")] * 51, "51 turns; at most 50"),
        ([Turn("user", "x" * 4001)], "Turn 1 of the history, by the user, has 4,001 characters; at most 4,000"),
        ([Turn("user", "x"), Turn("assistant", "x" * 32_001)], "Turn 2 of the history, by the assistant, has 32,001"),
        ([Turn("assistant", "half \ud83d")], "lone surrogate"),
    ],
)
def test_a_history_out_of_bounds_is_refused(engine: Engine, history: Sequence[Turn], wrong: str) -> None:
    """With what is wrong and what would be right; the largest that is allowed passes."""
    with pytest.raises(InvalidQuestion, match=wrong):
        engine.ask("Why?", history=history)
    engine.ask("Why?", history=[Turn("user", "x" * 4000), Turn("assistant", "x" * 32_000)] * (MAX_TURNS // 2))


def test_the_judged_questions_stand_alone() -> None:
    """Of the questions that people would ask of the paper at first, hardly any leans on a conversation."""
    asked = [question.question for question in evaluation.read_questions(ROOT / "tests" / "eval")]
    changed = [question for question in asked if meant(question, FUND, PROVIDES) != question]
    assert len(changed) <= 0.04 * len(asked), changed
