"""Files made wrong: bytes flipped, cut out, doubled, spliced; numbers, names and lengths swapped; archives with mangled parts.

Left out: what a reader makes of them. All chance comes in as a `random.Random`, so that a seed is a file.
"""

from __future__ import annotations

import copy
import random
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO

from lxml import etree

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_WORD = re.compile(rb"[A-Za-z]{2,}")
_REFERENCE = re.compile(rb"\d+ \d+ R")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+(?: \d+ R)?)")
_VALUE = re.compile(rb"(/\w+)\s+(-?\d+(?:\.\d+)?|/\w+|\d+ \d+ R|\([^()]*\)|\[[^\[\]]*\]|<[0-9A-Fa-f]*>)")

_NUMBERS = (*b"0 -1 1 2 7 255 256 65535 65536 2147483647 2147483648 -2147483649 4294967296 9223372036854775808".split(), b"1e400")
_NUMBERS += (b"9" * 40, b"9" * 5000, b"0.0000001", b"-0", b"1.7976931348623157e308", b"340282346638528859811704183484516925440", b"NaN")
_PIECES = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        *("\0", "\x1b", "\x7f", "\x85", "\ud800", "\udfff\ud83d", "\ufffe", "\ufeff", "\u202e", "\u2066", "\u200f", "\u2028", "\u00a0"),
        *(
            "\u0301",
            "a\u0301\u0323" * 40,
            "ﬁ",
            "ß",
            "İ",
            "²",
            "¹",
            "⁴⁵",
            "\U0001f600",
            "\U000e0001",
            "\ufdfa",
            "ה",
            "…",
            "“",
            "”",
            "\r",
            "\r\n",
        ),
        *("[^1]", "[^1]: ", "[1]", "| a | b |\n", "|-|\n", "```", "---\n", "# ", "1. ", "- ", "Contents\n", "Article 1\n", "<!--", "-->"),
        *("&#0;", "&#x85;", "&#10;", "&#xD800;", "&#x110000;", "&nbsp;", "&#13;", "&lol;", "<![CDATA[", "]]>", "<?xml?>", "<b", "</p>"),
        *("<table><tr><td rowspan=65534 colspan=65534>", "<a href='#a' id='b'>1</a>", "<p id='a'><a href='#b'>1</a> ", "<sup>1</sup>"),
        *(
            "<!DOCTYPE a [<!ENTITY b 'c'>]>",
            '<meta charset="utf-7">',
            "<base href='http://['>",
            "<math alttext='\u0301'>",
            "<ol start=-9><li>",
        ),
        *("obj", "endobj", "stream\n", "endstream", "trailer", "startxref", "xref", "%%EOF", "<<", ">>", "BT ", "ET ", "q ", "Q "),
        *("1e38 0 0 1e38 0 0 Tm ", "0 0 0 0 0 0 cm ", "-1 Tz ", "99999 Tf ", "(a) Tj ", "<d800> Tj ", "/Prev 0 ", "/Kids [1 0 R] "),
    )
)


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to eight things wrong; `others` are files to splice with."""
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        data = chance.choice(_MEANS)(data, chance, others)
    return data


def mutated_pdf(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """A PDF with things wrong: half of the time inside its streams or dictionaries, which a flipped byte rarely reaches."""
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        data = chance.choice((*_PDF_MEANS, *_MEANS))(data, chance, others)
    return data


def mutated_xml(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """A tree that is well-formed still: elements moved, doubled, renamed, nested deeply; attributes and words swapped."""
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return mutated(data, chance, others)
    for _ in range(chance.choice((1, 2, 4, 8))):
        elements = [element for element in root.iter(etree.Element) if element is not root]
        if not elements:
            break
        one, other, kind = chance.choice(elements), chance.choice(elements), chance.randrange(7)
        parent = one.getparent()
        if kind == 0 and parent is not None:
            parent.remove(one)
        elif kind == 1:
            other.append(copy.deepcopy(one))
        elif kind == 2 and parent is not None:
            parent.extend([copy.deepcopy(one) for _ in range(chance.choice((1, 5, 200)))])
        elif kind == 3:
            one.tag = other.tag
        elif kind == 4:
            for _ in range(chance.choice((3, 60, 240))):
                parent = etree.SubElement(one, chance.choice((one.tag, other.tag)))
                one.append(parent)
                one = parent
            one.text = "deep"
        elif kind == 5 and one.attrib:
            name = chance.choice(sorted(one.attrib))
            values = [value for element in elements for value in element.attrib.values()]
            one.set(name, chance.choice((*values, "-1", "0", "999999", "9" * 40, "", "\u202e", "%9.%1")))
        else:
            one.text = chance.choice(_WORDS) * chance.choice((1, 1, 40))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def mutated_zip(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """An archive with wrong parts, or itself wrong."""
    if chance.random() < 0.25:
        return mutated(data, chance, others)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError, EOFError):
        return mutated(data, chance, others)
    for _ in range(chance.choice((1, 1, 2, 3))):
        n = chance.randrange(len(parts))
        name, content = parts[n]
        kind = chance.random()
        if kind < 0.75:
            n = next((i for i, (part, _) in enumerate(parts) if part.endswith("document.xml")), n) if kind < 0.3 else n
            wrong = mutated_xml if chance.random() < 0.7 else mutated
            parts[n] = parts[n][0], wrong(parts[n][1], chance, [content for _, content in parts])
        elif kind < 0.85:
            parts[n] = name, chance.choice(parts)[1]
        elif kind < 0.9 and len(parts) > 1:
            del parts[n]
        else:
            parts[n] = chance.choice((name.upper(), f"/{name}", f"../{name}", name + "é", chance.choice(parts)[0] + "x")), content
    buffer = BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive,
    ):
        for name, content in parts:
            archive.writestr(name, content)
    packed = buffer.getvalue()
    return mutated(packed, chance, others) if chance.random() < 0.1 else packed


_WORDS = ("\u0301", "\u00a0", "\u00ad", "\u202eabc", "ﬁ¹ ", "[1] ", "¹ note", "\U0001f600", "\u2028", "\t", " ", "", "\x85")

Mean = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 2, 4, 16, 64, 256, 2048)))


def _flip(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        if made:
            made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return bytes(made)


def _cut(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _end(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)] if chance.random() < 0.5 else data[: -chance.choice((1, 8, 40, 200))]


def _double(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 3, 50)) + data[end:]


def _move(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    rest = data[:start] + data[end:]
    place = chance.randrange(len(rest) + 1)
    return rest[:place] + data[start:end] + rest[place:]


def _insert(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    piece = chance.randbytes(chance.choice((1, 4, 64))) if chance.random() < 0.2 else chance.choice(_PIECES) * chance.choice((1, 1, 2, 300))
    return data[:place] + piece + data[place:]


def _splice(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice([data, *others])
    start, end = _span(other, chance)
    place = chance.randrange(len(data) + 1)
    return data[:place] + other[start:end] + data[place:] if chance.random() < 0.7 else data[:place] + other[start:]


def _renumber(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    return _replaced(data, _NUMBER, chance.choice(_NUMBERS), chance)


def _rename(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    words = _WORD.findall(data[:200_000])
    return _replaced(data, _WORD, chance.choice(words), chance) if words else data


def _swap_values(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The value of one key of a dictionary becomes that of another."""
    found = list(_VALUE.finditer(data))
    if len(found) < 2:
        return data
    one, other = chance.sample(found, 2)
    return data[: one.start(2)] + other[2] + data[one.end(2) :]


def _misrefer(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A reference leads elsewhere, or in a circle."""
    found = _REFERENCE.findall(data)
    return _replaced(data, _REFERENCE, chance.choice([*found, b"1 0 R", b"99999 0 R", b"0 65535 R"]), chance) if found else data


def _in_stream(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """What a stream holds is unpacked, made wrong, and packed again; its declared length stays as it was, or not."""
    found = list(_STREAM.finditer(data))
    if not found:
        return data
    match = chance.choice(found)
    try:
        content, packed = zlib.decompress(match[1]), True
    except zlib.error:
        content, packed = match[1], False
    if len(content) > 5_000_000:
        return data
    for _ in range(chance.choice((1, 2, 5))):
        content = chance.choice(_MEANS)(content, chance, others)
    made = zlib.compress(content, 1) if packed else content
    head = data[: match.start(1)]
    declared = list(_LENGTH.finditer(head, max(0, len(head) - 300)))
    if declared and chance.random() < 0.8:
        head = head[: declared[-1].start(1)] + b"%d" % len(made) + head[declared[-1].end(1) :]
    return head + made + data[match.end(1) :]


def _replaced(data: bytes, pattern: re.Pattern[bytes], by: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    match = pattern.search(data, place) or pattern.search(data)
    return data[: match.start()] + by + data[match.end() :] if match else data


_MEANS: tuple[Mean, ...] = (_flip, _flip, _cut, _end, _double, _move, _insert, _insert, _splice, _renumber, _rename)
_PDF_MEANS: tuple[Mean, ...] = (_swap_values, _misrefer, _in_stream, _in_stream, _in_stream, _in_stream)
