"""Settings: typed, from the environment, and never misspelt in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.errors import SettingsError
from eunato_rag.settings import load_settings, variables


def test_the_environment_sets_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections are written with two underscores; an option of None is not given."""
    monkeypatch.setenv("EUNATO_CORPUS", "here")
    monkeypatch.setenv("EUNATO_CHUNKING__TARGET_TOKENS", "99")
    settings = load_settings(corpus=None, index=Path("there"))
    assert (settings.corpus, settings.index, settings.chunking.target_tokens) == (Path("here"), Path("there"), 99)


@pytest.mark.parametrize("name", ["EUNATO_CORPSE", "EUNATO_CHUNKING__TARGET_TOKEN", "EUNATO_CHUNKING_TARGET_TOKENS"])
def test_a_misspelt_name_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It names the variable and the known ones."""
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=f"{name} is no setting. Known are: .*EUNATO_CHUNKING__TARGET_TOKENS"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("EUNATO_SERVING__PORT", "many"), ("EUNATO_CHUNKING__TARGET_TOKENS", "3"), ("EUNATO_EMBEDDING__BACKEND", "gpu")],
)
def test_a_value_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It names the variable, the value and the reason."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} cannot be '{value}'"):
        load_settings()


def test_every_setting_is_described() -> None:
    """A setting without a description is not documented."""
    assert all("None" not in description.split(" (default")[0] for description in variables().values())
