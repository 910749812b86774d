"""What state the service is in."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

from eunato_rag.serving.http.served import Served


def router(served: Served) -> APIRouter:
    routes = APIRouter(tags=["state"])

    @routes.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """The model is loaded, and a verified snapshot is open."""
        return {"status": "ready", "snapshot": served.engine().snapshot.id}

    @routes.get("/version")
    def get_version() -> dict[str, Any]:
        """What runs: the package, the snapshot and the model it was built with."""
        snapshot = served.engine().snapshot
        model = {key: snapshot.manifest.embedder[key] for key in ("name", "digest", "dimension")}
        return {"version": version("eunato-rag"), "snapshot": snapshot.id, "created": snapshot.manifest.created, "embedder": model}

    return routes
