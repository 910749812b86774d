"""`eunato-rag bom`: what the service is made of, as a CycloneDX document; and whether all of it is as it was installed."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from eunato_rag.serving.console import console, progress_bar, stages
from eunato_rag.serving.options import DONE, SOME_FAILED, read_settings

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: eunato-rag bom > bom.json")
def bom(
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every installed file with its recorded digest instead; name those that changed.")
    ] = False,
) -> None:
    """Print the bill of materials, CycloneDX 1.6 in JSON: packages, licences, models with their digests. No network is used.

    With --verify, exit code 1: something was changed, or is missing.
    """
    from eunato_rag import materials
    from eunato_rag.installed import installed
    from eunato_rag.installed import verify as compare

    settings = read_settings(None, None)
    parts = installed(materials.ROOT)
    if not verify:
        print(json.dumps(materials.bill(parts, materials.data(settings)), ensure_ascii=False, indent=2))
        return
    with progress_bar() as bar:
        advance = stages(bar)
        faults = [*compare(parts, lambda done, total: advance("verify", done, total)), *materials.altered(settings)]
    out = console()
    for fault in faults:
        out.print(f"{escape(fault.name)}: {escape(fault.what)}", highlight=False)
    if not faults:
        files = sum(len(part.files or ()) for part in parts)
        out.print(f"{files} files of {len(parts)} packages, and the models: as they were installed.", highlight=False)
    raise typer.Exit(SOME_FAILED if faults else DONE)
