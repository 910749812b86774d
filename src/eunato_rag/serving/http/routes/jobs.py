"""Jobs on the index, documents put in and taken out, snapshots: what an operator does. All of it asks for the scope `admin`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from eunato_rag.indexing.history import activate as activate_snapshot
from eunato_rag.indexing.history import list_snapshots
from eunato_rag.indexing.history import prune as delete_old
from eunato_rag.indexing.history import rollback as go_back
from eunato_rag.serving.http import render, requests, schemas, streaming
from eunato_rag.serving.http.draining import Draining
from eunato_rag.serving.http.served import Served
from eunato_rag.serving.http.uploads import staged
from eunato_rag.serving.jobs.dispatch import Dispatcher
from eunato_rag.serving.jobs.store import Job, Kind

_LOOK_EVERY_S = 0.25
_COMMENT_EVERY_S = 15.0

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=256, description="The same key gives the same job.")]


def router(served: Served, dispatcher: Dispatcher, keep: int, draining: Draining) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operation"])
    store = dispatcher.store

    def begin(kind: Kind, request: dict[str, Any], key: str | None, response: Response) -> schemas.Job:
        job, _ = store.add(kind, request, key)
        dispatcher.wake()
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return render.job(job)

    @routes.post("/jobs", status_code=202)
    def start_job(response: Response, body: requests.JobRequest | None = None, key: Key = None) -> schemas.Job:
        """Re-index the corpus, in the background; `Location` says where to look. What is served stays until it is done."""
        return begin("reindex", {"full": bool(body and body.full)}, key, response)

    @routes.get("/jobs")
    def jobs(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> schemas.Jobs:
        """The jobs, newest first."""
        return schemas.Jobs(jobs=[render.job(job) for job in store.list(limit=limit)])

    @routes.get("/jobs/{job_id}")
    def job(job_id: str) -> schemas.Job:
        """One job: how far it is, or what came of it."""
        return render.job(store.get(job_id))

    @routes.get("/jobs/{job_id}/events", responses={200: {"content": {streaming.MEDIA_TYPE: streaming.EVENTS}}})
    async def events(job_id: str, request: Request) -> StreamingResponse:
        """A job as it goes on: an event `progress` at each change, and a last one, `job`, with the whole of it."""
        await run_in_threadpool(store.get, job_id)  # a job that is not there is a problem, not a stream

        async def told() -> AsyncIterator[str]:
            before, silent = None, 0.0
            # The job outlives the service, so its end is not waited for where that ends.
            while not (draining.asked or await request.is_disconnected()):
                now = await run_in_threadpool(store.get, job_id)
                if now.is_over:
                    yield _event("job", now)
                    return
                if now != before:
                    yield _event("progress", now)
                    before, silent = now, 0.0
                elif silent >= _COMMENT_EVERY_S:
                    yield ": still at work\n\n"
                    silent = 0.0
                await anyio.sleep(_LOOK_EVERY_S)
                silent += _LOOK_EVERY_S

        return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @routes.post("/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> schemas.Job:
        """End a job within a second; what it embedded is kept, and nothing of it is served. One that is over stays as it is."""
        return render.job(dispatcher.cancel(job_id))

    @routes.post("/documents", status_code=202)
    def add_document(file: UploadFile, response: Response, key: Key = None) -> schemas.Job:
        """Put a file into the corpus: PDF, HTML, DOCX, Markdown or plain text, told by its content. A job reads and indexes it."""
        return begin("add", staged(file.file, file.filename or "", store.folder), key, response)

    @routes.delete("/documents/{document_id}", status_code=202)
    def remove_document(document_id: str, response: Response, key: Key = None) -> schemas.Job:
        """Take a document out of the corpus. Its file is kept, below `.removed`; a job makes the index without it."""
        source = served.engine().document(document_id).source
        return begin("remove", {"document_id": document_id, "source": source}, key, response)

    @routes.get("/snapshots")
    def snapshots(
        verify: Annotated[bool, Query(description="Compare every file with its checksum; `fault` says what was found.")] = False,
    ) -> schemas.Snapshots:
        """The snapshots, newest first; the served one is marked."""
        return schemas.Snapshots(snapshots=[render.kept(kept) for kept in list_snapshots(served.index, verify=verify)])

    @routes.post("/snapshots/rollback")
    def rollback() -> schemas.Snapshots:
        """Serve what was served before, after all of it was verified; once more goes one further back."""
        go_back(served.index, served.embedder, served.milvus)
        return snapshots()

    @routes.post("/snapshots/prune")
    def prune(body: requests.PruneRequest | None = None) -> schemas.Snapshots:
        """Delete old snapshots; the served one stays, and so do those that were served before it and the newest others."""
        delete_old(served.index, (body and body.keep) or keep, served.milvus)
        return snapshots()

    @routes.post("/snapshots/{snapshot_id}/activate")
    def activate(snapshot_id: str) -> schemas.Snapshots:
        """Serve another snapshot from the next request on, after all of it was verified."""
        served.engine(snapshot_id)  # only ids of this form, and those that can be opened
        activate_snapshot(served.index, snapshot_id, served.embedder, served.milvus)
        return snapshots()

    return routes


def _event(name: str, job: Job) -> str:
    return f"event: {name}\ndata: {json.dumps(render.job(job).model_dump(), ensure_ascii=False)}\n\n"
