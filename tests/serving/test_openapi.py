"""The description of the API holds: whatever is sent to it, a real server answers as described, and never with a fault of its own.

FUZZ_EXAMPLES says how many requests of each kind are made up for each operation; `make fuzz` makes up more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from tests.conftest import HARBOUR, MANIFEST, ORCHARD, WordEmbedder
from tests.serving.running import running

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
LEFT_OUT = ("positive_data_acceptance",)
"""A request that fits the schema may still name nothing, or ask nothing: "" is a string."""
ANY_BYTES = "POST /v1/documents"
"""In a form all is text, so that a file cannot be of the wrong type."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The schema of a running service; jobs are taken in, and nobody does them."""
    folder = tmp_path_factory.mktemp("fuzzed")
    corpus, index, embedder = folder / "corpus", folder / "index", WordEmbedder()
    corpus.mkdir()
    for name, text in {"harbour.txt": HARBOUR, "orchard.md": ORCHARD, "sources.toml": MANIFEST}.items():
        (corpus / name).write_text(text, "utf-8")
    reindex(corpus, index, embedder, Chunking())
    with running(create_app(index, embedder, serving=Serving(corpus=corpus))) as (host, port):
        yield schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfit"])
def test_every_answer_is_as_described(api: Any, mode: GenerationMode) -> None:
    """Status, type, headers and shape, for requests that fit and for those that do not; no fault of the service."""
    asked = 0
    with requests.Session() as session:
        for found in api.get_all_operations():
            operation = found.ok()
            if mode is GenerationMode.POSITIVE or _can_be_unfit(operation):
                asked += _ask(operation, mode, session)
    assert asked >= EXAMPLES * 10


def _can_be_unfit(operation: APIOperation[Any, Any, Any]) -> bool:
    """Whether anything can be of the wrong shape: not where there is only a name in the path, or where any JSON is taken."""
    shapes = (body.definition.get("schema", {}) for body in operation.body)
    return any({"$ref", "type"} & set(shape) for shape in shapes) or bool(list(operation.query))


def _ask(operation: APIOperation[Any, Any, Any], mode: GenerationMode, session: requests.Session) -> int:
    left_out = [*LEFT_OUT, "negative_data_rejection"] if operation.label == ANY_BYTES else LEFT_OUT
    excluded, asked = CHECKS.get_by_names(left_out), 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(session=session, excluded_checks=excluded)

    send()
    return asked


def test_every_operation_is_described_well_enough_to_work_from(api: Any) -> None:
    """A name of its own, a sentence, a tag that is explained, its errors as problems, and an example for what it takes."""
    schema = api.raw_schema
    operations = [(f"{method} {path}", operation) for path, methods in schema["paths"].items() for method, operation in methods.items()]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in schema["tags"] if tag["description"]}
    for name, operation in operations:
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, name
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert "HTTPValidationError" not in schema["components"]["schemas"]
