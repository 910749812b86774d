"""What an operator does to the service under load: documents put in, changed and taken out, jobs followed and cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import httpx2
from soak_traffic import Table, want

_JOB_S = 180.0
_TAKEN_UP_S = 5.0
"""Seconds in which what a job built is served."""

Timed = Callable[[str, Awaitable[None]], Awaitable[None]]


class Operator:
    """Goes round: a document is put in, another changed and re-indexed, a job cancelled, the first document taken out again."""

    def __init__(self, client: httpx2.AsyncClient, corpus: Path, timed: Timed, pause: float) -> None:
        self._client, self._changing, self._timed, self._pause = client, corpus / "changing.txt", timed, pause
        self.jobs = 0

    async def run(self) -> None:
        for number in count(1):
            for name, step in (("upload", self._upload), ("change", self._change), ("cancel", self._cancel), ("remove", self._remove)):
                await self._timed(f"job: {name}", step(number))
                await asyncio.sleep(self._pause)

    async def _upload(self, number: int) -> None:
        paragraphs = (f"Buoy {n} of voyage {number} was painted {('red', 'green')[n % 2]} by crew {n * number}.\n" for n in range(40))
        text = f"Log of voyage {number}\n\n" + "\n".join(paragraphs)
        accepted = await self._client.post("/v1/documents", files={"file": (f"voyage-{number}.txt", text.encode())})
        await self._done(accepted, "succeeded")
        await self._found(f"Buoy 7 of voyage {number} was painted green by crew {7 * number}.", "exact")

    async def _change(self, number: int) -> None:
        self._changing.write_text(f"State of the buoys\n\nIn the harbour lie {number + 100} buoys, counted {number} times.\n", "utf-8")
        key = {"Idempotency-Key": f"change-{number}"}
        accepted = await self._client.post("/v1/jobs", json={}, headers=key)
        again = await self._client.post("/v1/jobs", json={}, headers=key)
        want(again.json()["id"] == accepted.json()["id"], "the same key gave two jobs")
        await self._done(accepted, "succeeded")
        await self._found(f"In the harbour lie {number + 100} buoys", "exact")

    async def _cancel(self, number: int) -> None:
        accepted = await self._client.post("/v1/jobs", json={"full": number % 4 == 0})
        events = asyncio.create_task(self._done(accepted, "cancelled", "succeeded"))
        await asyncio.sleep(0.3 * (number % 5))
        ended = await self._client.post(f"/v1/jobs/{accepted.json()['id']}/cancel")
        want(ended.json()["state"] in ("cancelled", "succeeded"), f"cancelling left it {ended.json()['state']}")
        await events

    async def _remove(self, number: int) -> None:
        sentence = f"Buoy 7 of voyage {number} was painted green by crew {7 * number}."
        found = (await self._client.post("/v1/quotes", json={"quote": sentence})).json()
        await self._done(await self._client.delete(f"/v1/documents/{found['matches'][0]['document']['id']}"), "succeeded")
        await self._found(f"voyage {number} was painted green by crew {7 * number}", "altered", "absent")

    async def _done(self, accepted: httpx2.Response, *states: str) -> None:
        """Follow a job's events to their end."""
        want(accepted.status_code == 202, f"a job was answered {accepted.status_code} {accepted.text[:200]}")
        last: Table = {}
        path = f"{accepted.headers['location']}/events"
        async with asyncio.timeout(_JOB_S), self._client.stream("GET", path, timeout=_JOB_S) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    last = json.loads(line.removeprefix("data: "))
        want(last["state"] in states, f"a job {last['state']}, not {' or '.join(states)}: {last['error']}")
        self.jobs += 1

    async def _found(self, quotation: str, *statuses: str) -> None:
        """What a job built is served within seconds."""
        for _ in range(round(_TAKEN_UP_S / 0.2)):
            found = (await self._client.post("/v1/quotes", json={"quote": quotation})).json()
            if found["status"] in statuses:
                return
            await asyncio.sleep(0.2)
        want(False, f"after its job {quotation!r} is {found['status']}, not {' or '.join(statuses)}")
