"""What is counted and timed, as Prometheus reads it at `GET /metrics`. Everything lies in a registry of its own.

Labels have few values: routes by their template, methods by name, states and labels of the records. Counts are those of
the service, from its start: where several processes serve, each writes its own into files that all can read, and whichever
is asked shows the sums. Left out: who may read them (access), and where those files lie (processes).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from eunato_rag.serving.http.served import Served
from eunato_rag.serving.jobs.store import JobStore, State

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Metrics:
    """The figures of one application; `process` is its number where several serve. Safe to share between threads."""

    def __init__(self, process: int | None = None) -> None:
        registry = CollectorRegistry()
        self.registry = registry if process is None else CollectorRegistry()
        PlatformCollector(registry=self.registry)
        if process is None:
            ProcessCollector(registry=registry)
            GCCollector(registry=registry)
        else:
            here = Gauge("eunato_process", "A process that answers.", ("process",), registry=registry, multiprocess_mode="liveall")
            here.labels(str(process)).set(1)
            self.registry.register(_Processes())
        self._requests = Counter("eunato_requests", "Requests that were answered.", ("method", "route", "status"), registry=registry)
        self._seconds = Histogram(
            "eunato_request_seconds", "From a request to the end of its answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.in_progress = Gauge(
            "eunato_requests_in_progress", "Requests that are being answered.", registry=registry, multiprocess_mode="livesum"
        )
        self._stages = Histogram(
            "eunato_stage_seconds",
            "Time that a stage of retrieval or answering took.",
            ("stage",),
            buckets=_STAGE_SECONDS,
            registry=registry,
        )
        self.answers = Counter("eunato_answers", "Answers, and abstentions.", ("status",), registry=registry)
        self.citations = Counter("eunato_citations", "Citations of answers, by their verification.", ("verification",), registry=registry)
        self.quotations = Counter("eunato_quotations", "Quotations that were looked for.", ("status",), registry=registry)
        self.sentences = Counter("eunato_draft_sentences", "Sentences of drafts that were checked.", ("label",), registry=registry)
        self.rechecks = Counter("eunato_rechecks", "Saved citations that were re-checked.", ("status",), registry=registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is its template, "" where no route fits."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route or "none", str(status)).inc()
        self._seconds.labels(route or "none").observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """Count the time of one stage; names are those of the program, never of a request."""
        self._stages.labels(name).observe(seconds)

    def shown(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def watch(self, served: Served, jobs: JobStore | None) -> None:
        """Tell of the served snapshot and of the jobs too, as they are when somebody looks."""
        self.registry.register(_Index(served, jobs))


class _Processes(Collector):
    """The figures of all processes, added up, and each one's own memory, processor time and files by its number."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        own: dict[str, Metric] = {}
        for metric in MultiProcessCollector(None).collect():  # type: ignore[no-untyped-call]
            yield metric
            for sample in metric.samples if metric.name == "eunato_process" else ():
                pid, number = sample.labels["pid"], sample.labels["process"]
                for figure in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                    told = own.setdefault(figure.name, Metric(figure.name, figure.documentation, figure.type))
                    for one in figure.samples:
                        told.add_sample(one.name, {"process": number}, one.value)
        yield from own.values()


class _Index(Collector):
    def __init__(self, served: Served, jobs: JobStore | None) -> None:
        self._served, self._jobs = served, jobs

    def describe(self) -> list[Metric]:
        return []  # the registry would look now, else

    def collect(self) -> Iterator[Metric]:
        manifest = self._served.engine().snapshot.manifest
        which = GaugeMetricFamily("eunato_snapshot", "The served snapshot, by its id.", labels=("snapshot", "model"))
        which.add_metric((manifest.id, str(manifest.embedder["name"])), 1)
        yield which
        created = datetime.fromisoformat(manifest.created).timestamp()
        yield GaugeMetricFamily("eunato_snapshot_created_seconds", "When the served snapshot was made, in Unix time.", value=created)
        for what in ("documents", "passages"):
            yield GaugeMetricFamily(f"eunato_snapshot_{what}", f"The {what} of the served snapshot.", value=manifest.counts[what])
        if self._jobs is not None:
            by_state = GaugeMetricFamily("eunato_jobs", "Jobs that are remembered, by their state.", labels=("state",))
            counts = self._jobs.counts()
            for state in get_args(State):
                by_state.add_metric((state,), counts.get(state, 0))
            yield by_state
