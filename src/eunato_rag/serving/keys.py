"""API keys: made, listed, revoked, and found again by what a caller presents.

    eunato_3f9a1c07_<secret>      an id to look up and to show, and 256 random bits
    keys.json                     per key its id, name, scope, times, and the SHA-256 of the whole; never the key itself

A random key of this length cannot be guessed from its digest, so a slow password hash would add time and no safety.
The file lies beside the index folder, which may be deleted at any time. Left out: who is asked for a key (http.access).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal, get_args

from filelock import FileLock

from eunato_rag.errors import KeyFileError, NotFound

Scope = Literal["read", "admin"]
"""What a key is good for; `admin` includes `read`."""

FILE = "keys.json"
_FORM = re.compile(r"eunato_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NO_DIGEST = "0" * 64
_LOCKED_S = 10.0


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept; times are UTC, ISO 8601."""

    id: str
    name: str
    scope: Scope
    created: str
    revoked: str | None
    sha256: str

    @property
    def scopes(self) -> frozenset[Scope]:
        return frozenset(get_args(Scope)) if self.scope == "admin" else frozenset({"read"})


class KeyStore:
    """The keys in one file. Safe to share between threads and processes; what another process changes is seen at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    def add(self, name: str, scope: Scope = "read") -> str:
        """Make a key and keep its digest. Returns the key itself, which cannot be had again."""
        identity = secrets.token_hex(4)
        key = f"eunato_{identity}_{secrets.token_urlsafe(32)}"
        with self._changing() as keys:
            keys[identity] = Key(identity, name, scope, _now(), None, _digest(key))
        return key

    def revoke(self, identity: str) -> Key:
        """Make a key useless from now on; one that was revoked before stays as it is.

        Raises:
            NotFound: there is no key of that id.
        """
        with self._changing() as keys:
            if identity not in keys:
                raise NotFound(f"There is no key {identity!r} in {self.path}. See: eunato-rag keys list")
            keys[identity] = replace(keys[identity], revoked=keys[identity].revoked or _now())
            return keys[identity]

    def all(self) -> tuple[Key, ...]:
        """Every key that was made, oldest first, those revoked among them.

        Raises:
            KeyFileError: the file is there and cannot be used.
        """
        return tuple(self._current().values())

    def find(self, presented: str) -> Key | None:
        """The key that is presented, if it is one and not revoked. How long this takes tells nothing of a secret.

        Raises:
            KeyFileError: as for `all`.
        """
        form = _FORM.fullmatch(presented)
        key = self._current().get(form[1]) if form else None
        same = hmac.compare_digest(_digest(presented), key.sha256 if key else _NO_DIGEST)
        return key if key is not None and same and key.revoked is None else None

    def _current(self) -> dict[str, Key]:
        """Read again where the file is another one; each change puts a new file in its place."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeyFileError(f"{self.path} cannot be looked at: {error}.") from error
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._guard:
            if seen != self._seen:
                self._keys, self._seen = self._read(), seen
            return self._keys

    def _read(self) -> dict[str, Key]:
        try:
            listed = json.loads(self.path.read_text("utf-8"))["keys"]
            keys = [_sound(Key(**entry)) for entry in listed]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise KeyFileError(f"{self.path} cannot be read as keys ({error}). Restore it from a backup, or move it away.") from error
        return {key.id: key for key in keys}

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """The keys, to be changed by one process at a time, and put in the place of the old ones whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_LOCKED_S):
            keys = self._read()
            yield keys
            handle, aside = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # for its owner alone: 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"keys": [asdict(key) for key in keys.values()]}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self.path)


def _sound(key: Key) -> Key:
    """The key, if a store wrote it: what is compared with a caller's must be comparable."""
    texts = (key.id, key.name, key.scope, key.created, key.sha256, key.revoked or "")
    if not all(isinstance(text, str) for text in texts) or key.scope not in get_args(Scope) or not _DIGEST.fullmatch(key.sha256):
        raise ValueError(f"an entry is no key: {key.id!r}")
    return key


def beside(index: Path) -> Path:
    """Where the keys of a service lie unless a setting names another place."""
    return index.absolute().parent / FILE


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
