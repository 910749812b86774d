"""Verification: paraphrases stand, altered statements do not; how often, is measured on labelled statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eunato_rag.engine import Engine
from eunato_rag.evidence.verification import Source, Verdict, Verifier
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex

STATEMENTS = Path(__file__).with_name("statements")


def read_statements(name: str) -> Iterator[tuple[str, bool, str, str]]:
    """The words that name the passage, whether the statement is faithful, its kind, and itself."""
    anchor = ""
    for line in (STATEMENTS / name).read_text("utf-8").splitlines():
        if line.startswith("@ "):
            anchor = line[2:]
        else:
            label, statement = line.split(" | ", 1)
            yield anchor, label[0] == "+", label[2:], statement


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory, model: Embedder) -> Iterator[Engine]:
    """Three made-up reports, indexed with the real model."""
    folder = tmp_path_factory.mktemp("reports")
    reindex(STATEMENTS / "texts", folder, model, Chunking())
    engine = Engine.open(folder, model)
    yield engine
    engine.snapshot.close()


def judge(engines: tuple[Engine, ...], anchor: str, statement: str) -> list[Verdict]:
    """The verdicts on a statement by each passage that holds the anchor."""
    for engine in engines:
        for document in map(engine.document, engine.documents()):
            at = document.text.find(anchor)
            if at >= 0:
                passages = engine.snapshot.catalogue.passages_of(document.id)
                sources = [Source(p, document) for p in passages if p.locator.start <= at < p.locator.end]
                verifier = Verifier(engine.snapshot.keywords, engine.embedder)
                return [verifier.verify(statement, [source]) for source in sources]
    raise AssertionError(f"no text says {anchor!r}")


def accuracy(engines: tuple[Engine, ...], name: str) -> tuple[float, float]:
    """The shares of faithful statements that stand and of altered ones that do not."""
    right: dict[bool, list[bool]] = {True: [], False: []}
    for anchor, faithful, _, statement in read_statements(name):
        verdicts = judge(engines, anchor, statement)
        right[faithful].append(any(verdict.runs for verdict in verdicts) == faithful)
        assert all(bool(verdict.runs) != bool(verdict.reason) for verdict in verdicts)
    assert all(len(found) >= 20 for found in right.values())
    return sum(right[True]) / len(right[True]), sum(right[False]) / len(right[False])


def test_on_the_statements_that_it_was_fitted_on(paper_engine: Engine, reports: Engine) -> None:
    """Nine of ten paraphrases stand (191), one of a hundred altered statements does (316)."""
    stand, fall = accuracy((paper_engine, reports), "fitted.txt")
    assert stand >= 0.88
    assert fall >= 0.97


def test_on_statements_that_it_was_not_fitted_on(reports: Engine) -> None:
    """Five of six paraphrases stand (24), one of nine altered statements does (44)."""
    stand, fall = accuracy((reports,), "held_out.txt")
    assert stand >= 0.79
    assert fall >= 0.84


def verdict(engine: Engine, statement: str, *anchors: str) -> Verdict:
    sources = []
    for anchor in anchors:
        document = next(d for d in map(engine.document, engine.documents()) if anchor in d.text)
        at = document.text.find(anchor)
        passage = next(p for p in engine.snapshot.catalogue.passages_of(document.id) if p.locator.start <= at < p.locator.end)
        sources.append(Source(passage, document))
    return Verifier(engine.snapshot.keywords, engine.embedder).verify(statement, sources)


def test_the_quotation_is_the_shortest_run_that_supports_the_sentence(reports: Engine) -> None:
    """One sentence where one says it all; with the one before where it leans on that."""
    (run,) = verdict(reports, "Rationing was last used in 1976, for nineteen days.", "Rationing was last").runs
    assert run.text == "Rationing was last used in 1976, for nineteen days."
    (run,) = verdict(reports, "The beekeepers' club is willing to limit new hives in the nature reserve.", "It is willing").runs
    assert run.text.startswith("The beekeepers' club, founded in 1931")
    assert run.text.endswith("though not in the parks.")


def test_passages_support_a_sentence_together_only_if_each_holds_a_part(reports: Engine) -> None:
    """A third one beside them is left out."""
    statement = "Tickets cost between 39 and 180 euros, and the line lost 8.5 million euros in 2023."
    runs = verdict(reports, statement, "Tickets cost", "The line lost", "Passengers praised").runs
    assert [run.text.split()[0] for run in runs] == ["Tickets", "The"]


@pytest.mark.parametrize(
    ("statement", "anchor", "why"),
    [
        ("The journey takes fifteen hours.", "The journey of 1,140", "number 15"),
        ("The mayor, Karin Holm, has refused to change the rule.", "The minister, Karin", "Holm"),
        ("The study says how many would have stayed at home.", "The study does not", "denies"),
        ("Nordbane will buy used cars in Spain.", "Nordbane could", "future"),
        ("All members of the council support a loan.", "Not all members", "denies 'members'"),
        ("It is so.", "Not all members", "nothing that a passage could support"),
    ],
)
def test_a_refusal_says_why(reports: Engine, statement: str, anchor: str, why: str) -> None:
    """In words that the writer of the sentence can act on."""
    found = verdict(reports, statement, anchor)
    assert not found.runs
    assert why in found.reason


def test_without_passages_nothing_stands(reports: Engine) -> None:
    """And nothing fails."""
    assert not Verifier(reports.snapshot.keywords, reports.embedder).verify("The lake is deep.", []).runs
