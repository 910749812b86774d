"""Evidence -> the chance that it answers, and what to say where it does not.

Left out: what a question asks for and what a sentence lacks of it (asked.py); making the answer (grounding).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eunato_rag.answering.asked import Evidence, Kind

_THINGS: dict[Kind, str] = {"number": "number", "time": "date or time", "name": "person, body or place", "other": "fact"}


@dataclass(frozen=True, slots=True)
class Abstention:
    """How evidence is weighed: a logistic model of the chance that it answers; fitted, see docs/decisions.md.

    `nearness`, `missing` (each of up to two names) and `absent` (nothing of the kind asked for) are its coefficients,
    `bias` its constant. Below `least`, 0..1, the service abstains. A snapshot keeps those that it was built with.
    """

    nearness: float = 3.27
    missing: float = 3.38
    absent: float = 2.36
    bias: float = -1.28
    least: float = 0.43

    def confidence(self, evidence: Evidence) -> float:
        """The chance, 0..1, that evidence answers its question."""
        lacking = self.missing * len(evidence.missing[:2]) + self.absent * (not evidence.holds)
        return 1 / (1 + math.exp(-(self.bias + self.nearness * evidence.nearness - lacking)))


def reason_of(evidence: Evidence) -> str:
    """What was looked for and is not there."""
    if evidence.missing:
        return f"The nearest passages do not speak of {' or '.join(evidence.missing)}."
    if not evidence.holds:
        return f"The nearest passages name no {_THINGS[evidence.kind]} that would answer it."
    return "No passage comes near enough to the question."
