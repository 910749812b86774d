"""What commands print: reports, places, progress. Left out: what is printed in JSON, which has the shapes of the API."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from eunato_rag.reindex import Report


NAMED = 20
"""Lines of one kind that a report prints."""


def print_report(report: Report) -> None:
    """The figures, and what happened to which file; where that is the same for many, to the first of them."""
    out = console(stderr=True)
    built = f"Snapshot {report.snapshot}" if report.snapshot else "Dry run"
    embedded = "embedded now" if report.snapshot else "to be embedded"
    out.print(
        f"{built}: {report.documents} documents, {report.passages} passages; "
        f"{report.embedded} {embedded}, {report.reused} reused; {report.seconds:.1f} s",
        highlight=False,
    )
    for what, sources in {"added": report.added, "changed": report.changed, "removed": report.removed}.items():
        _print_some(out, (f"{what:<8} {escape(source)}" for source in sources[:NAMED]), f"{what} files", len(sources))
    if report.unchanged:
        out.print(f"  unchanged: {len(report.unchanged)}", highlight=False)
    changes = Counter(report.changes)
    told = (
        f"{escape(source)}: {escape(detail)}" + (f" ({times} times)" if times > 1 else "")
        for (source, detail), times in islice(changes.items(), NAMED)
    )
    _print_some(out, told, "changes that reading made", len(changes))
    same = (f"{escape(duplicate)}: the same as {escape(kept)}, which is indexed" for duplicate, kept in report.duplicates[:NAMED])
    _print_some(out, same, "duplicates", len(report.duplicates))
    stale = frozenset(report.stale)
    failed = (
        f"FAILED {escape(failure.source)}{' (its last good version is kept)' if failure.source in stale else ''}: {escape(failure.error)}"
        for failure in report.failed[:NAMED]
    )
    _print_some(out, failed, "files that FAILED", len(report.failed))


def _print_some(out: Console, lines: Iterable[str], what: str, count: int) -> None:
    for line in lines:
        out.print(f"  {line}", highlight=False)
    if count > NAMED:
        out.print(f"  and {count - NAMED:,} more {what}; --json names all", highlight=False)


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
