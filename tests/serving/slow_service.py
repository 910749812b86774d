"""A service to be ended, in a process of its own: python -m tests.serving.slow_service INDEX CORPUS PORT GRACE_S

It is run as `eunato-rag serve` runs one, but answers slowly: to a question for a second, or for a minute where it is asked why.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from fastapi.responses import StreamingResponse

from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Answer, Event, Turn
from eunato_rag.serving.http import logs, server
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.draining import Draining
from eunato_rag.serving.http.serving import Serving
from tests.conftest import WordEmbedder


class SlowWriter:
    """Thinks, and then leaves the answer as it was found."""

    def write(self, snapshot: Snapshot, embedder: Embedder, question: str, extracted: Answer) -> Generator[Event, None, Answer]:
        yield from ()
        time.sleep(60 if question.startswith("Why") else 1)
        return extracted

    def rewrite(self, question: str, history: Sequence[Turn]) -> str | None:
        return None


def main(index: Path, corpus: Path, port: int, grace_s: float) -> None:
    logs.configure("json")
    draining = Draining()
    application = create_app(index, WordEmbedder(), SlowWriter(), serving=Serving(corpus=corpus), draining=draining)

    @application.get("/v1/flood")
    def flood() -> StreamingResponse:
        def told() -> Iterator[bytes]:
            while True:
                yield b"x" * 2**20

        return StreamingResponse(told())

    server.serve(application, draining, grace_s, host="127.0.0.1", port=port, **server.server_options())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
