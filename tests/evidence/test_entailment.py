"""A model for entailment takes the rules' place where one is named; a real one, of random weights, proves that it can be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from eunato_rag.citing.support import DENIED, Judge
from eunato_rag.doctor import examine
from eunato_rag.engine import Engine
from eunato_rag.errors import EmbeddingError, ModelNotFound
from eunato_rag.evidence.entailment import EntailmentModel, Odds, find_entailment
from eunato_rag.serving import assembly
from eunato_rag.settings import load_settings
from tests.indexing.test_reranking import make_cross_encoder

MODEL = "EUNATO_ENTAILMENT__MODEL"
DREDGED = "The harbour at Lindholm was dredged in 2019."
LABELS = {"0": "Contradiction", "1": "ENTAILMENT", "2": "neutral"}


class Saying:
    """The same odds for every piece of evidence; it keeps what it was given to read."""

    def __init__(self, entails: float, contradicts: float) -> None:
        self.odds, self.read = Odds(entails, contradicts), [""]

    def weigh(self, sentence: str, evidence: Sequence[str]) -> list[Odds]:
        self.read = [sentence, *evidence]
        return [self.odds for _ in evidence]


def judge(engine: Engine, model: Saying) -> Judge:
    return Judge(engine.snapshot, engine.embedder, engine.search, entailment=model)


@pytest.mark.parametrize(
    ("entails", "contradicts", "label"), [(0.9, 0.0, "supported"), (0.2, 0.7, "contradicted"), (0.4, 0.4, "not_found")]
)
def test_the_model_decides(engine: Engine, entails: float, contradicts: float, label: str) -> None:
    """Over the runs that hold most of the sentence; where it says neither, nothing was found."""
    model = Saying(entails, contradicts)
    judged = judge(engine, model).judge("The harbour at Lindholm was dredged.")
    assert judged is not None
    assert judged.label == label
    assert model.read[0] == "The harbour at Lindholm was dredged."
    assert any("dredged in 2019" in text for text in model.read[1:])
    assert bool(judged.runs) == (label != "not_found")
    assert label != "contradicted" or judged.why == DENIED


def test_a_number_that_the_evidence_has_not_is_never_supported(engine: Engine) -> None:
    """However sure the model is."""
    judged = judge(engine, Saying(1.0, 0.0)).judge(DREDGED.replace("2019", "2031"))
    assert judged is not None
    assert judged.label == "not_found"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_cross_encoder(tmp_path_factory.mktemp("entailment"), labels=3)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    names = {"id2label": LABELS, "label2id": {name: int(n) for n, name in LABELS.items()}}
    (folder / "config.json").write_text(json.dumps({**config, **names}), "utf-8")
    return folder


def test_a_real_model_gives_odds_by_the_names_of_its_labels(weights: Path) -> None:
    """Equal calls give equal odds; of evidence that is too long, the end is left out."""
    model = EntailmentModel(weights)
    odds = model.weigh(DREDGED, ["It was dredged. " * 100, DREDGED])
    assert odds == model.weigh(DREDGED, ["It was dredged. " * 100, DREDGED])
    assert all(0 <= one.entails <= 1 and 0 <= one.contradicts <= 1 and one.entails + one.contradicts <= 1 + 1e-6 for one in odds)
    assert model.weigh(DREDGED, []) == []


def test_a_model_without_these_labels_is_refused(tmp_path: Path) -> None:
    """A reranker is none; the error names what it has."""
    with pytest.raises(EmbeddingError, match=r"no labels entailment and contradiction; it has: label_0"):
        EntailmentModel(make_cross_encoder(tmp_path, labels=3))
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmbeddingError, match=MODEL):
        EntailmentModel(tmp_path / "empty")


def test_it_is_loaded_where_it_is_set_and_only_there(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without weights on this machine is an error that says what to do, and the doctor's, too."""
    assert assembly.entailment(load_settings()) is None
    monkeypatch.setenv(MODEL, str(weights))
    assert isinstance(assembly.entailment(load_settings()), EntailmentModel)
    monkeypatch.setenv(MODEL, "nobody/nli-of-nothing")
    with pytest.raises(ModelNotFound, match=MODEL):
        find_entailment("nobody/nli-of-nothing")
    (finding,) = [finding for finding in examine(load_settings()) if finding.what == "entailment"]
    assert finding.state == "broken"
