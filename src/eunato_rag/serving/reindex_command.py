"""`eunato-rag reindex`: build or update the index, once or whenever the corpus changes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from eunato_rag.errors import EunatoRagError
from eunato_rag.serving import assembly
from eunato_rag.serving.console import console, print_report, progress_bar, stages
from eunato_rag.serving.options import DONE, SOME_FAILED, Corpus, Index, Json, read_settings

if TYPE_CHECKING:
    from eunato_rag.ingestion.preparing import Recruit
    from eunato_rag.reindex import Report
    from eunato_rag.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: eunato-rag reindex --corpus corpus --json")
def reindex(
    corpus: Corpus = None,
    index: Index = None,
    full: Annotated[bool, typer.Option("--full", help="Embed everything again, whatever the cache holds.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; embed nothing and write nothing.")] = False,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Read and embed on this Ray cluster: host:port, auto, or local to begin one here."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and do it again whenever the corpus has changed.")] = False,
    as_json: Json = False,
) -> None:
    """Build or update the index from the corpus and publish it.

    A document that cannot be read any more is kept in its last good version.

    Exit code 0: done. 1: done, but some documents failed. 2: nothing could be built; the index is as it was.
    """
    from eunato_rag.ingestion.sources import changes, state_of

    settings = read_settings(corpus, index)
    seen = state_of(settings.corpus)
    recruit = assembly.cluster(settings, ray) if ray is not None else None
    report = build(settings, full=full, dry_run=dry_run, recruit=recruit)
    _tell(report, as_json)
    if watch and not dry_run:
        console(stderr=True).print(f"Watching {settings.corpus} (Ctrl+C ends it)")
        for _ in changes(settings.corpus, seen):
            try:
                _tell(build(settings, recruit=recruit), as_json)
            except EunatoRagError as error:  # the next change may mend it
                console(stderr=True).print(f"Error: {escape(str(error))}", highlight=False)
    raise typer.Exit(SOME_FAILED if report.failed else DONE)


def _tell(report: Report, as_json: bool) -> None:
    if not as_json:
        print_report(report)
        return
    changed = [{"source": source, "detail": detail} for source, detail in report.changes]
    table = {**asdict(report), "changes": changed, "duplicates": dict(report.duplicates)}
    print(json.dumps(table, ensure_ascii=False, indent=2), flush=True)


def build(settings: Settings, *, full: bool = False, dry_run: bool = False, recruit: Recruit | None = None) -> Report:
    """Re-index in this process, as a job that servers on the same index know of; a dry run is none."""
    from eunato_rag.ingestion.preparing import Here
    from eunato_rag.reindex import reindex as write
    from eunato_rag.serving.jobs.store import JobStore
    from eunato_rag.serving.jobs.worker import perform

    if dry_run:
        with progress_bar() as bar:
            return write(
                settings.corpus,
                settings.index,
                assembly.embedder(settings),
                assembly.chunking(settings),
                limits=assembly.limits(settings),
                full=full,
                dry_run=True,
                recruit=recruit or Here,
                progress=stages(bar),
            )
    store = JobStore(settings.index)
    with progress_bar() as bar, store.doing("reindex", {"full": full}) as job:
        return perform(store, job, settings, stages(bar), wait=False, recruit=recruit)
