"""The public names of the package, and the ways of its errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

import eunato_rag
from eunato_rag import errors
from eunato_rag.serving.http.problems import STATUS


def test_every_public_name_is_there_and_sorted() -> None:
    """`__all__` names what exists, in order, and `from eunato_rag import *` works."""
    assert eunato_rag.__all__ == sorted(eunato_rag.__all__)
    assert all(getattr(eunato_rag, name) for name in eunato_rag.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        eunato_rag.nothing  # noqa: B018  # looking it up is the test


def test_importing_the_package_imports_nothing_heavy() -> None:
    """A command that only prints its help starts at once."""
    code = "import sys, eunato_rag, eunato_rag.serving.cli; print({'torch', 'faiss', 'onnxruntime', 'fastapi', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_the_drawn_error_tree_is_the_real_one() -> None:
    """Each class stands in the docstring under its parent, and leads to a status over HTTP."""
    drawn = errors.__doc__ or ""
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.EunatoRagError)]
    assert len(classes) > 10
    for kind in classes:
        assert f"{kind.__name__} " in drawn or f"{kind.__name__}\n" in drawn
        assert any(parent in STATUS for parent in kind.__mro__)
