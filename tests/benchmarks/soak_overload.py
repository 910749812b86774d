"""More questions than can be answered: how many are, how soon the others are refused, and whether all is well right after.

First sixteen ask, each the next question when it has the last answer: that is what the service
can do. Then questions come at N times that pace, whether or not others are answered.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random

import httpx2
from soak_traffic import Material, Wrong, is_whole, want

WARM_S, CLOSED_S, OPEN_S = 3.0, 10.0, 30.0
AT_ONCE = 16
QUEUE_S = 10.0
"""As the service has it by default."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its status, 0 for none at all, the seconds that it took, and what was wrong with it."""

    status: int
    seconds: float
    wrong: str = ""


async def overload(client: httpx2.AsyncClient, material: Material, factor: float, chance: Random) -> list[str]:
    """Prints the figures; what was not as it should be."""
    await _closed(client, material, chance, WARM_S)
    idle = [await _one(client, material, chance) for _ in range(10)]
    able = await _closed(client, material, chance, CLOSED_S)
    pace = len(able) / CLOSED_S
    print(f"alone        p50 {_at(idle, 0.5):6.0f} ms")
    print(f"able         {pace:.1f} answers/s with {AT_ONCE} at a time, p50 {_at(able, 0.5):.0f} ms, p99 {_at(able, 0.99):.0f} ms")
    replies = await _open(client, material, chance, pace * factor, OPEN_S)
    after = [await _one(client, material, chance) for _ in range(10)]
    accepted, refused = ([reply for reply in replies if reply.status == status] for status in (200, 503))
    others = [reply for reply in replies if reply.status not in (200, 503)]
    print(f"overload     {len(replies)} asked in {OPEN_S:.0f} s, {pace * factor:.1f}/s")
    print(
        f"accepted     {len(accepted)}, {len(accepted) / OPEN_S:.1f}/s, p50 {_at(accepted, 0.5):.0f} ms, p99 {_at(accepted, 0.99):.0f} ms"
    )
    print(f"refused      {len(refused)}, p50 {_at(refused, 0.5):.0f} ms, p99 {_at(refused, 0.99):.0f} ms")
    print(f"right after  p50 {_at(after, 0.5):6.0f} ms, worst {_at(after, 1.0):.0f} ms")
    faults = sorted({reply.wrong for reply in (*idle, *able, *replies, *after) if reply.wrong})
    faults += [f"{len(others)} had neither 200 nor 503"] if others else []
    faults += ["questions alone were refused"] if {reply.status for reply in (*idle, *after)} != {200} else []
    bound = QUEUE_S * 1000 + 4 * max(_at(able, 0.99), 500)
    if accepted and _at(accepted, 0.99) > bound:
        faults.append(f"who was accepted waited longer than the queue and the work allow, {bound:.0f} ms")
    return faults


async def _closed(client: httpx2.AsyncClient, material: Material, chance: Random, seconds: float) -> list[Reply]:
    replies: list[Reply] = []
    deadline = time.monotonic() + seconds

    async def asking() -> None:
        while time.monotonic() < deadline:
            replies.append(await _one(client, material, chance))

    await asyncio.gather(*(asking() for _ in range(AT_ONCE)))
    return replies


async def _open(client: httpx2.AsyncClient, material: Material, chance: Random, pace: float, seconds: float) -> list[Reply]:
    began = time.monotonic()
    asked: list[asyncio.Task[Reply]] = []
    while (now := time.monotonic() - began) < seconds:
        asked += [asyncio.create_task(_one(client, material, chance)) for _ in range(int(now * pace) - len(asked))]
        await asyncio.sleep(0.005)
    return list(await asyncio.gather(*asked))


async def _one(client: httpx2.AsyncClient, material: Material, chance: Random) -> Reply:
    began = time.perf_counter()
    try:
        response = await client.post("/v1/ask", json={"question": chance.choice(material.questions)})
    except httpx2.TransportError as error:
        return Reply(0, time.perf_counter() - began, f"{type(error).__name__}: {error}")
    took = time.perf_counter() - began
    try:
        if response.status_code == 503:
            want(int(response.headers.get("retry-after", "0")) > 0, "503 without Retry-After")
            want(response.headers["content-type"] == "application/problem+json", "503 that is no problem")
        elif response.status_code == 200:
            is_whole(response.json())
    except Wrong as wrong:
        return Reply(response.status_code, took, str(wrong))
    return Reply(response.status_code, took)


def _at(replies: list[Reply], share: float) -> float:
    """A quantile of the times, in milliseconds."""
    times = sorted(reply.seconds for reply in replies)
    return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0.0
