"""What the service is made of, as a CycloneDX 1.6 bill of materials: distributions, weights, the table of tokens.

Made from what is installed, without a network, and without a time or a random number: the same installation gives the
same document. Left out: which of it has known weaknesses (pip-audit asks that), and what the operating system brings.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from eunato_rag import tokens
from eunato_rag.digests import sha256_of
from eunato_rag.errors import DamagedPackage
from eunato_rag.evidence import entailment
from eunato_rag.indexing import embedding, reranking
from eunato_rag.installed import Fault, Installed
from eunato_rag.settings import Settings

ROOT = "eunato-rag"
"""The distribution that the bill is of; the names of its own properties begin so, too."""


@dataclass(frozen=True, slots=True)
class Data:
    """Weights or a table that the service reads: the SHA-256 of the files by name, and of all that decides the outcome."""

    kind: Literal["machine-learning-model", "data"]
    name: str
    digest: str
    files: dict[str, str]


def data(settings: Settings) -> list[Data]:
    """The models that settings name, and the table of tokens.

    Raises:
        ModelNotFound: a model is not on this machine. DamagedPackage: the table cannot be read.
    """
    folders = {settings.embedding.model: embedding.find_model(settings.embedding.model)}
    if settings.reranking.model:
        folders[settings.reranking.model] = reranking.find_reranker(settings.reranking.model)
    if settings.entailment.model:
        folders[settings.entailment.model] = entailment.find_entailment(settings.entailment.model)
    models = [_model(name, folder) for name, folder in folders.items()]
    table = tokens.table_path()
    digest = sha256_of(table)
    return [*models, Data("data", tokens.ENCODING, digest, {table.name: digest})]


def bill(parts: Sequence[Installed], read: Sequence[Data]) -> dict[str, Any]:
    """The bill of materials; `parts` holds the distribution that it is of."""
    references = {part.name: _purl(part) for part in parts}
    (root,) = (part for part in parts if part.name == ROOT)
    interpreter = {"type": "platform", "bom-ref": "python", "name": platform.python_implementation(), "version": platform.python_version()}
    needs = {references[part.name]: [references[name] for name in part.requires] for part in parts}
    needs[references[ROOT]] += [interpreter["bom-ref"], *(one.name for one in read)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**_component(root), "type": "application"}},
        "components": [*(_component(part) for part in parts if part is not root), *map(_data, read), interpreter],
        "dependencies": [{"ref": reference, "dependsOn": needed} for reference, needed in needs.items()],
    }


def altered(settings: Settings) -> Iterator[Fault]:
    """What has a digest in the program itself, and another on disk: the bundled weights, the table of tokens."""
    checks: dict[str, Callable[[], object]] = {tokens.ENCODING: tokens.verify_table}
    if settings.embedding.model == embedding.DEFAULT_MODEL:
        folder = embedding.find_model(embedding.DEFAULT_MODEL)
        checks[embedding.DEFAULT_MODEL] = lambda: embedding.verify_bundled(folder)
    for name, check in checks.items():
        try:
            check()
        except DamagedPackage as error:
            yield Fault(name, str(error))


def _model(name: str, folder: Path) -> Data:
    weights = sorted(folder.rglob("*.safetensors"))
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in weights}
    return Data("machine-learning-model", name, embedding.model_digest(folder), files)


def _component(part: Installed) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(part),
        "name": part.name,
        "version": part.version,
        "purl": _purl(part),
    }
    if part.licences:
        component["licenses"] = [
            {"expression": licence.text} if licence.spdx else {"license": {"name": licence.text}} for licence in part.licences
        ]
    if part.files is not None:
        # no hash of the component: that would be the archive's, which is not there any more
        component["properties"] = [
            {"name": f"{ROOT}:files", "value": str(len(part.files))},
            {"name": f"{ROOT}:files:sha256", "value": part.digest},
        ]
    return component


def _data(read: Data) -> dict[str, Any]:
    files = [{"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]} for name, digest in read.files.items()]
    properties = [{"name": f"{ROOT}:files:sha256", "value": read.digest}]
    return {"type": read.kind, "bom-ref": read.name, "name": read.name, "components": files, "properties": properties}


def _purl(part: Installed) -> str:
    return f"pkg:pypi/{part.name}@{quote(part.version, safe='.-_~')}"
