"""The installed distributions that a project runs on, and their files compared with what was installed.

A distribution's RECORD (PEP 376, PEP 627) holds a digest of each file that came with it. Left out: files that no RECORD
has a digest of, such as compiled ones and what somebody added; and whether a RECORD is right, for who can write the
files can write it, too: hashes given to pip when it installs are for that.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from eunato_rag.errors import DamagedPackage

OPTIONAL = ("milvus", "ocr")
"""Extras whose requirements belong to what runs where they are installed."""

_OF_THE_INSTALLER = ("INSTALLER", "REQUESTED", "direct_url.json")


@dataclass(frozen=True, slots=True)
class Licence:
    """As a distribution states it: an SPDX expression, or else words."""

    text: str
    spdx: bool


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution: its normalized name (PEP 503), the names of the installed ones that it requires, and its files.

    `files` maps a path below `folder`, which may lead out of it, to its recorded digest, `sha256=` and URL-safe Base64;
    it is None where there is no RECORD.
    """

    name: str
    version: str
    licences: tuple[Licence, ...]
    requires: tuple[str, ...]
    folder: Path
    files: Mapping[str, str] | None

    @property
    def digest(self) -> str | None:
        """SHA-256 over the sorted lines `path digest` of all files: the same wherever the same wheel is installed.

        Scripts and what the installer notes for itself are left out, for they differ from machine to machine.
        """
        if self.files is None:
            return None
        lines = (
            f"{path} {digest}\n"
            for path, digest in sorted(self.files.items())
            if not path.startswith("..") and path.rpartition("/")[2] not in _OF_THE_INSTALLER
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not as it was installed, or a whole distribution whose files cannot be told."""

    name: str
    what: str


def installed(root: str) -> list[Installed]:
    """A distribution and all that it requires on this machine, directly or not, by name.

    Raises:
        DamagedPackage: one that is required is not installed.
    """
    found: dict[str, Distribution] = {}
    requires: dict[str, set[str]] = {}
    extras: dict[str, set[str]] = {}
    waiting = [(canonicalize_name(root), {"", *_optional(_distribution(root))})]
    while waiting:
        name, wanted = waiting.pop()
        new = wanted - extras.setdefault(name, set())
        if not new:
            continue
        extras[name] |= new
        there = found.setdefault(name, _distribution(name))
        for requirement in _requirements(there, new):
            required = canonicalize_name(requirement.name)
            requires.setdefault(name, set()).add(required)
            waiting.append((required, {"", *requirement.extras}))
    return [_read(name, there, sorted(requires.get(name, ()))) for name, there in sorted(found.items())]


def verify(parts: Sequence[Installed], progress: Callable[[int, int], None] = lambda done, total: None) -> list[Fault]:
    """Every file that is missing or was changed since it was installed. About a second for each gigabyte.

    `progress(done, total)` counts distributions.
    """
    faults: list[Fault] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done, part in enumerate(parts, 1):
            if part.files is None:
                faults.append(Fault(part.name, "has no RECORD of its files"))
            else:
                places = [(part.folder / path, digest) for path, digest in part.files.items()]
                found = pool.map(_fault, places, chunksize=32)
                faults += [Fault(part.name, f"{path} {what}") for path, what in zip(part.files, found, strict=True) if what]
            progress(done, len(parts))
    return faults


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise DamagedPackage(f"{name} is required, and not installed. Run: pip install --constraint constraints.txt .") from error


def _requirements(there: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """What a distribution requires here, with any of the extras; "" stands for none."""
    for requirement in map(Requirement, there.requires or ()):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


def _optional(root: Distribution) -> Iterator[str]:
    plain = {str(requirement) for requirement in _requirements(root, {""})}
    for extra in OPTIONAL:
        try:
            for requirement in _requirements(root, {extra}):
                if str(requirement) not in plain:
                    distribution(requirement.name)
        except PackageNotFoundError:
            continue
        yield extra


def _read(name: str, there: Distribution, requires: Sequence[str]) -> Installed:
    record = there.read_text("RECORD")
    rows = csv.reader((record or "").splitlines())
    files = None if record is None else {row[0]: row[1] for row in rows if len(row) > 1 and row[1]}
    folder = Path(str(there.locate_file("")))
    return Installed(name, there.version, _licences(there), tuple(requires), folder, files)


def _licences(there: Distribution) -> tuple[Licence, ...]:
    """The expression (PEP 639); else the older field where it is an expression; else the classifiers; else the field's first line."""
    about = there.metadata
    stated = str(about["License-Expression"] or about["License"] or "").strip()
    try:
        return (Licence(canonicalize_license_expression(stated), spdx=True),)
    except InvalidLicenseExpression:
        pass
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License :: ")]
    words = classified or [line.strip() for line in stated.splitlines()[:1]]
    return tuple(Licence(word, spdx=False) for word in words)


def _fault(file: tuple[Path, str]) -> str | None:
    path, recorded = file
    algorithm, _, expected = recorded.partition("=")
    if algorithm not in hashlib.algorithms_guaranteed:
        return f"has a digest of a kind that is not known, {algorithm}"
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, algorithm).digest()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if base64.urlsafe_b64encode(found).rstrip(b"=").decode() == expected.rstrip("=") else "was changed"
