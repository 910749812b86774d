"""What every tool is given: the call itself, and arguments of which none is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from eunato_rag.engine import Engine


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool.

    `base` is the service's own address, `request` names the call in the log. `step` is called while the work goes on, with
    what is done and what there is in all (0: unknown); it raises when nobody waits for the result any more.
    """

    engine: Engine
    base: str
    request: str
    step: Callable[[int, int], None]


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")
