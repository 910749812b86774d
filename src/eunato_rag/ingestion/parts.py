"""A body that is not whole yet: the part that is here, and what an answer's headers say of the rest and of trying again.

The rest is joined to a part only under the strong validator that was noted beside it before its first byte (RFC 9110,
13.1.5, 14 and 15.3.7). An answer that does not continue the part is an attempt that failed.

Left out: asking (downloading); the name that a whole body takes (fetching).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import httpx2

from eunato_rag.ingestion.addresses import NotServed
from eunato_rag.retrying import Again, http_date


@dataclass(frozen=True, slots=True)
class Part:
    """A body that is not whole yet, and a note beside it of where the rest is to be had; without a note it starts anew."""

    path: Path

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """The validator under which that URL may be asked for the rest, or None where there is nothing to go on from."""
        try:
            noted = json.loads(self.note.read_text("utf-8"))
            validator = noted["validator"] if noted["url"] == url else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return validator if isinstance(validator, str) and self.size() else None

    def begin(self, url: str, validator: str | None) -> None:
        """Empty the part; the note comes after that and before the first byte, so that it never vouches for other bytes."""
        self.path.write_bytes(b"")
        self.note.unlink(missing_ok=True)
        if validator:
            self.note.write_text(json.dumps({"url": url, "validator": validator}), "utf-8")

    def settle(self) -> None:
        """Drop it unless it can be continued."""
        if not self.note.exists():
            self.discard()

    def discard(self) -> None:
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def plain(value: str | None) -> str | None:
    """A validator that can be sent back: field values are ASCII, and some servers forget it."""
    return value if value and value.isascii() else None


def strong_validator(headers: httpx2.Headers) -> str | None:
    """What may stand in If-Range (RFC 9110, 13.1.5): a strong entity tag, or a date well before the answer's own."""
    etag = plain(headers.get("etag"))
    if etag is not None:
        return etag if etag.startswith('"') else None
    modified, now = http_date(headers.get("last-modified")), http_date(headers.get("date"))
    return headers["last-modified"] if modified is not None and now is not None and now - modified >= 60 else None


def extent_of(response: httpx2.Response, part: Part, url: str) -> tuple[int, int | None]:
    """Where the body of an answer begins, and the length of the whole where it is known.

    The rest is joined to a part only under the validator that the part began with (RFC 9110, 15.3.7.3): there are servers
    that heed Range and not If-Range.

    Raises:
        Again: it is not the rest of this part, which is now gone.
        NotServed: it is no body at all.
    """
    headers, status = response.headers, response.status_code
    if status in (206, 416):
        extent = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+)", headers.get("content-range", ""))
        validator = part.validator(url)
        tag = validator is not None and validator.startswith('"')
        same = validator is not None and validator == (headers.get("etag") if tag else headers.get("last-modified", validator))
        if status == 206 and same and extent and int(extent[1]) == part.size() and "content-encoding" not in headers:
            return int(extent[1]), int(extent[2])
        part.discard()
        raise Again("its partial answer does not continue what is here", wait=0.0)
    if status not in (200, 203):
        raise NotServed(f"{status} {response.reason_phrase}".strip())
    length = headers.get("content-length", "")
    return 0, int(length) if re.fullmatch(r"[0-9]{1,18}", length) and "content-encoding" not in headers else None
