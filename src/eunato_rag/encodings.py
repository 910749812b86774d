"""The text in a file's bytes: the only import of charset_normalizer. Left out: what the text means."""

from __future__ import annotations

from dataclasses import dataclass

import charset_normalizer

from eunato_rag.errors import UnreadableDocument

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text and the name of its encoding as Python knows it; `guessed` where only its letters speak for it."""

    text: str
    encoding: str
    guessed: bool = False


def decode(data: bytes, name: str) -> Decoded:
    """By byte order mark, as UTF-8, or in the encoding that its letters speak for.

    Raises:
        UnreadableDocument: nothing in it, or no text.
    """
    if not data.strip():
        raise UnreadableDocument(f"{name} is empty. Remove it, or put the text in it.")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return Decoded(data.decode(encoding), encoding)
            except UnicodeDecodeError as error:
                raise UnreadableDocument(f"{name} begins as {encoding} but is not. Save it again as UTF-8.") from error
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data[:65536])
    if b"\0" in data or controls > len(data[:65536]) // 100:
        raise UnreadableDocument(f"{name} is no text: it holds control bytes. If it is a PDF or an office file, give it its own suffix.")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data).best()
    if best is None:
        raise UnreadableDocument(f"{name} is in no encoding that can be told. Save it again as UTF-8.")
    return Decoded(str(best), best.encoding, guessed=True)
