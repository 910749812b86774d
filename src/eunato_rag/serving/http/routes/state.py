"""What state the service is in."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response

from eunato_rag.serving.http.metrics import CONTENT_TYPE, Metrics
from eunato_rag.serving.http.served import Served


def router(served: Served, metrics: Metrics) -> APIRouter:
    routes = APIRouter(tags=["state"])

    @routes.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """The model is loaded, and a verified snapshot is open; `degraded` where it is not the current one, and why."""
        snapshot = served.engine().snapshot.id
        return (
            {"status": "degraded", "snapshot": snapshot, "fault": served.fault}
            if served.fault
            else {"status": "ready", "snapshot": snapshot}
        )

    @routes.get("/version")
    def get_version() -> dict[str, Any]:
        """What runs: the package, the snapshot and the model it was built with."""
        snapshot = served.engine().snapshot
        model = {key: snapshot.manifest.embedder[key] for key in ("name", "digest", "dimension")}
        return {"version": version("eunato-rag"), "snapshot": snapshot.id, "created": snapshot.manifest.created, "embedder": model}

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    def get_metrics() -> Response:
        """What is counted and timed, for Prometheus."""
        return Response(metrics.shown(), media_type=CONTENT_TYPE)

    return routes
