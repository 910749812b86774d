"""What commands print: reports, places, progress. Left out: what is printed in JSON, which has the shapes of the API."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from eunato_rag.reindex import Report


def print_report(report: Report) -> None:
    out = console(stderr=True)
    built = f"Snapshot {report.snapshot}" if report.snapshot else "Dry run"
    embedded = "embedded now" if report.snapshot else "to be embedded"
    out.print(
        f"{built}: {report.documents} documents, {report.passages} passages; "
        f"{report.embedded} {embedded}, {report.reused} reused; {report.seconds:.1f} s",
        highlight=False,
    )
    named = {"added": report.added, "changed": report.changed, "removed": report.removed}
    for what, sources in named.items():
        for source in sources:
            out.print(f"  {what:<8} {escape(source)}", highlight=False)
    if report.unchanged:
        out.print(f"  unchanged: {len(report.unchanged)}", highlight=False)
    for (source, detail), times in Counter(report.changes).items():
        again = f" ({times} times)" if times > 1 else ""
        out.print(f"  {escape(source)}: {escape(detail)}{again}", highlight=False)
    for duplicate, kept in report.duplicates:
        out.print(f"  {escape(duplicate)}: the same as {escape(kept)}, which is indexed", highlight=False)
    for failure in report.failed:
        kept = " (its last good version is kept)" if failure.source in report.stale else ""
        out.print(f"  FAILED {escape(failure.source)}{kept}: {escape(failure.error)}", highlight=False)


def place_of(hit: Any) -> str:
    from eunato_rag.citing.formats import pinpoint
    from eunato_rag.records import Locator, Page

    place = hit.passage.locator
    page = Page(place.page.number, place.page.label) if place.page else None
    where = pinpoint(Locator(place.start, place.end, page, tuple(place.headings), place.paragraph))
    return escape(", ".join(filter(None, [hit.document.title, where])))


def console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, soft_wrap=not sys.stdout.isatty())


def stages(bar: Progress) -> Callable[[str, int, int], None]:
    """What draws a task for each stage of some work, as it is told of (stage, done, total)."""
    tasks: dict[str, TaskID] = {}

    def advance(stage: str, done: int, total: int) -> None:
        bar.start()
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage)
        bar.update(tasks[stage], completed=done, total=total)

    return advance


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on standard error, drawn from its first task on: an error before that leaves nothing behind."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console(stderr=True))
    try:
        yield bar
    finally:
        if bar.tasks:
            bar.stop()
