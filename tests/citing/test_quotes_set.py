"""The set of quotations: what is said of each, by hand and by rule, in either half."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from eunato_rag.citing.quotes import check_quotation
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Quotation
from tests.citing.quotations import Case, by_hand, by_rule, library, opened

HAND = by_hand()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    snapshot = opened(library(), tmp_path_factory.mktemp("index"))
    yield snapshot
    snapshot.close()


@dataclass(frozen=True, slots=True)
class Checked:
    case: Case
    found: Quotation

    @property
    def kinds(self) -> list[str]:
        return sorted({edit.kind for edit in self.found.matches[0].edits}) if self.found.matches else []


@pytest.mark.parametrize("case", HAND, ids=lambda case: case.id)
def test_what_is_said_of_a_quotation_made_by_hand(texts: Snapshot, case: Case) -> None:
    """Status, kinds of edits, stitching and reason are as a careful editor would have them."""
    checked = Checked(case, check_quotation(texts, case.text))
    assert (checked.found.status, checked.found.stitched) == (case.status, case.stitched)
    assert case.stitched or checked.kinds == sorted(case.edits)
    assert case.says in (checked.found.reason or "")
    sound(texts, checked)


def test_what_is_said_of_quotations_made_by_rule(texts: Snapshot) -> None:
    """Every status is right, and in each half nineteen of twenty have just the kinds of edits that were made."""
    documents = [texts.catalogue.document(identity) for identity in texts.catalogue.document_ids]
    checked = [Checked(case, check_quotation(texts, case.text)) for case in by_rule(documents)]
    assert len(checked) > 250
    assert [(one.case.id, one.found.status) for one in checked if one.found.status != one.case.status] == []
    for fitted in (True, False):
        half = [one for one in checked if one.case.fitted == fitted]
        right = [one for one in half if one.kinds == sorted(one.case.edits)]
        assert len(right) >= 0.95 * len(half), [(one.case.id, one.kinds) for one in half if one not in right]
    for one in checked:
        sound(texts, one)


def test_what_is_said_of_quotations_that_no_rule_was_made_with(texts: Snapshot) -> None:
    """Of 43, all statuses but one, and of the 23 altered ones all kinds but one."""
    checked = [Checked(case, check_quotation(texts, case.text)) for case in by_hand("unseen.toml")]
    right = [one for one in checked if (one.found.status, one.found.stitched) == (one.case.status, one.case.stitched)]
    assert len(right) >= 42
    altered = [one for one in checked if one.case.status == "altered" and not one.case.stitched]
    assert (len(altered), sum(one.kinds == sorted(one.case.edits) for one in altered)) >= (23, 22)


def sound(snapshot: Snapshot, checked: Checked) -> None:
    """What every quotation's record promises: slices are slices, only altered matches have edits, absent ones have none."""
    found, text = checked.found, checked.case.text
    assert (found.quote, bool(found.matches)) == (text, found.status != "absent")
    for match in found.matches:
        document = snapshot.catalogue.document(match.passage.document_id)
        assert document.text[match.locator.start : match.locator.end] == match.quote
        assert match.passage.locator.start <= match.locator.start < match.passage.locator.end or match.quote not in match.passage.text
        assert (match.status == "altered") == bool(match.edits)
        assert match.status != "exact" or text[slice(*match.covers)] == match.quote
        for edit in match.edits:
            assert text[slice(*edit.yours_span)] == edit.yours
            assert document.text[slice(*edit.source_span)] == edit.source
            assert edit.yours != edit.source
