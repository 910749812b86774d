"""A folder -> what is asked and what it is asked of. What lies in the folder says which form it has.

    questions.jsonl, conversations.jsonl     the project's own sets, judged on the project's index
    corpus.jsonl, queries.jsonl, qrels.tsv   a test collection in the manner of BEIR (Thakur et al. 2021)
      and answers.jsonl with `answers`       exact answers with where they start, as in SQuAD (Rajpurkar et al. 2018)
      and answers.jsonl with `answerability` the last turns of conversations, as in MTRAG (Katsis et al. 2025)
    pdfs/, queries.jsonl, qrels.tsv          pages of PDFs, `name#p0` the first, as in FinanceBench (Islam et al. 2023)

Every line is checked before anything is indexed or asked. Left out: making documents and an index of it (material).
"""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from eunato_rag.errors import CorpusError
from eunato_rag.evaluation.questions import (
    CONVERSATIONS,
    QUESTIONS,
    Evidence,
    Judgement,
    Question,
    WholeDocument,
    WholePage,
    read_conversations,
    read_questions,
    read_rows,
    sample,
    text_of,
)
from eunato_rag.evaluation.ranking import require
from eunato_rag.records import Role, Turn

CORPUS, QUERIES, QRELS, ANSWERS, PDFS = "corpus.jsonl", "queries.jsonl", "qrels.tsv", "answers.jsonl", "pdfs"

Form = Literal["questions", "retrieval", "spans", "conversations", "pages"]

_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "agent": "assistant"}
_ANSWERABILITY = {"ANSWERABLE": True, "PARTIAL": True, "UNANSWERABLE": False}


@dataclass(frozen=True, slots=True)
class Item:
    """One text of a test collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    history: tuple[Turn, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a folder asks, and of what: texts, PDFs, or, where it has neither, the project's own index.

    `answers` says whether answers are asked for, or passages alone.
    """

    name: str
    form: Form
    questions: tuple[Question, ...]
    conversations: tuple[Question, ...] = ()
    items: tuple[Item, ...] = ()
    files: tuple[Path, ...] = ()
    answers: bool = True

    @property
    def asked(self) -> tuple[Question, ...]:
        return (*self.questions, *self.conversations)

    @property
    def apart(self) -> bool:
        """Whether it brings its own documents, and needs an index of its own."""
        return bool(self.items or self.files)

    def sampled(self, limit: int) -> Collection:
        """The collection with so many of its questions and of its conversations, evenly spaced; with all for 0."""
        questions, conversations = (tuple(sample(asked, limit)) for asked in (self.questions, self.conversations))
        return replace(self, questions=questions, conversations=conversations)


def read_collection(folder: Path) -> Collection:
    """The collection in a folder.

    Raises:
        CorpusError: the folder has none of the forms, or a line of a file is not what it should be.
        SettingsError: what measures ranked documents is not installed.
    """
    there = {name for name in (QUESTIONS, CONVERSATIONS, CORPUS, QUERIES, QRELS, ANSWERS) if (folder / name).is_file()}
    name = folder.resolve().name
    if there & {QUESTIONS, CONVERSATIONS}:
        questions = read_questions(folder) if QUESTIONS in there else []
        conversations = read_conversations(folder) if CONVERSATIONS in there else []
        return Collection(name, "questions", tuple(questions), tuple(conversations))
    if (folder / PDFS).is_dir() and {QUERIES, QRELS} <= there:
        return _pages(folder, name, ANSWERS in there)
    if {CORPUS, QUERIES} <= there and there & {QRELS, ANSWERS}:
        require()
        return _texts(folder, name, there)
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder}. For example: eunato-rag eval tests/eval")
    raise CorpusError(
        f"{folder} is no set of questions: of the files looked for it holds {', '.join(sorted(there)) or 'none'}. Looked for were "
        f"{QUESTIONS} or {CONVERSATIONS}; or {CORPUS}, {QUERIES} and {QRELS} or {ANSWERS}; or {PDFS}/, {QUERIES} and {QRELS}."
    )


def _texts(folder: Path, name: str, there: Container[str]) -> Collection:
    items = _items(folder / CORPUS)
    queries = _queries(folder / QUERIES)
    judged = _qrels(folder / QRELS, queries, items) if QRELS in there else None
    if ANSWERS not in there:
        known = ((i, query, (judged or {}).get(i)) for i, query in queries.items())
        asked = [Question(i, query.kind, query.text, (), relevant=graded, history=query.history) for i, query, graded in known if graded]
        return Collection(name, "retrieval", tuple(asked), items=tuple(items.values()), answers=False)
    path, questions, spans = folder / ANSWERS, dict[str, Question](), False
    for number, row in read_rows(path):
        identity = text_of(path, number, row, "id")
        if identity not in queries:
            raise CorpusError(f"{path}, line {number}: there is no query {identity!r} in {QUERIES}")
        spans |= "answers" in row
        query = queries[identity]
        relevant = judged.get(identity, {}) if judged is not None else _gold(path, number, row, items)
        kind, answerable = _kind(path, number, row)
        evidence: tuple[Evidence, ...] = tuple(WholeDocument(document) for document in relevant)
        if "answers" in row:
            evidence = _spans(path, number, row, items)
        if bool(evidence) != bool(answerable) and answerable is not None:
            raise CorpusError(f"{path}, line {number}: {identity!r} is {kind}, yet it has {len(evidence)} items of evidence")
        questions[identity] = Question(
            identity, kind, query.text, evidence, answerable=answerable, relevant=relevant, history=query.history
        )
    asked = [questions[identity] for identity in queries if identity in questions]
    return Collection(name, "spans" if spans else "conversations", tuple(asked), items=tuple(items.values()))


def _pages(folder: Path, name: str, answers: bool) -> Collection:
    files = {path.stem: path for path in sorted((folder / PDFS).glob("*.pdf"))}
    queries = _queries(folder / QUERIES)
    asked = []
    for identity, places in _qrels(folder / QRELS, queries, files, pages=True).items():
        evidence = tuple(WholePage(document, int(page) + 1) for document, _, page in (place.rpartition("#p") for place in places))
        asked.append(Question(identity, queries[identity].kind, queries[identity].text, evidence, answerable=True))
    return Collection(name, "pages", tuple(asked), files=tuple(files.values()), answers=answers)


def _items(path: Path) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for number, row in read_rows(path):
        identity, text, title = text_of(path, number, row, "id"), row.get("text"), row.get("title") or ""
        if not isinstance(text, str) or not isinstance(title, str):
            raise CorpusError(f"{path}, line {number}: title and text should be text")
        if identity in items:
            raise CorpusError(f"{path}, line {number}: the id {identity!r} stands twice")
        items[identity] = Item(identity, title, text)
    if not any(item.text.strip() for item in items.values()):
        raise CorpusError(f"{path} holds no text. It should hold one object a line with id, title and text.")
    return items


def _queries(path: Path) -> dict[str, _Query]:
    queries: dict[str, _Query] = {}
    for number, row in read_rows(path):
        identity = text_of(path, number, row, "id")
        if identity in queries:
            raise CorpusError(f"{path}, line {number}: the id {identity!r} stands twice")
        turns = []
        for turn in row.get("history") or ():
            if not isinstance(turn, dict) or turn.get("role") not in _ROLES:
                raise CorpusError(f"{path}, line {number}: a turn of history needs a role of {', '.join(_ROLES)}, and text")
            turns.append(Turn(_ROLES[turn["role"]], text_of(path, number, turn, "text")))
        kind = row.get("question_type")
        queries[identity] = _Query(text_of(path, number, row, "text"), tuple(turns), kind if isinstance(kind, str) else "query")
    return queries


def _qrels(path: Path, queries: Container[str], documents: Container[str], *, pages: bool = False) -> dict[str, dict[str, int]]:
    """Query -> document -> its grade above zero; with `pages`, a page of one. The first line is a header."""
    judged: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text("utf-8").split("\n")[1:]
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}. It should be a header and lines of query, document, score.") from error
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        fields = line.rstrip("\r").split("\t")
        try:
            query, place, grade = fields[0], fields[1], int(fields[2])
        except (IndexError, ValueError) as error:
            raise CorpusError(f"{path}, line {number}, should be query, document and score with tabs between: {line!r}") from error
        document, _, page = place.rpartition("#p")
        known = document in documents and page.isdecimal() if pages else place in documents
        if query not in queries:
            raise CorpusError(f"{path}, line {number}: there is no query {query!r} in {QUERIES}")
        if not known:
            where = f"page {place!r} of a file in {PDFS}/ (name#p0 is the first)" if pages else f"document {place!r} in {CORPUS}"
            raise CorpusError(f"{path}, line {number}: there is no {where}")
        if grade > 0:
            judged.setdefault(query, {})[place] = grade
    return judged


def _gold(path: Path, number: int, row: Mapping[str, Any], items: Container[str]) -> dict[str, int]:
    """The passages that an answer names as its own, where there are no qrels; none where there is no answer."""
    if row.get("answerable") is False:
        return {}
    named = [row["gold_passage"]] if "gold_passage" in row else row.get("gold_passages") or []
    for name in named:
        if name not in items:
            raise CorpusError(f"{path}, line {number}: there is no document {name!r} in {CORPUS}")
    return dict.fromkeys(named, 1)


def _kind(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, bool | None]:
    """What kind of question it is, and whether it should be answered; None where that cannot be said."""
    if isinstance(row.get("answerable"), bool):
        return ("answerable" if row["answerable"] else "unanswerable"), row["answerable"]
    answerability = text_of(path, number, row, "answerability")
    return answerability.lower(), _ANSWERABILITY.get(answerability.upper())


def _spans(path: Path, number: int, row: Mapping[str, Any], items: Mapping[str, Item]) -> tuple[Judgement, ...]:
    """Every place at which an answer starts."""
    try:
        places = [(answer["text"], start) for answer in row["answers"] for start in answer["starts"]]
        item = items[row["gold_passage"]] if places else None
    except (TypeError, KeyError) as error:
        raise CorpusError(f"{path}, line {number}, needs gold_passage, and answers with text and starts: {error}") from error
    found = []
    for text, start in places:
        if item is None or item.text[start : start + len(text)] != text:
            raise CorpusError(f"{path}, line {number}: {text!r} does not stand at {start} of {row['gold_passage']}")
        found.append(Judgement(item.id, start, start + len(text), text))
    return tuple(found)
