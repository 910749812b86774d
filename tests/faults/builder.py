"""A process that re-indexes, to be killed: python -m tests.faults.builder CORPUS INDEX

It embeds with the tests' bag of words, so that it begins at once; all else is the real write path.
"""

from __future__ import annotations

import sys
from pathlib import Path

from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from tests.conftest import WordEmbedder

if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(reindex(Path(sys.argv[1]), Path(sys.argv[2]), WordEmbedder(), Chunking()).snapshot, flush=True)
