"""How well sentences of drafts are judged: the labelled claims, their halves, macro-F1, and what was confused by kind."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eunato_rag.citing.support import Judge, Judgement
from eunato_rag.engine import Engine
from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
from eunato_rag.indexing.snapshot import MODELS

CLAIMS = Path(__file__).with_name("claims")
LABELS = ("supported", "contradicted", "not_found")


@dataclass(frozen=True, slots=True)
class Claim:
    """A labelled sentence; its label is None where it claims nothing."""

    id: str
    sentence: str
    label: str | None
    kind: str = ""
    evidence: str = ""
    before: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        return bool(hashlib.sha256(self.id.encode()).digest()[0] % 2)


@dataclass(frozen=True, slots=True)
class Judged:
    claim: Claim
    judgement: Judgement | None

    @property
    def label(self) -> str | None:
        return self.judgement.label if self.judgement else None


def read_claims(name: str = "paper.jsonl") -> Iterator[Claim]:
    for line in (CLAIMS / name).read_text("utf-8").splitlines():
        row = json.loads(line)
        row.pop("text", None)
        yield Claim(**{**row, "before": tuple(row.get("before", ()))})


def judge_all(engine: Engine, claims: Sequence[Claim]) -> list[Judged]:
    judge = Judge(engine.snapshot, engine.embedder, engine.search)
    return [Judged(claim, judge.judge(claim.sentence, claim.before)) for claim in claims]


def macro_f1(judged: Sequence[Judged]) -> float:
    """The mean of the three labels' F1, over the sentences that claim something."""
    counted = [one for one in judged if one.claim.label is not None]
    scores = []
    for label in LABELS:
        hit = sum(one.claim.label == one.label == label for one in counted)
        wrong = sum((one.claim.label == label) != (one.label == label) for one in counted)
        scores.append(2 * hit / (2 * hit + wrong) if hit else 0.0)
    return sum(scores) / len(scores)


def report(judged: Sequence[Judged]) -> str:
    """Macro-F1, and for each label and kind how often it was judged as what."""
    counts = Counter((str(one.claim.label), one.claim.kind, str(one.label)) for one in judged)
    lines = [f"macro-F1 {macro_f1(judged):.3f} of {len(judged)} sentences"]
    for label, kind in sorted({(label, kind) for label, kind, _ in counts}):
        found = ", ".join(f"{got} {n}" for (one, other, got), n in sorted(counts.items()) if (one, other) == (label, kind))
        lines.append(f"  {label:12} {kind:14} {found}")
    return "\n".join(lines)


def main(index: Path) -> None:
    engine = Engine.open(index, load_embedder(DEFAULT_MODEL, index / MODELS))
    claims = list(read_claims())
    for name, held_out in (("fitted on", False), ("held out", True)):
        print(name, report(judge_all(engine, [claim for claim in claims if claim.held_out is held_out])))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
