"""The parts of a DOCX file as XML trees, and the file written anew: the only import of zipfile.

Bounded: no part is unpacked beyond a limit, and a document type declaration, with which entities are defined, is
refused. Elements are told by their local names, so that transitional and strict files read alike (ISO/IEC 29500).
Left out: what the elements mean, beyond paragraph styles (styles).
"""

from __future__ import annotations

import lzma
import posixpath
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from eunato_rag.errors import UnreadableDocument

MAX_UNPACKED = 256 * 1024 * 1024
MAX_PART = 64 * 1024 * 1024
_MAX_ENTRIES = 10_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
)
"""What zipfile raises on damaged archives."""

Xml = etree._Element


@dataclass(frozen=True, slots=True)
class Relationship:
    target: str
    external: bool
    kind: str


class Package:
    """An opened DOCX file.

    Raises:
        UnreadableDocument: the bytes are empty, encrypted, another format, damaged, or unpack to too much.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        if not data.strip():
            raise UnreadableDocument(f"{name} is empty. Remove it, or put the document in it.")
        if data.startswith(_OLE):
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise UnreadableDocument(f"{name} is encrypted. Open it with its password and save it without one.")
            raise UnreadableDocument(f"{name} is no DOCX but a file of Word 2003 or older. Save it as .docx.")
        if data.startswith(b"%PDF-"):
            raise UnreadableDocument(f"{name} is a PDF, not DOCX. Give it the suffix .pdf.")
        if not data.startswith(b"PK"):
            raise UnreadableDocument(f"{name} is no DOCX: it is no ZIP archive. Give it the suffix of what it is, or save it as .docx.")
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _ZIP_ERRORS as error:
            raise self._damaged(str(error)) from error
        entries = self._zip.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > MAX_UNPACKED or len(entries) > _MAX_ENTRIES:
            raise UnreadableDocument(
                f"{name} unpacks to {unpacked:,} bytes in {len(entries):,} parts; at most {MAX_UNPACKED:,} in {_MAX_ENTRIES:,} are read. "
                "Take its pictures out, or split it."
            )
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnreadableDocument(f"{name} is encrypted. Unpack it with its password and save it without one.")
        self._names = {entry.filename.lower().lstrip("/"): entry.filename for entry in entries}
        roots = self.relationships("")
        self.main = next((r.target for r in roots.values() if r.kind == "officeDocument"), "word/document.xml")
        self.core = next((r.target for r in roots.values() if r.kind == "core-properties"), "docProps/core.xml")

    def document(self) -> Xml:
        """The body of the main part."""
        root = self.part(self.main)
        body = None if root is None or local(root) != "document" else child(root, "body")
        if body is None:
            raise UnreadableDocument(f"{self.name} is a ZIP archive without a Word document in it. Give it the suffix of what it is.")
        return body

    def related(self, kind: str) -> Xml | None:
        """The root of the part that the main part relates to as "styles", "footnotes" and so on."""
        target = next((r.target for r in self.relationships(self.main).values() if r.kind == kind), None)
        return None if target is None else self.part(target)

    def relationships(self, part: str) -> dict[str, Relationship]:
        """The relationships of a part by their ids; of the package for ""."""
        folder, file = posixpath.split(part)
        root = self.part(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relationship] = {}
        for element in [] if root is None else children(root, "Relationship"):
            target, external = attribute(element, "Target"), attribute(element, "TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[attribute(element, "Id")] = Relationship(target, external, attribute(element, "Type").rsplit("/", 1)[-1])
        return found

    def part(self, path: str, *, whole: bool = False) -> Xml | None:
        """The root element of a part, or None where there is no such part; `whole` with its comments and instructions."""
        data = self.read(path)
        if data is None:
            return None
        if any("<!DOCTYPE".encode(encoding) in data for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
            raise UnreadableDocument(f"{self.name} declares a document type in {path}, which no Word file does. Do not trust it.")
        parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_comments=not whole, remove_pis=not whole)
        try:
            return etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            raise self._damaged(f"{path}: {error.msg}") from error

    def read(self, path: str) -> bytes | None:
        """The bytes of a part, or None where there is no such part."""
        name = self._names.get(path.lower())
        if name is None:
            return None
        if self._zip.getinfo(name).file_size > MAX_PART:
            raise UnreadableDocument(f"{self.name} has a part, {name}, of more than {MAX_PART:,} bytes. Split the document.")
        try:
            return self._zip.read(name)
        except _ZIP_ERRORS as error:
            raise self._damaged(f"{name}: {error}") from error

    def replaced(self, parts: Mapping[str, bytes]) -> bytes:
        """The same package with these parts in place of its own, or added at its end; every other part byte for byte."""
        buffer, waiting = BytesIO(), {path.lower(): (path, data) for path, data in parts.items()}
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as written:
            for entry in self._zip.infolist():
                changed = waiting.pop(entry.filename.lower().lstrip("/"), None)
                if changed is not None:
                    written.writestr(entry, changed[1])
                    continue
                try:
                    with self._zip.open(entry) as source, written.open(entry, "w") as target:
                        shutil.copyfileobj(source, target)
                except _ZIP_ERRORS as error:
                    raise self._damaged(f"{entry.filename}: {error}") from error
            for name, data in waiting.values():
                written.writestr(name, data)
        return buffer.getvalue()

    def _damaged(self, reason: str) -> UnreadableDocument:
        return UnreadableDocument(f"{self.name} is damaged ({reason}). Open it in Word, let it repair the file, and save it again.")


def local(element: Xml) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Xml, *names: str) -> Iterator[Xml]:
    """The children of these names, or all."""
    for below in element:
        if not names or local(below) in names:
            yield below


def child(element: Xml | None, *path: str) -> Xml | None:
    """The first descendant down a path of names."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def attribute(element: Xml | None, name: str) -> str:
    """An attribute by its local name; empty where there is none."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def value(element: Xml | None, *path: str) -> str:
    """The `val` of the element down a path."""
    return attribute(child(element, *path), "val")


def is_on(element: Xml | None, *path: str) -> bool:
    """Whether a switch such as `<w:b/>` is there and not turned off."""
    switch = child(element, *path)
    return switch is not None and attribute(switch, "val") not in ("0", "false", "off", "none")


def integer(text: str, otherwise: int = 0) -> int:
    """A number as attributes write it; `otherwise` for anything else."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,6}", text) else otherwise
