"""Commands for people who write: quote, check, verify, cite."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from eunato_rag.errors import InvalidText
from eunato_rag.serving import assembly
from eunato_rag.serving.console import console, progress_bar, stages
from eunato_rag.serving.options import DONE, SOME_FAILED, Index, Json, read_settings

if TYPE_CHECKING:
    from eunato_rag.citing.manuscripts import Format
    from eunato_rag.citing.rechecking import SavedCitation
    from eunato_rag.serving.http import schemas

app = typer.Typer()

DraftFormat = Literal["text", "markdown", "md", "docx"]
_FORMATS: Mapping[DraftFormat, Format] = {"text": "text", "markdown": "markdown", "md": "markdown", "docx": "docx"}


@app.command(epilog='Example: eunato-rag quote "the EU should work alongside NATO"')
def quote(
    text: Annotated[str, typer.Argument(help="A quotation, with or without quotation marks; - reads it from standard input.")],
    document: Annotated[str | None, typer.Option("--document", help="Look in this document only.")] = None,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Say whether a quotation is in the corpus, where, and what differs.

    Exit code 0: exact, or the same words (normalized). 1: altered, or absent.
    """
    from eunato_rag.indexing.catalogue import Filter
    from eunato_rag.serving.http import render
    from eunato_rag.serving.http.served import since

    engine = assembly.open_engine(read_settings(None, index))
    began = time.perf_counter()
    given = sys.stdin.read() if text == "-" else text
    found = render.quote(engine, engine.quote(given, wanted=Filter(document_id=document)), since(began))
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        out = console()
        out.print(f"{found.status}{', stitched' if found.stitched else ''}{f': {escape(found.reason)}' if found.reason else ''}")
        for match in found.matches:
            _print_match(match)
    raise typer.Exit(DONE if found.status in ("exact", "normalized") else SOME_FAILED)


@app.command(epilog="Example: eunato-rag check draft.md --output draft.checked.md")
def check(
    file: Annotated[Path, typer.Argument(help="A draft: text, Markdown or DOCX; - reads text from standard input.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the draft with its notes here.")] = None,
    form: Annotated[DraftFormat | None, typer.Option("--format", help="What the draft is written in.", show_default="by content")] = None,
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Check a draft, sentence by sentence, and give it back with notes and a bibliography.

    A draft in text or Markdown is printed with its notes, what was found behind it on standard error. A DOCX file needs --output.
    Sentences that claim nothing about the subject are left alone.

    Exit code 0: no sentence is contradicted. 1: some are. 2: the file cannot be read.
    """
    from eunato_rag.citing.manuscripts import as_bytes, read_manuscript
    from eunato_rag.serving.http import render
    from eunato_rag.serving.http.served import since

    data = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    manuscript = read_manuscript(data, _FORMATS[form] if form else None, name=file.name)
    if output is not None and output.exists() and str(file) != "-" and output.samefile(file):
        raise InvalidText(f"{output} is the draft itself, which is never overwritten. Name another file.")
    engine = assembly.open_engine(read_settings(None, index))
    began = time.perf_counter()
    with progress_bar() as bar:
        advance = stages(bar)
        record = engine.check(manuscript, lambda done, total: advance("sentences", done, total))
    draft = render.draft(engine, record, since(began))
    if output is not None:
        output.write_bytes(as_bytes(manuscript, record.annotated))
    if as_json:
        print(draft.model_dump_json(indent=2))
    else:
        if output is None and isinstance(record.annotated, str):
            print(record.annotated, end="" if record.annotated.endswith("\n") else "\n")
        out = console(stderr=output is None)
        for sentence in draft.sentences:
            out.print(f"{sentence.label.upper().replace('_', ' '):<13}{escape(sentence.text)}", highlight=False)
            if sentence.why:
                out.print(f"{'':<13}{escape(sentence.why)}", highlight=False)
            for citation in sentence.evidence:
                out.print(f"{'':<13}{escape(citation.reference)}", highlight=False)
        out.print("  ".join(f"{name.replace('_', ' ')} {value}" for name, value in draft.counts.items()), highlight=False)
        if output is None and isinstance(record.annotated, bytes):
            out.print("The draft with its notes: give --output FILE.docx")
    raise typer.Exit(SOME_FAILED if draft.counts["contradicted"] else DONE)


@app.command(epilog="Example: eunato-rag verify answers/")
def verify(
    files: Annotated[list[Path], typer.Argument(help="Saved answers, drafts or quotations as --json gives them; folders of them.")],
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Check again whether the citations of saved answers hold: unchanged, moved, altered or gone.

    Exit code 0: each quotation stands in the corpus, be it elsewhere. 1: some are altered or gone. 2: a file cannot be read.
    """

    from eunato_rag.serving.http import render
    from eunato_rag.serving.http.served import since

    saved = [(path, _saved(path)) for path in _expand(files)]
    engine = assembly.open_engine(read_settings(None, index))
    results = []
    for path, citations in saved:
        began = time.perf_counter()
        results.append((path, render.verified(engine, engine.recheck(citations), since(began))))
    if as_json:
        print(json.dumps([{"file": str(path), **done.model_dump()} for path, done in results], ensure_ascii=False, indent=2))
    else:
        out = console()
        for path, done in results:
            counts = ", ".join(f"{value} {name}" for name, value in done.counts.items() if value) or "no citations"
            out.print(f"{'ok    ' if done.holds else 'FAILED'}  {escape(str(path))}: {counts}", highlight=False)
            for citation in done.citations:
                if citation.status != "unchanged":
                    where = f" Now: {citation.found.reference}" if citation.found else ""
                    out.print(f"        {citation.status:<8} {citation.pointer}  {escape(citation.why + where)}", highlight=False)
    raise typer.Exit(DONE if all(done.holds for _, done in results) else SOME_FAILED)


@app.command(epilog="Example: eunato-rag cite mangiameli-2025 --style apa")
def cite(
    identities: Annotated[list[str], typer.Argument(metavar="ID...", help="Documents, passages (with their place) or works.")],
    style: Annotated[str, typer.Option(help="csl-json, bibtex, ris, apa or chicago.")] = "chicago",
    index: Index = None,
    as_json: Json = False,
) -> None:
    """Print references to documents, passages or works in a style.

    For a passage, what stands in the note (Chicago) or in the text (APA) is printed before, with its page, or section and paragraph.
    """
    from eunato_rag.citing.formats import style_of
    from eunato_rag.serving.http import render

    wanted = style_of(style)
    engine = assembly.open_engine(read_settings(None, index))
    found = render.references(engine, [(identity, engine.cited(identity)) for identity in identities], wanted)
    if as_json:
        print(found.model_dump_json(indent=2))
        return
    for entry in found.references:
        if entry.pinpoint and wanted in ("chicago", "apa"):
            print(entry.citation)
    print(found.text, end="")


def _print_match(match: schemas.QuoteMatch) -> None:
    out = console()
    out.print(f"\n{match.status}  {escape(match.reference)}", highlight=False)
    out.print(f"    “{escape(match.quote)}”", highlight=False)
    for edit in match.edits:
        out.print(f"    {edit.kind:<10} yours “{escape(edit.yours)}”, source “{escape(edit.source)}”", highlight=False)
    for note in match.footnotes:
        out.print(f"    note {note.number}: {escape(note.text)}", highlight=False)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidText(f"{path} cannot be read: {error.strerror}.") from error


def _expand(files: list[Path]) -> list[Path]:
    """The files, and the JSON files below the folders, in order."""
    found: list[Path] = []
    for path in files:
        inside = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise InvalidText(f"There is no .json file below {path}. Save answers there with: eunato-rag ask … --json > answer.json")
        found += inside
    return found


def _saved(path: Path) -> list[SavedCitation]:
    from eunato_rag.citing.rechecking import read_saved

    try:
        return read_saved(_read(path))
    except InvalidText as error:
        raise InvalidText(f"{path}: {error}") from error
