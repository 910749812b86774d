"""What is done while the clock on the wall jumps: python -m tests.faults.jumping CORPUS INDEX, run by test_clock with clock.c.

It prints what was seen as JSON.
"""

from __future__ import annotations

import http.client
import json
import os
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

from eunato_rag.indexing.history import list_snapshots
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.sources import changes, state_of
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.access import Access
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.rates import Rates
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.jobs.store import JobStore
from eunato_rag.serving.keys import KeyStore
from tests.conftest import HARBOUR, WordEmbedder, running

DAY, YEARS = 86_400, 10 * 365 * 86_400
JUMPS = (0, YEARS, -YEARS, -DAY)
RATE = "3/second"


def jump(seconds: float) -> float:
    """Set the clock so far from the right time; returns what it shows now."""
    with open(os.environ["CLOCK_FILE"], "r+b") as file:
        file.write(struct.pack("d", seconds))
    return time.time()


def publish(corpus: Path, index: Path) -> dict[str, Any]:
    made = []
    for number, seconds in enumerate(JUMPS):
        jump(seconds)
        (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", str(2100 + number)), "utf-8")
        made.append(reindex(corpus, index, WordEmbedder(), Chunking(), keep=100).snapshot)
    kept = list_snapshots(index)
    return {"made": made, "listed": [one.id for one in kept], "times": [one.manifest.created for one in kept if one.manifest]}


def jobs(index: Path) -> dict[str, Any]:
    store = JobStore(index)
    made = []
    for number, seconds in enumerate(JUMPS):
        jump(seconds)
        job, _ = store.add("reindex", {"full": False}, f"key {number}")
        again, new = store.add("reindex", {"full": False}, f"key {number}")
        made.append(job.id)
        assert (again.id, new) == (job.id, False)
    queued = [job.id for job in store.list(states=("queued",), newest_first=False)]
    jump(-DAY)
    with store.taking(made[0]):
        jump(-YEARS)
        alive = store.is_alive(made[0])
        store.finish(made[0], "succeeded")
    return {"made": made, "queued": queued, "alive": alive, "listed": [job.id for job in store.list()], "state": store.get(made[0]).state}


def keys(folder: Path) -> dict[str, Any]:
    store = KeyStore(folder / "keys.json")
    key = store.add("desk")
    jump(-YEARS)
    found = store.find(key)
    assert found is not None
    store.revoke(found.id)
    jump(-2 * YEARS)
    return {"revoked": store.find(key) is None, "newer": store.find(store.add("later")) is not None}


def watch(corpus: Path) -> int:
    """How many changes were seen of files that came, each time, from an earlier year."""
    stopped, seen = Event(), 0
    found = changes(corpus, state_of(corpus), quiet=0.05, every=0.02, stopped=stopped)
    for number, year in enumerate((2020, 2010, 2030)):
        jump(-YEARS * number)
        path = corpus / "orchard.md"
        Timer(0.1, os.utime, (path, (YEARS / 10 * (year - 1970),) * 2)).start()
        seen += bool(next(found))
    stopped.set()
    return seen


def serve(corpus: Path, index: Path) -> dict[str, Any]:
    """What callers saw: the statuses at each jump, and whether a snapshot made at an earlier hour was taken up."""
    rates = Rates({"general": RATE, "costly": RATE, "admin": RATE}, owner_is_free=False)
    application = create_app(index, WordEmbedder(), serving=Serving(rates=rates, access=Access(demand="never")))
    told: dict[str, Any] = {"statuses": []}
    with running(application) as address:
        place = urlsplit(address)

        def get(path: str) -> tuple[int, Any, Any]:
            with closing(http.client.HTTPConnection(str(place.hostname), int(place.port or 0), timeout=10)) as connection:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.headers, json.loads(response.read())

        for seconds in JUMPS:
            deadline = time.monotonic() + 10
            while (answer := get("/v1/works"))[0] == 429:
                assert int(answer[1]["Retry-After"]) <= 1
                assert time.monotonic() < deadline, "a caller was shut out"
                time.sleep(0.1)
            while get("/v1/works")[0] == 200:
                pass
            jump(seconds)
            told["statuses"].append(answer[0])
        (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2200"), "utf-8")
        jump(-3 * YEARS)
        published = reindex(corpus, index, WordEmbedder(), Chunking(), keep=100).snapshot
        deadline = time.monotonic() + 20
        while get("/readyz")[2]["snapshot"] != published:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    told["taken_up"] = True
    return told


if __name__ == "__main__":
    places = Path(sys.argv[1]), Path(sys.argv[2])
    right = jump(0)
    seen: dict[str, Any] = {"moved": jump(-DAY) < right - DAY + 60}
    seen["publish"] = publish(*places)
    seen["jobs"] = jobs(places[1])
    seen["keys"] = keys(places[1])
    seen["watch"] = watch(places[0])
    seen["serve"] = serve(*places)
    print(json.dumps(seen))
