"""SHA-256 of files.

A digest proves that bytes are those that somebody saw before; whoever may write both a file and the place where its
digest stands can change both. Left out: signatures.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes in lower-case hexadecimal; about 1 GB a second where the processor helps.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
