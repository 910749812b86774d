"""The command line: each command parses, calls one thing, and prints. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from eunato_rag.errors import EunatoRagError
from eunato_rag.serving import (
    assembly,
    bom_command,
    eval_command,
    keys_command,
    reindex_command,
    serve_command,
    snapshots_command,
    writing,
)
from eunato_rag.serving.console import console, place_of, progress_bar
from eunato_rag.serving.mcp import command as mcp
from eunato_rag.serving.options import DONE, NOTHING, SOME_FAILED, Corpus, Index, Json, TopK, read_settings

app = typer.Typer(
    help="Answers from a paper on EU-NATO cooperation and the works it cites; every sentence cited and verified.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


for commands in (reindex_command, serve_command, eval_command, writing, snapshots_command, mcp, keys_command, bom_command):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error of this package is one line on standard error and exit code 2."""
    try:
        app()
    except EunatoRagError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(NOTHING)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(NOTHING)


@app.command(epilog="Example: eunato-rag fetch --dry-run")
def fetch(
    works: Annotated[list[str] | None, typer.Argument(help="Ids of works; all works of the manifest if left out.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched; ask nobody and write nothing.")] = False,
    corpus: Corpus = None,
    as_json: Json = False,
) -> None:
    """Download the works that sources.toml names into the corpus, politely; what cannot be had is listed with its reason.

    Exit code 0: all that has an address is here. 1: some works failed.
    """
    from eunato_rag.ingestion import fetching
    from eunato_rag.ingestion.downloading import Limits
    from eunato_rag.ingestion.sources import read_manifest

    settings = read_settings(corpus, None)
    chosen = settings.fetching.model_dump()
    allow_private = chosen.pop("allow_private")
    with progress_bar() as bar:
        tasks: dict[str, Any] = {}

        def advance(step: fetching.Step) -> None:
            if step.outcome is None or step.work in tasks:
                bar.start()
                if step.work not in tasks:
                    tasks[step.work] = bar.add_task(step.work)
                bar.update(tasks[step.work], completed=step.done, total=step.total)

        report = fetching.fetch(
            read_manifest(settings.corpus),
            settings.corpus,
            only=works or (),
            dry_run=dry_run,
            limits=Limits(**chosen),
            allow_private=allow_private,
            progress=advance,
        )
    if as_json:
        print(json.dumps([asdict(outcome) for outcome in report.outcomes], ensure_ascii=False, indent=2))
    else:
        out = console()
        for outcome in report.outcomes:
            more = "  ".join(filter(None, [outcome.path, outcome.url, outcome.reason]))
            out.print(f"{outcome.state:<16}{escape(outcome.work)}  {escape(more)}", highlight=False)
        if report.having("fetched"):
            out.print("\nRun: eunato-rag reindex")
    raise typer.Exit(SOME_FAILED if report.having("failed") else DONE)


@app.command(epilog='Example: eunato-rag ask "Why did Pooling and Sharing fail?"')
def ask(
    question: Annotated[str, typer.Argument(help="A question in plain words.")],
    top_k: TopK = 10,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Answer a question, each sentence cited; or say that the documents do not.

    The answer is made of sentences of the corpus, or written by the language model that EUNATO_GENERATION__BASE_URL sets.
    """
    import time

    from eunato_rag.serving.http import render

    settings = read_settings(None, index)
    engine = assembly.open_engine(settings, assembly.writer(settings))
    began = time.perf_counter()
    answer = render.answer(engine, engine.ask(question, top_k=top_k), round((time.perf_counter() - began) * 1000, 1))
    if as_json:
        print(answer.model_dump_json(indent=2))
        return
    out = console()
    out.print(escape(answer.answer))
    if answer.notice:
        out.print(f"({escape(answer.notice)})")
    if answer.reason:
        out.print(f"{escape(answer.reason)} The nearest evidence:")
    for citation in answer.citations:
        out.print(f"\n\\[{citation.number}] {escape(citation.reference)}")
        out.print(f"    “{escape(citation.quote)}”")
        for note in citation.footnotes:
            out.print(f"    note {note.number}: {escape(note.text)}")
    for hit in answer.nearest:
        out.print(f"\n{place_of(hit)}\n    {escape(hit.passage.text)}")


@app.command(epilog='Example: eunato-rag search "military mobility" --top-k 3')
def search(
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    top_k: TopK = 10,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """List the passages for a query, best first."""
    import time

    from eunato_rag.serving.http import render

    engine = assembly.open_engine(read_settings(None, index))
    began = time.perf_counter()
    found = render.search(engine, query, engine.search(query, top_k=top_k), round((time.perf_counter() - began) * 1000, 1))
    if as_json:
        print(found.model_dump_json(indent=2))
        return
    out = console()
    for hit in found.hits:
        out.print(f"{hit.rank}. {place_of(hit)}  score {hit.score:.3f}\n    {escape(hit.passage.text)}\n")


@app.command(epilog="Example: eunato-rag notes mangiameli-2025")
def notes(
    document: Annotated[str | None, typer.Argument(help="A document's id; all documents with notes if left out.")] = None,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Show the footnote graph: each note, the sentences it stands at, the work it cites, and how much of that is known."""
    from eunato_rag.serving.http import render

    engine = assembly.open_engine(read_settings(None, index))
    ids = [document] if document else [i for i in engine.documents() if engine.document(i).footnotes]
    graphs = [render.footnotes(engine, identity) for identity in ids]
    if as_json:
        print(json.dumps([graph.model_dump() for graph in graphs], ensure_ascii=False, indent=2))
        return
    out = console()
    for graph in graphs:
        out.print(f"{escape(engine.document(graph.document_id).title)} ({graph.document_id})")
        for note in graph.footnotes:
            cited = f"{note.work['title']} ({note.work['id']})" if note.work else "not resolved"
            here = f", in the corpus as {note.cites_document_id}" if note.cites_document_id else ""
            out.print(f"\n  {note.number}. {escape(note.text)}\n     cites: {escape(cited + here)}", highlight=False)
            for anchor in note.anchors:
                out.print(f"     at: {escape(anchor.sentence)}", highlight=False)
            for problem in note.problems:
                out.print(f"     doubt: {escape(problem)}", highlight=False)
            for hit in note.support:
                out.print(f"     support: {place_of(hit)}: {escape(hit.passage.text[:200])}", highlight=False)
        out.print("\n  " + "  ".join(f"{name} {value}" for name, value in graph.coverage.items()) + "\n", highlight=False)


@app.command(epilog="Example: eunato-rag doctor")
def doctor(corpus: Corpus = None, index: Index = None) -> None:
    """Say what is installed, found, stale or broken, and the command that mends it. Exit code 1 where something is broken."""
    from eunato_rag.doctor import examine

    out, broken = console(), False
    for finding in examine(read_settings(corpus, index)):
        broken |= finding.state == "broken"
        mark = {"ok": "ok    ", "note": "note  ", "broken": "BROKEN"}[finding.state]
        remedy = f"  ->  {finding.remedy}" if finding.remedy else ""
        out.print(f"{mark}  {finding.what:<12}{escape(finding.detail + remedy)}", highlight=False)
    raise typer.Exit(1 if broken else 0)
