"""`python -m eunato_rag` is the command line."""

from eunato_rag.serving.cli import main

main()
