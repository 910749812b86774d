"""Folders of every form, and what is said of those that have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.errors import CorpusError
from eunato_rag.evaluation import Judgement, read_collection
from eunato_rag.evaluation.questions import WholeDocument, WholePage
from eunato_rag.records import Turn
from tests.evaluation.conftest import ITEMS, QRELS, QUERIES, SPANS, Write

OWN = [{"id": "a", "kind": "fact", "question": "What?", "evidence": []}]
TURNS = [{"id": "c", "turns": [{"kind": "fact", "question": "What?", "evidence": []}]}]


def test_own_sets_are_asked_of_the_projects_index(write: Write) -> None:
    """Either file will do, or both; a sample takes so many of each."""
    both = read_collection(write("own", questions_jsonl=OWN, conversations_jsonl=TURNS))
    assert (both.name, both.form, both.apart, len(both.questions), len(both.conversations)) == ("own", "questions", False, 1, 1)
    assert read_collection(write("talk", conversations_jsonl=TURNS)).questions == ()
    assert both.sampled(5).asked == both.asked


def test_passages_alone_are_asked_for_where_there_are_no_answers(beir: Path) -> None:
    """Of the judged queries, with the grades above zero."""
    collection = read_collection(beir)
    assert (collection.form, collection.answers, collection.apart) == ("retrieval", False, True)
    assert {q.id: dict(q.relevant) for q in collection.questions} == {"q1": {"ships": 1}, "q2": {"trees": 2}}
    assert [item.id for item in collection.items] == ["ships", "trees", "birds"]


def test_answers_with_starts_are_judgements(squad: Path) -> None:
    """Without qrels the passage that an answer names is the relevant one; that of a question without answer is not."""
    collection = read_collection(squad)
    first, _, third = collection.questions
    assert (collection.form, collection.answers) == ("spans", True)
    assert (first.evidence, dict(first.relevant), first.kind) == ((Judgement("ships", 24, 28, "1871"),), {"ships": 1}, "answerable")
    assert (third.evidence, dict(third.relevant), third.answerable) == ((), {}, False)


def test_conversations_have_turns_before_them(write: Write) -> None:
    """An agent is an assistant; what is underspecified is neither to be answered nor to be refused."""
    history = [{"role": "user", "text": "Tell me of ships."}, {"role": "agent", "text": "Which?"}]
    queries = [{**QUERIES[0], "history": history}, QUERIES[1], QUERIES[2]]
    answers = [
        {"id": "q1", "answerability": "PARTIAL", "gold_passages": ["ships"]},
        {"id": "q2", "answerability": "UNDERSPECIFIED", "gold_passages": ["trees"]},
        {"id": "q3", "answerability": "UNANSWERABLE", "gold_passages": []},
    ]
    collection = read_collection(write("talk", corpus_jsonl=ITEMS, queries_jsonl=queries, answers_jsonl=answers))
    assert collection.form == "conversations"
    assert [(q.kind, q.answerable) for q in collection.questions] == [("partial", True), ("underspecified", None), ("unanswerable", False)]
    assert collection.questions[0].history == (Turn("user", "Tell me of ships."), Turn("assistant", "Which?"))
    assert collection.questions[0].evidence == (WholeDocument("ships"),)


def test_pages_are_counted_from_nought_in_qrels(write: Write) -> None:
    """And from one everywhere else."""
    queries = [{**QUERIES[0], "question_type": "figure"}, QUERIES[1]]
    folder = write("pages", queries_jsonl=queries, qrels_tsv="q\td\ts\nq1\treport#p0\t1\nq1\treport#p4\t1\n")
    (folder / "pdfs").mkdir()
    (folder / "pdfs" / "report.pdf").touch()
    collection = read_collection(folder)
    (question,) = collection.questions
    assert (collection.form, collection.answers, question.kind) == ("pages", False, "figure")
    assert question.evidence == (WholePage("report", 1), WholePage("report", 5))
    (folder / "qrels.tsv").write_text("q\td\ts\nq1\treport\t1\n")
    with pytest.raises(CorpusError, match=r"line 2: there is no page 'report' of a file in pdfs/"):
        read_collection(folder)


def test_a_folder_of_no_form_says_what_was_looked_for(write: Write) -> None:
    """And what of it is there."""
    with pytest.raises(CorpusError, match=r"holds corpus\.jsonl, qrels\.tsv\. Looked for were questions\.jsonl or .* queries\.jsonl and"):
        read_collection(write("half", corpus_jsonl=ITEMS, qrels_tsv=QRELS))
    with pytest.raises(CorpusError, match="There is no folder nowhere"):
        read_collection(Path("nowhere"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"corpus_jsonl": "{}"}, r"corpus\.jsonl, line 1: 'id' should be text"),
        ({"corpus_jsonl": [*ITEMS, ITEMS[0]]}, r"corpus\.jsonl, line 4: the id 'ships' stands twice"),
        ({"corpus_jsonl": [{"id": "a", "text": 1}]}, r"corpus\.jsonl, line 1: title and text should be text"),
        ({"corpus_jsonl": [{"id": "a", "text": " "}]}, r"corpus\.jsonl holds no text"),
        ({"queries_jsonl": [QUERIES[0], QUERIES[0]]}, r"queries\.jsonl, line 2: the id 'q1' stands twice"),
        (
            {"queries_jsonl": [{**QUERIES[0], "history": [{"role": "king", "text": "!"}]}]},
            r"line 1: a turn of history needs a role of user",
        ),
        ({"queries_jsonl": [{**QUERIES[0], "text": ""}]}, r"queries\.jsonl, line 1: 'text' should be text"),
        ({"qrels_tsv": QRELS + "q1 ships 1\n"}, r"qrels\.tsv, line 5, should be query, document and score with tabs"),
        ({"qrels_tsv": QRELS + "q1\tships\tvery\n"}, r"qrels\.tsv, line 5, should be"),
        ({"qrels_tsv": QRELS + "q9\tships\t1\n"}, r"qrels\.tsv, line 5: there is no query 'q9'"),
        ({"qrels_tsv": QRELS + "\nq1\tboats\t1\n"}, r"qrels\.tsv, line 6: there is no document 'boats'"),
        ({"answers_jsonl": [{**SPANS[0], "id": "q9"}]}, r"answers\.jsonl, line 1: there is no query 'q9'"),
        ({"answers_jsonl": [{"id": "q1"}]}, r"answers\.jsonl, line 1: 'answerability' should be text"),
        ({"answers_jsonl": [{**SPANS[0], "answers": [{"text": "1871", "starts": [25]}]}]}, r"'1871' does not stand at 25 of ships"),
        ({"answers_jsonl": [{**SPANS[0], "answers": [{"text": "1871"}]}]}, r"line 1, needs gold_passage, and answers with text and starts"),
        ({"answers_jsonl": [{**SPANS[0], "gold_passage": "boats"}]}, r"line 1, needs gold_passage"),
        ({"answers_jsonl": [{**SPANS[0], "answers": []}]}, r"line 1: 'q1' is answerable, yet it has 0 items of evidence"),
    ],
)
def test_a_broken_file_is_named_with_its_line(write: Write, files: dict[str, object], said: str) -> None:
    """Before anything is indexed."""
    folder = write("broken", **{"corpus_jsonl": ITEMS, "queries_jsonl": QUERIES, "qrels_tsv": QRELS, **files})
    with pytest.raises(CorpusError, match=said):
        read_collection(folder)


def test_an_unknown_gold_passage_is_named(write: Write) -> None:
    """Where there are no qrels it stands for them."""
    answers = [{"id": "q1", "answerability": "ANSWERABLE", "gold_passages": ["boats"]}]
    with pytest.raises(CorpusError, match=r"line 1: there is no document 'boats' in corpus\.jsonl"):
        read_collection(write("talk", corpus_jsonl=ITEMS, queries_jsonl=QUERIES, answers_jsonl=answers))


def test_bytes_that_are_no_text_are_named(beir: Path) -> None:
    """Instead of a traceback."""
    (beir / "queries.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match=r"queries\.jsonl cannot be read"):
        read_collection(beir)
    (beir / "queries.jsonl").write_text("")
    (beir / "qrels.tsv").write_bytes(b"\xff\n\xff")
    with pytest.raises(CorpusError, match=r"qrels\.tsv cannot be read"):
        read_collection(beir)
