"""`eunato-rag eval`: retrieval, answers, citations and abstention, measured on judged questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from eunato_rag.errors import CorpusError
from eunato_rag.serving import assembly
from eunato_rag.serving.console import console, progress_bar, stages
from eunato_rag.serving.options import DONE, SOME_FAILED, Index, read_settings

if TYPE_CHECKING:
    from eunato_rag.engine import Engine
    from eunato_rag.evaluation import Collection
    from eunato_rag.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command("eval", epilog="Example: eunato-rag eval tests/eval --baseline tests/eval/baseline.json")
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder of questions.")] = Path("tests/eval"),
    index: Index = None,
    work: Annotated[Path | None, typer.Option("--work", help="Folder for a test collection's index.", show_default="index/eval/*")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Ask so many, evenly spaced; 0: all.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="With --json: what happened to each question, instead of the figures.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw risk by coverage into this SVG file.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Compare with the figures in this file.")] = None,
    write_baseline: Annotated[Path | None, typer.Option(help="Write the figures into this file.")] = None,
) -> None:
    """Measure retrieval, answers, citations and abstention on judged questions.

    The folder holds questions.jsonl or conversations.jsonl, asked of the index; or a test collection, which is indexed
    for itself: corpus.jsonl, queries.jsonl and qrels.tsv, with answers.jsonl answers too; or pdfs/ in place of corpus.jsonl.

    Exit code 0: measured. 1: some figure is worse than the baseline by more than its tolerance. 2: nothing could be measured.
    """
    from eunato_rag import evaluation

    collection = evaluation.read_collection(folder).sampled(limit)
    if plot and not collection.answers:
        raise CorpusError(f"{folder} asks for passages, and risk is that of answers: leave out --plot.")
    earlier = evaluation.read_baseline(baseline, collection.asked) if baseline else None
    settings = read_settings(None, index)
    with progress_bar() as bar:
        engine = (
            _collection_engine(collection, settings, work, stages(bar))
            if collection.apart
            else assembly.open_engine(settings, assembly.writer(settings))
        )
        advance = stages(bar)
        questions = evaluation.run(engine, collection.questions, partial(advance, "questions"), answers=collection.answers)
        conversations = evaluation.run(engine, collection.conversations, partial(advance, "turns"))
    figures = evaluation.full_report(collection, questions, conversations)
    if plot:
        plot.write_text(evaluation.draw(collection.name, evaluation.curves([*questions, *conversations])), "utf-8")
    if write_baseline:
        evaluation.write_baseline(write_baseline, figures, collection.asked)
    if as_json:
        print(json.dumps(evaluation.as_rows([*questions, *conversations]) if rows else figures, ensure_ascii=False, indent=2))
    else:
        out = Console(width=evaluation.WIDTH)
        for table in evaluation.tables(figures):
            out.print(table, highlight=False)
    falls = evaluation.compare(earlier, figures) if earlier else []
    for fall in falls:
        now = "not measured" if fall.now is None else f"{fall.now:.3f}"
        console(stderr=True).print(f"WORSE {escape(fall.name)}: {fall.was:.3f} before, {now} now", highlight=False)
    raise typer.Exit(SOME_FAILED if falls else DONE)


def _collection_engine(collection: Collection, settings: Settings, work: Path | None, progress: Callable[[str, int, int], None]) -> Engine:
    """The engine for a test collection, indexed in a folder of its own."""
    from eunato_rag.engine import Engine
    from eunato_rag.evaluation import index_collection, index_folder

    embedder, chunking = assembly.embedder(settings), assembly.chunking(settings)
    folder = work or index_folder(collection, settings.index, chunking)
    failed = index_collection(
        collection,
        folder,
        embedder,
        chunking,
        abstention=assembly.abstention(settings),
        limits=assembly.limits(settings),
        progress=progress,
    )
    for failure in failed:
        console(stderr=True).print(f"FAILED {escape(failure.source)}: {escape(failure.error)}", highlight=False)
    return Engine.open(folder, embedder, assembly.writer(settings), assembly.reranker(settings))
