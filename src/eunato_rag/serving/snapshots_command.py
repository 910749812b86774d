"""Commands about the snapshots of an index folder: list, activate, rollback, prune, verify."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from eunato_rag.serving import assembly
from eunato_rag.serving.console import console
from eunato_rag.serving.options import DONE, SOME_FAILED, Index, Json, read_settings

app = typer.Typer(
    name="snapshots",
    help="The builds of the index that are kept: list them, serve another one, delete old ones, verify all.",
    epilog="Example: eunato-rag snapshots activate 3f2a9c01d4e5",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def default(context: typer.Context) -> None:
    """The builds of the index that are kept: list them, serve another one, delete old ones, verify all. Alone, it lists."""
    if context.invoked_subcommand is None:
        listed()


@app.command("list", epilog="Example: eunato-rag snapshots list --json")
def listed(index: Index = None, as_json: Json = False) -> None:
    """List the snapshots, newest first; the one that is served has a star."""
    _show(index, as_json, verify=False)


@app.command(epilog="Example: eunato-rag snapshots verify")
def verify(index: Index = None, as_json: Json = False) -> None:
    """Compare every file of every snapshot with its checksum. Exit code 1 where one is damaged."""
    raise typer.Exit(_show(index, as_json, verify=True))


@app.command(epilog="Example: eunato-rag snapshots activate 3f2a9c01d4e5")
def activate(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The snapshot to serve.")],
    index: Index = None,
) -> None:
    """Serve another snapshot, after all of it was verified. Running servers turn to it with their next request."""
    from eunato_rag.indexing.history import activate as make_current

    settings = read_settings(None, index)
    manifest = make_current(settings.index, identity, assembly.embedder(settings), assembly.milvus(settings))
    console().print(f"Snapshot {manifest.id} of {manifest.created} is served.", highlight=False)


@app.command(epilog="Example: eunato-rag snapshots rollback")
def rollback(index: Index = None) -> None:
    """Serve what was served before, after all of it was verified; once more goes one further back."""
    from eunato_rag.indexing.history import rollback as go_back

    settings = read_settings(None, index)
    manifest = go_back(settings.index, assembly.embedder(settings), assembly.milvus(settings))
    console().print(f"Snapshot {manifest.id} of {manifest.created} is served.", highlight=False)


@app.command(epilog="Example: eunato-rag snapshots prune --keep 3")
def prune(
    keep: Annotated[int | None, typer.Option(min=1, help="How many to keep, the served one among them.", show_default="5")] = None,
    index: Index = None,
) -> None:
    """Delete old snapshots; the served one stays. Servers that still answer from one go on until they turn to the new."""
    from eunato_rag.indexing.history import prune as delete_old

    settings = read_settings(None, index)
    gone = delete_old(settings.index, keep or settings.snapshots.keep, assembly.milvus(settings))
    console().print(f"Deleted: {', '.join(gone) or 'none'}.", highlight=False)


def _show(index: Index, as_json: bool, *, verify: bool) -> int:
    from eunato_rag.indexing.history import list_snapshots
    from eunato_rag.serving.http import render

    found = list_snapshots(read_settings(None, index).index, verify=verify)
    if as_json:
        print(json.dumps([render.kept(kept).model_dump() for kept in found], indent=2))
    else:
        out = console()
        for kept in found:
            about = (
                f"{kept.manifest.created}  {kept.manifest.counts['documents']} documents, {kept.manifest.counts['passages']} passages"
                if kept.manifest
                else f"UNUSABLE  {kept.fault}"
            )
            out.print(f"{'*' if kept.current else ' '} {kept.id}  {kept.size / 2**20:.1f} MB  {escape(about)}", highlight=False)
        if not found:
            out.print("There is no snapshot. Run: eunato-rag reindex")
    return SOME_FAILED if any(kept.fault for kept in found) else DONE
