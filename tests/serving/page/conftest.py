"""A browser, servers to visit, and visits that fail on whatever the browser calls an error, a breach of the content policy included."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api as playwright
from reportlab.pdfgen.canvas import Canvas

from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from tests.conftest import HARBOUR, MANIFEST, running
from tests.faults.prose import write_text
from tests.faults.quick import QuickEmbedder

CHROMIUM = shutil.which("chromium")

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

AT_BOTH_WIDTHS = pytest.mark.parametrize("page", [DESKTOP, PHONE], ids=["desktop", "telephone"], indirect=True)

HOSTILE_NAME = "<img src=x onerror=alert(1)>.md"
HOSTILE = """# <svg onload=alert(2)>Lighthouse & "Lamp"

The lighthouse of Lindholm <img src=x onerror="alert(3)"> has 212 steps, and [its lamp](javascript:alert(4)) burns whale oil. 𝔈𝔘🇪🇺

## <b onclick=alert(5)>Keepers</b>

<script>alert(6)</script> The keeper of the lighthouse was paid 40 crowns a month.

| Year | Oil burnt, in barrels | Ships warned | Nights of fog | Nights of storm | Wrecks | Keepers on duty |
| --- | --- | --- | --- | --- | --- | --- |
| 1911 | 14 | 203 | 61 | 22 | 1 | 2 |
| 1912 | 15 | 218 | 58 | 27 | 0 | 2 |
"""

Visit = Callable[..., Any]


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One browser for all tests of the page; skipped only where none is installed."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, live_server: str) -> Iterator[Visit]:
    """Opens fresh visits, by default to the service over the paper. `errors` are parts of messages that belong to the test."""
    contexts, faults = [], []

    def opened(server: str = live_server, size: dict[str, int] = DESKTOP, errors: tuple[str, ...] = (), **more: Any) -> Any:
        context = browser.new_context(base_url=server, viewport=size, permissions=["clipboard-read", "clipboard-write"], **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}") or dialog.dismiss())

        def said(message: Any) -> None:
            if message.type == "error" and not any(error in message.text for error in errors):
                faults.append(message.text)

        page.on("console", said)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def page(visit: Visit, request: pytest.FixtureRequest) -> Any:
    """A visit to the service over the paper; with `AT_BOTH_WIDTHS`, one on a telephone, too."""
    return visit(size=getattr(request, "param", DESKTOP))


@pytest.fixture(scope="package")
def harbour_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus to work on: a report, a PDF of two pages, and a document whose name and text would like to be markup."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "harbour.txt").write_text(HARBOUR, "utf-8")
    (folder / "sources.toml").write_text(MANIFEST, "utf-8")
    (folder / HOSTILE_NAME).write_text(HOSTILE, "utf-8")
    canvas = Canvas(str(folder / "tides.pdf"), invariant=True)
    for lines in (
        ["Tides at Lindholm", "The spring tide rises four metres at the quay."],
        ["The neap tide rises two metres, and the ferry waits for it."],
    ):
        for row, line in enumerate(lines):
            canvas.drawString(72, 760 - 24 * row, line)
        canvas.showPage()
    canvas.save()
    return folder


@pytest.fixture(scope="package")
def harbour_server(harbour_corpus: Path, tmp_path_factory: pytest.TempPathFactory, models: Path, model: Embedder) -> Iterator[str]:
    """The address of a service over that corpus, with its jobs."""
    index = tmp_path_factory.mktemp("harbour-index")
    (index / "models").symlink_to(models)
    reindex(harbour_corpus, index, model, Chunking())
    with running(create_app(index, model, serving=Serving(corpus=harbour_corpus)), lifespan="on") as address:
        yield address


@pytest.fixture(scope="package")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service over one text that is longer than the reader shows at once."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "corpus").mkdir()
    write_text(folder / "corpus" / "harbours.txt", 620_000)
    embedder = QuickEmbedder()
    reindex(folder / "corpus", folder / "index", embedder, Chunking())
    with running(create_app(folder / "index", embedder)) as address:
        yield address
