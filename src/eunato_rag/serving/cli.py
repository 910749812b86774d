"""The command line: each command parses, calls one thing, and prints. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from eunato_rag.errors import CorpusError, EunatoRagError, NoIndex, SettingsError
from eunato_rag.serving import assembly, bom_command, keys_command, snapshots_command, writing
from eunato_rag.serving.console import console, place_of, print_report, progress_bar, stages
from eunato_rag.serving.mcp import command as mcp
from eunato_rag.serving.options import DONE, NOTHING, SOME_FAILED, Corpus, Index, Json, TopK, read_settings

if TYPE_CHECKING:
    from eunato_rag.engine import Engine
    from eunato_rag.evaluation import Collection
    from eunato_rag.ingestion.preparing import Recruit
    from eunato_rag.reindex import Report
    from eunato_rag.settings import Settings

app = typer.Typer(
    help="Answers from a paper on EU-NATO cooperation and the works it cites; every sentence cited and verified.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.add_typer(writing.app)
app.add_typer(snapshots_command.app)
app.add_typer(mcp.app)
app.add_typer(keys_command.app)
app.add_typer(bom_command.app)


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
    report = _reindex(settings, full=full, dry_run=dry_run, recruit=recruit)
    _tell(report, as_json)
    if watch and not dry_run:
        console(stderr=True).print(f"Watching {settings.corpus} (Ctrl+C ends it)")
        for _ in changes(settings.corpus, seen):
            try:
                _tell(_reindex(settings, recruit=recruit), as_json)
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
        print_report(_reindex(settings))
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


def _reindex(settings: Settings, *, full: bool = False, dry_run: bool = False, recruit: Recruit | None = None) -> Report:
    """Re-index in this process, as a job that servers on the same index know of; a dry run is none."""
    from eunato_rag.ingestion.preparing import Here
    from eunato_rag.reindex import reindex as build
    from eunato_rag.serving.jobs.store import JobStore
    from eunato_rag.serving.jobs.worker import perform

    if dry_run:
        with progress_bar() as bar:
            return build(
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
