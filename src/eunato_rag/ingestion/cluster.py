"""Reading and embedding on Ray: the only import of ray. A workforce of all the processors of a cluster, or of one begun here.

Files go there as bytes, so that no disk need be shared; they are read under the same limits as here, in processes of their
own beside Ray's. What comes back are strings and numbers that are looked at here. That does not keep out a machine of the
cluster: whoever can reach a Ray cluster can run code on it and on those who use it. Left out: all that is written, for an
index has one writer; clusters themselves, which `ray start`, Kubernetes or others begin.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from eunato_rag.errors import ClusterUnavailable, EunatoRagError, SettingsError, UnreadableDocument
from eunato_rag.indexing.bert import Precision
from eunato_rag.indexing.cache import Encoding, encode, pack, unpack
from eunato_rag.indexing.embedding import Embedder, load_embedder
from eunato_rag.indexing.entries import Entry
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.ingestion.preparing import Here, Prepared, prepared
from eunato_rag.ingestion.readers import READERS
from eunato_rag.ingestion.readings import program
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.records import Document

LOCAL = "local"
"""The address that stands for a cluster of this machine alone, begun for the run and ended with it."""
NAME = "eunato-rag"
"""What the work is called in lists of processes and of tasks."""
AUTO = "auto"
"""The cluster that this machine is part of."""

_LOCAL_ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # by which Ray listens on loopback alone, on Linux, too
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
}
_AHEAD = 16
"""Files for each processor that may be on their way."""
_BYTES_AHEAD = 2**28
_SENT_UP_TO = 2**28
"""Bytes of a file that is sent; a larger one is read here."""
_RETRIES = 10
"""Times that work is begun again because the process that did it was ended."""
_LOOK_S = 3.0
"""How often the cluster is looked at while nothing comes, and how long that may take."""
PATIENCE_S = 20.0
"""How long its head may be gone. After a minute Ray ends the process that asks."""


@dataclass(frozen=True)
class _Orders:
    """What every worker has to know. They are the same in all processes; `program` and `digest` are what they must come to."""

    program: str
    digest: str
    load: Callable[[], Embedder]
    limits: Limits
    manifest: Manifest
    chunking: Chunking

    @cached_property
    def workers(self) -> Workers:
        """The reader of this process."""
        return Workers(self.limits, 1)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder of this process.

        Raises:
            ClusterUnavailable: this machine has another version, or another model under that name.
        """
        if _program() != self.program:
            raise ClusterUnavailable(
                f"The machine {platform.node()} of the Ray cluster has another version of eunato-rag, of Python or of a library than "
                "this one; what it makes would differ. Install the same there: pip install --constraint constraints.txt"
            )
        try:
            embedder = self.load()
        except EunatoRagError as error:
            raise ClusterUnavailable(f"The machine {platform.node()} of the Ray cluster cannot load the model: {error}") from None
        if embedder.digest != self.digest:
            raise ClusterUnavailable(
                f"The machine {platform.node()} of the Ray cluster has another model {embedder.name}: its vectors are "
                f"{embedder.digest[:12]}, those here {self.digest[:12]}. Give it the same weights and settings."
            )
        return embedder


def _prepare(orders: _Orders, folder: str, source: str, name: str, data: bytes) -> tuple[str, str] | str:
    """On the cluster: the document in a file as it was read and as it was cut, in JSON, or why there is none."""
    embedder = orders.embedder
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place, name)
        path.write_bytes(data)
        (read,) = orders.workers.read_all([path])
    if not isinstance(read, Document):
        return str(read)
    made = prepared(read, source, orders.manifest, orders.chunking, embedder)
    return made.read.dumped(), made.entry.dumped()


def _encode(orders: _Orders, folder: str, texts: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """On the cluster: texts -> vectors and tokens, each with a checksum."""
    return [pack(*encoding) for encoding in encode(orders.embedder, texts)]


class Cluster:
    """A workforce on Ray, as many processes as it has processors.

    `address` is `local`, `auto` for the cluster that this machine is part of, or `host:port` of its head, again from a machine
    that is part of it. `load` makes the embedder there, in each process, with one thread. A process that is ended is replaced,
    and what it did is done again. The cluster's head may be gone for `patience` seconds.

    Raises, at any call:
        ClusterUnavailable: no such cluster, it went away, or one of its machines has another version or model.
    """

    at_once: int

    def __init__(
        self,
        address: str,
        load: Callable[[], Embedder],
        limits: Limits,
        manifest: Manifest,
        chunking: Chunking,
        embedder: Embedder,
        *,
        patience: float = PATIENCE_S,
    ) -> None:
        check(address)
        self._patience = patience
        self._address, self._dimension = address, embedder.dimension
        self._here = Here(limits, manifest, chunking, embedder, count=1)
        self._gone_since: float | None = None
        self._folder: str | None = None
        self._on_sigterm = signal.getsignal(signal.SIGTERM)
        self._start()
        orders = _Orders(_program(), embedder.digest, load, limits, manifest, chunking)

        def do(step: Callable[..., Any], *given: object) -> Any:
            return step(orders, _session_folder(), *given)

        # sent once to each process, and its orders with it
        self._remote = self._ray.remote(num_cpus=1, max_retries=_RETRIES, name=NAME)(do)
        try:
            self._count = int(self._ray.cluster_resources().get("CPU", 0))
            if self._count < 1:
                raise ClusterUnavailable(f"The Ray cluster {address} has no processors. Start one with: ray start --address={address}")
        except BaseException:  # Ctrl+C, too: what was begun would outlive this process
            self.close()
            raise
        self.at_once = 2 * self._count

    def prepared(self, files: Iterable[tuple[str, Path]]) -> Iterator[Prepared | UnreadableDocument]:
        """As `Workforce`."""
        begun: deque[tuple[str, Path, str, int, Any]] = deque()
        under_way = 0
        for source, path in files:
            data = _sendable(path)
            reference = None if data is None else self._begin(_prepare, source, path.name, data)
            begun.append((source, path, hashlib.sha256(data or b"").hexdigest(), len(data or b""), reference))
            under_way += begun[-1][3]
            del data
            while len(begun) > _AHEAD * self._count or under_way > _BYTES_AHEAD:
                under_way -= begun[0][3]
                yield self._came_of(*begun.popleft())
        while begun:
            yield self._came_of(*begun.popleft())

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """As `Workforce`."""
        packed = self._take(self._begin(_encode, list(texts)))
        found = [unpack(vector, tokens, self._dimension) for vector, tokens in packed]
        sound = [encoding for encoding in found if encoding is not None]
        if len(sound) != len(texts):
            raise ClusterUnavailable(f"The Ray cluster {self._address} answered with what are no vectors of this model. Run it again.")
        return sound

    def close(self) -> None:
        """As `Workforce`; a cluster that was begun here is ended, and its folder deleted."""
        self._here.close()
        self._ray.shutdown()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_sigterm)  # Ray set its own
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _came_of(self, source: str, path: Path, sha256: str, size: int, reference: Any) -> Prepared | UnreadableDocument:
        if reference is None:
            return next(iter(self._here.prepared([(source, path)])))
        answer = self._take(reference)
        if isinstance(answer, str):
            return UnreadableDocument(answer)
        read, entry = map(Entry.loaded, answer)
        if not read.sha256 == entry.sha256 == sha256:
            raise ClusterUnavailable(f"The Ray cluster {self._address} answered with another document than {source}. Run it again.")
        return Prepared(read, entry)

    def _start(self) -> None:
        local = self._address == LOCAL
        if local:
            for name, value in {**_LOCAL_ENVIRONMENT, "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
                os.environ.setdefault(name, value)
            # below /tmp, since a socket's path has a hundred characters at most
            self._folder = tempfile.mkdtemp(prefix="eunato-ray-", dir="/tmp" if os.name == "posix" else None)
        import ray

        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if local:
            options |= {"num_cpus": os.cpu_count() or 1, "include_dashboard": False, "_temp_dir": self._folder}
        self._ray = ray
        try:
            if self._address not in (LOCAL, AUTO):
                _reach(self._address)  # Ray would try for two minutes
            ray.init(self._address, **options)
        except Exception as error:  # Ray raises many classes here that share no base but this
            self.close()
            raise ClusterUnavailable(
                f"The Ray cluster {self._address} cannot be used: {_first_line(error)} On the head run: ray start --head; on this machine "
                "and the others: ray start --address=HEAD:6379. Or leave --ray out."
            ) from error
        except BaseException:  # Ctrl+C while Ray starts, which takes seconds
            self.close()
            raise

    def _begin(self, step: Callable[..., Any], *given: object) -> Any:
        try:
            return self._remote.remote(step, *given)
        except self._ray.exceptions.RayError as error:
            raise self._lost(error) from error

    def _take(self, reference: Any) -> Any:
        """What came of work that was begun."""
        exceptions = self._ray.exceptions
        while True:
            try:
                return self._ray.get(reference, timeout=_LOOK_S)
            except exceptions.GetTimeoutError:
                self._look()
            except exceptions.RayTaskError as error:
                if isinstance(error.cause, ClusterUnavailable):
                    raise ClusterUnavailable(str(error.cause)) from None
                raise ClusterUnavailable(
                    f"A process of the Ray cluster {self._address} failed: {_first_line(error.cause)} Install this version of eunato-rag "
                    "on all machines of it, with the same Python."
                ) from error
            except exceptions.RayError as error:
                raise self._lost(error) from error

    def _look(self) -> None:
        """Whether the cluster's head is there: without it nothing would ever come.

        Raises:
            ClusterUnavailable: it was not there for a while.
        """
        try:
            _reach(self._ray.get_runtime_context().gcs_address)
            self._gone_since = None
        except OSError as error:
            self._gone_since = self._gone_since or time.monotonic()
            if time.monotonic() - self._gone_since > self._patience:
                raise self._lost(error) from error

    def _lost(self, error: Exception) -> ClusterUnavailable:
        return ClusterUnavailable(
            f"The Ray cluster {self._address} is gone, or its processes end again and again: {_first_line(error)} What is served stays, "
            "and what was embedded is kept. See `ray status` and its logs, then run it again, or leave --ray out."
        )


def load_there(model: str, folder: Path, backend: str, precision: Precision, allow_download: bool) -> Embedder:
    """On the cluster: the embedder of that name, with one thread; its export lies in `folder`, where this machine has that.

    Else it lies in the cache of the user, and is made there at the first use.

    Raises:
        As `load_embedder`.
    """
    if not folder.is_dir():
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eunato-rag" / "models"
    return load_embedder(model, folder, backend=backend, precision=precision, threads=1, allow_download=allow_download)


def check(address: str) -> None:
    """Make sure that there is a Ray, and that a cluster's address is one.

    Raises:
        SettingsError: there is none, or it is none.
    """
    if not re.fullmatch(rf"{LOCAL}|{AUTO}|[^\s:/]+:\d{{1,5}}|\[[0-9A-Fa-f:]+\]:\d{{1,5}}", address):
        raise SettingsError(f"--ray cannot be {address!r}: {LOCAL}, {AUTO} or host:port is expected.")
    if find_spec("ray") is None:
        raise SettingsError('--ray needs Ray, which is not installed. Run: pip install "eunato-rag[ray]"')


def _reach(address: str) -> None:
    """Connect to what is at `host:port`.

    Raises:
        OSError: nothing is.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_LOOK_S).close()


def _program() -> str:
    """What decides the documents and the vectors that a process makes, but for its processor."""
    return " ".join([program(), version("onnxruntime"), version("numpy")])


def _session_folder() -> str:
    """Where the machine that this runs on has the files of the cluster: what a process leaves that is killed goes with them."""
    import ray

    context = ray.get_runtime_context()
    return str(Path(context.get_temp_dir(), context.get_session_name()))


def _sendable(path: Path) -> bytes | None:
    """What stands in a file; None where it is better looked at here: too large, of no type that is read, or not to be opened."""
    try:
        return path.read_bytes() if path.suffix.lower() in READERS and path.stat().st_size <= _SENT_UP_TO else None
    except OSError:
        return None


def _first_line(error: object) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line if line.endswith(".") else f"{line}."
