"""`eunato-rag serve`: the API and the page, by one process or by several at one address."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from eunato_rag.errors import NoIndex, SettingsError
from eunato_rag.serving import assembly, reindex_command
from eunato_rag.serving.console import console, print_report
from eunato_rag.serving.options import Corpus, Index, read_settings

if TYPE_CHECKING:
    from eunato_rag.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: eunato-rag serve --port 8000")
def serve(
    corpus: Corpus = None,
    index: Index = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.", show_default="8000")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that answer.", show_default="1")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Re-index whenever the corpus has changed.")] = False,
    told: Annotated[str | None, typer.Option("--part", hidden=True, help="What the parent tells one of several processes.")] = None,
) -> None:
    """Serve the API and the web page; builds the index first where there is none.

    On loopback it needs no key. Elsewhere it starts only once there is one: see eunato-rag keys add, and docs/operations.md.
    """
    settings = read_settings(corpus, index)
    address, number = host or settings.serving.host, settings.serving.port if port is None else port
    count = workers or settings.serving.workers
    if count > 1 and told is None:
        raise typer.Exit(_serve_together(settings, address, number, count, watch))

    from eunato_rag.indexing.snapshot import current_id
    from eunato_rag.serving.http import logs, server
    from eunato_rag.serving.http.app import create_app
    from eunato_rag.serving.http.draining import Draining
    from eunato_rag.serving.http.processes import Part

    part = Part.read(told) if told is not None else None
    serving = assembly.serving(settings, address, part.shared if part else None)
    serving = replace(serving, watch=watch or serving.watch, process=part.number if part else None)
    embedder = assembly.embedder(settings)
    try:
        current_id(settings.index)
    except NoIndex:
        print_report(reindex_command.build(settings))
    logs.configure(settings.serving.log_format, process=serving.process)
    draining = Draining()
    application = create_app(
        settings.index,
        embedder,
        assembly.writer(settings),
        assembly.reranker(settings),
        serving,
        assembly.entailment(settings),
        draining,
        assembly.milvus(settings),
    )
    if part is None:
        console(stderr=True).print(f"Open http://{address}:{number}/ (Ctrl+C ends it)")
    options = server.server_options(settings.serving.trusted_proxies)
    server.serve(application, draining, part=part, host=address, port=number, **options)


def _serve_together(settings: Settings, address: str, number: int, count: int, watch: bool) -> int:
    """Have several processes serve one address, each by the command `serve`; the exit code."""
    from eunato_rag.serving.http import logs, processes

    if settings.milvus.url.endswith(".db"):
        raise SettingsError(
            f"{settings.milvus.url} is Milvus Lite's, which one process can open at a time, and {count} are to serve. "
            "Set EUNATO_SERVING__WORKERS to 1, or EUNATO_MILVUS__URL to a server's address."
        )
    logs.configure(settings.serving.log_format)
    listening = processes.bound(address, number)
    number = listening[0].getsockname()[1]

    def opened() -> None:
        console(stderr=True).print(f"Open http://{address}:{number}/ (Ctrl+C ends it)")

    options = ["--corpus", str(settings.corpus), "--index", str(settings.index), "--host", address, *(["--watch"] if watch else [])]
    return processes.serve([sys.executable, "-m", "eunato_rag", "serve", *options], count, listening, opened=opened)
