"""Milvus, where it is set: the only import of pymilvus. A snapshot's vectors and keywords as a collection that it searches.

A collection is made from a snapshot's own files and holds nothing else, so it can be made again at any time. It is named
after the snapshot; an alias names that of the served one, for other programs: what is served is in CURRENT. Only what the
index folder knows is ever dropped, since others may use the same Milvus. Left out: what is searched for (collection).
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from eunato_rag.errors import DamagedSnapshot, MilvusUnavailable, SettingsError
from eunato_rag.indexing.collection import DENSE, TERMS, Collection
from eunato_rag.indexing.conditions import FIELDS, POSITION, Conditions
from eunato_rag.indexing.probing import probe_collection

if TYPE_CHECKING:
    from eunato_rag.indexing.catalogue import Catalogue
    from eunato_rag.indexing.keywords import KeywordIndex, Vocabulary
    from eunato_rag.indexing.vectors import VectorIndex

LITE = ".db"
"""How the path of a file ends that Milvus Lite keeps, in this process and with no server."""

EXACT_UP_TO = 1_000_000
"""Passages up to which every vector is compared, as FAISS does here; above, a graph (HNSW) finds nearly all of the nearest."""

_BATCH = 1000
_WRITE_S, _BUILD_S = 60.0, 6 * 3600.0
"""Time for a batch to be taken, and for all of them to be written, indexed and loaded."""

_GRAPH = {"M": 32, "efConstruction": 256}
_BEAM = 256
"""Candidates that a search of the graph keeps, more than twice what is asked for."""

_MISSING = (100, 1600)
"""Milvus' codes for a collection and for an alias that are not there."""


class Milvus:
    """A Milvus server, or a file of Milvus Lite, and the collections in it that belong to one index folder.

    `url` is `http://host:port` or a path that ends with `.db`; `name` begins the names of the collections and is the alias.
    Nothing is imported or connected to before the first call. Each call ends after about `timeout` seconds, twice that
    where the connection broke. Safe to share between threads.

    Raises, at any call:
        MilvusUnavailable: it cannot be reached, refuses or takes too long. The token is never part of an error.
    """

    def __init__(self, url: str, token: str = "", *, name: str = "eunato", timeout: float = 10.0, exact_up_to: int = EXACT_UP_TO) -> None:
        wanted = ("pymilvus", "milvus_lite") if url.endswith(LITE) else ("pymilvus",)
        missing = [package for package in wanted if find_spec(package) is None]
        if missing:
            raise SettingsError(f'Milvus is set, and {missing[0]} is not installed. Run: pip install "eunato-rag[milvus]"')
        self.url, self.name, self.timeout, self._token, self._exact_up_to = url, name, timeout, token, exact_up_to
        self._lock = Lock()
        self._client: Any = None

    def version(self) -> str:
        """What Milvus says that it is; so it answers."""
        return str(self.call("get_server_version"))

    def publish(self, identity: str, catalogue: Catalogue, vectors: VectorIndex, keywords: KeywordIndex) -> None:
        """Make a snapshot's collection, or make sure of the one that is there: whole, loaded, and searched as a test.

        Raises:
            DamagedSnapshot: what was written is not found again.
        """
        if self._is_whole(identity, len(vectors)):
            try:
                self._probe(identity, catalogue, vectors, keywords)
                return
            except DamagedSnapshot:
                pass  # made anew
        self.drop(identity)
        self._fill(identity, catalogue, vectors, keywords)
        self._probe(identity, catalogue, vectors, keywords)

    def drop_half(self, identity: str, size: int) -> None:
        """Drop the collection of a snapshot of so many passages where a run that was killed left it half made."""
        if self._has(identity) and self._served() != self._of(identity) and self._written(identity) != size:
            self.drop(identity)

    def open(self, identity: str, catalogue: Catalogue, vocabulary: Vocabulary) -> Collection:
        """The collection of a snapshot, loaded.

        Raises:
            DamagedSnapshot: see `verify`.
        """
        self.verify(identity, catalogue.passage_count)
        parameters = {} if catalogue.passage_count <= self._exact_up_to else {"ef": _BEAM}
        return Collection(self, self._of(identity), Conditions(catalogue.works_of_documents), vocabulary, parameters)

    def verify(self, identity: str, size: int) -> None:
        """Load a snapshot's collection, and count its rows.

        Raises:
            DamagedSnapshot: it is not there, or has not as many rows as the snapshot has passages.
        """
        name = self._of(identity)
        if not self.call("has_collection", collection_name=name):
            raise DamagedSnapshot(f"Snapshot {identity} has no collection {name} in Milvus at {self.url}. Run: eunato-rag reindex")
        self.call("load_collection", _BUILD_S, collection_name=name)
        count = self._count(identity)
        if count != size:
            raise DamagedSnapshot(
                f"Snapshot {identity} has {size} passages, and its collection {name} in Milvus at {self.url} {count}. "
                "Run: eunato-rag reindex"
            )

    def serve(self, identity: str) -> None:
        """Let the alias name this snapshot's collection."""
        self.call("alter_alias" if self._served() else "create_alias", collection_name=self._of(identity), alias=self.name)

    def drop(self, identity: str) -> None:
        """Take a snapshot's collection away, if there is one."""
        if not self._has(identity):
            return
        if self._served() == self._of(identity):
            self.call("drop_alias", alias=self.name)  # a collection with an alias cannot be dropped
        self.call("drop_collection", _WRITE_S, collection_name=self._of(identity))

    def call(self, what: str, timeout: float | None = None, **arguments: Any) -> Any:
        """A method of the client.

        Raises:
            MilvusUnavailable; DamagedSnapshot where the collection is not there.
        """
        import grpc
        from pymilvus.exceptions import MilvusException

        try:
            return getattr(self._connected(), what)(timeout=timeout or self.timeout, **arguments)
        except MilvusException as error:
            if error.code in _MISSING:
                named = arguments.get("collection_name", self.name)
                raise DamagedSnapshot(f"{named} is not in Milvus at {self.url} any more. Run: eunato-rag reindex") from error
            raise self._unavailable(what, error.message) from error
        except (grpc.RpcError, grpc.FutureTimeoutError) as error:
            details = error.details() if isinstance(error, grpc.Call) else str(error)
            raise self._unavailable(what, details or type(error).__name__) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                os.environ.setdefault("PYTHON_DOTENV_DISABLED", "1")  # pymilvus would take settings from a .env file that it finds
                from pymilvus import MilvusClient

                for noisy in ("pymilvus", "milvus_lite"):  # each error is logged with its stack, and raised; that is ours to tell
                    logging.getLogger(noisy).setLevel(logging.CRITICAL)
                self._client = MilvusClient(self.url, token=self._token, timeout=self.timeout)
            return self._client

    def _unavailable(self, what: str, why: str) -> MilvusUnavailable:
        if self._token:
            why = why.replace(self._token, "…")
        remedy = (
            "One process at a time can have the file open."
            if self.url.endswith(LITE)
            else "See that it runs and can be reached, and what EUNATO_MILVUS__URL and EUNATO_MILVUS__TOKEN are."
        )
        return MilvusUnavailable(f"Milvus at {self.url} failed ({what}): {why}. {remedy}")

    def _of(self, identity: str) -> str:
        return f"{self.name}_{identity}"

    def _served(self) -> str | None:
        """The collection that the alias names; None where there is no alias."""
        try:
            return str(self.call("describe_alias", alias=self.name)["collection_name"])
        except DamagedSnapshot:
            return None

    def _is_whole(self, identity: str, size: int) -> bool:
        return self._has(identity) and self._written(identity) == size

    def _has(self, identity: str) -> bool:
        return bool(self.call("has_collection", collection_name=self._of(identity)))

    def _written(self, identity: str) -> int:
        """The rows of a collection, which need not be loaded; those that were not flushed may not count."""
        return int(self.call("get_collection_stats", collection_name=self._of(identity))["row_count"])

    def _count(self, identity: str) -> int:
        """The rows of a loaded collection, when all that was written has arrived where it is searched."""
        asked = {"filter": "", "output_fields": ["count(*)"], "consistency_level": "Strong"}
        return int(self.call("query", _WRITE_S, collection_name=self._of(identity), **asked)[0]["count(*)"])

    def _fill(self, identity: str, catalogue: Catalogue, vectors: VectorIndex, keywords: KeywordIndex) -> None:
        from pymilvus import DataType, MilvusClient

        name = self._of(identity)
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(POSITION, DataType.INT64, is_primary=True)
        schema.add_field(DENSE, DataType.FLOAT_VECTOR, dim=vectors.dimension)
        schema.add_field(TERMS, DataType.SPARSE_FLOAT_VECTOR)
        for field in FIELDS:
            schema.add_field(field, DataType.INT64)
        self.call("create_collection", _WRITE_S, collection_name=name, schema=schema, consistency_level="Bounded")
        numbers = list(Conditions(catalogue.works_of_documents).numbers())
        documents, weights = catalogue.document_numbers(), keywords.weights()
        for start in range(0, len(vectors), _BATCH):
            positions = range(start, min(start + _BATCH, len(vectors)))
            rows = zip(positions, vectors.vectors(positions), islice(weights, len(positions)), strict=True)
            data = [{POSITION: p, DENSE: vector, TERMS: terms, **numbers[int(documents[p])]} for p, vector, terms in rows]
            self.call("insert", _WRITE_S, collection_name=name, data=data)
        self.call("flush", _BUILD_S, collection_name=name)
        quick, slow = MilvusClient.prepare_index_params(), MilvusClient.prepare_index_params()
        for field in FIELDS:
            quick.add_index(field, index_type="INVERTED")
        quick.add_index(TERMS, index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        exact = len(vectors) <= self._exact_up_to
        slow.add_index(DENSE, index_type="FLAT" if exact else "HNSW", metric_type="IP", params={} if exact else _GRAPH)
        # all are begun; the slowest is waited for, half a second at least for each that is
        self.call("create_index", _WRITE_S, collection_name=name, index_params=quick, sync=False)
        self.call("create_index", _BUILD_S, collection_name=name, index_params=slow)
        self.call("load_collection", _BUILD_S, collection_name=name)

    def _probe(self, identity: str, catalogue: Catalogue, vectors: VectorIndex, keywords: KeywordIndex) -> None:
        probe_collection(self.open(identity, catalogue, keywords), catalogue, vectors, keywords)
