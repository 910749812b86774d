"""`eunato-rag keys`: make, list and revoke the keys that the service asks for. A running service follows at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from eunato_rag.serving.console import console
from eunato_rag.serving.options import Index, Json, read_settings

if TYPE_CHECKING:
    from eunato_rag.serving.keys import KeyStore

app = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)


@app.command(epilog="Example: eunato-rag keys add newsroom")
def add(
    name: Annotated[str, typer.Argument(help="Who or what the key is for; shown in lists.")],
    admin: Annotated[bool, typer.Option("--admin", help="Also for jobs, uploads, deletions and snapshots.")] = False,
    index: Index = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the key and its id as JSON.")] = False,
) -> None:
    """Make a key and print it, this once: only its digest is kept."""
    store = _store(index)
    key = store.add(name, "admin" if admin else "read")
    if as_json:
        print(json.dumps({"key": key, "id": key.split("_")[1]}))
        return
    print(key)
    console(stderr=True).print(f"Kept in {escape(str(store.path))} as a digest. Send it as: Authorization: Bearer …", highlight=False)


@app.command("list", epilog="Example: eunato-rag keys list")
def list_keys(index: Index = None, as_json: Json = False) -> None:
    """List the keys: id, scope, when made, when revoked, name."""
    keys = _store(index).all()
    if as_json:
        shown = [{name: value for name, value in asdict(key).items() if name != "sha256"} for key in keys]
        print(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for key in keys:
        ended = f"revoked {key.revoked}" if key.revoked else ""
        console().print(f"{key.id}  {key.scope:<6} {key.created}  {ended:<34}{escape(key.name)}".rstrip(), highlight=False)


@app.command(epilog="Example: eunato-rag keys revoke 3f9a1c07")
def revoke(identity: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as in keys list.")], index: Index = None) -> None:
    """Revoke a key; a running service refuses it from its next request on."""
    key = _store(index).revoke(identity)
    console(stderr=True).print(f"Key {key.id} ({escape(key.name)}) is revoked.", highlight=False)


def _store(index: Path | None) -> KeyStore:
    from eunato_rag.serving import assembly

    return assembly.keys(read_settings(None, index))
