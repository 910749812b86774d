"""A server to send large files to: python -m tests.faults.server CORPUS INDEX. It says where it listens, and ends with its input.

Jobs are taken and not done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.server import server_options
from eunato_rag.serving.http.serving import Serving
from tests.conftest import running
from tests.faults.quick import QuickEmbedder

if __name__ == "__main__":
    application = create_app(Path(sys.argv[2]), QuickEmbedder(), serving=Serving(corpus=Path(sys.argv[1])))
    with running(application, **server_options()) as address:
        print(address, flush=True)
        sys.stdin.read()
