"""What sets a language model: errors name the variable, and never its secret."""

from __future__ import annotations

import pytest

from eunato_rag.answering.generation import Generator
from eunato_rag.doctor import examine
from eunato_rag.errors import SettingsError
from eunato_rag.serving import assembly
from eunato_rag.settings import load_settings

ADDRESS = "EUNATO_GENERATION__BASE_URL"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({ADDRESS: "http://127.0.0.1:1/v1"}, "EUNATO_GENERATION__MODEL cannot be ''"),
        ({ADDRESS: "http://127.0.0.1:1/v1", "EUNATO_GENERATION__MODEL": " "}, "EUNATO_GENERATION__MODEL cannot be ' '"),
        ({ADDRESS: "localhost:11434"}, f"{ADDRESS} cannot be what it is: .*http://host:port/v1"),
        ({ADDRESS: "http://me:hush@host/v1"}, ADDRESS),
        ({ADDRESS: "http://host:hush/v1"}, ADDRESS),
        ({ADDRESS: "http://host/v1?key=hush"}, ADDRESS),
        ({"EUNATO_GENERATION__API_KEY": "hush\nhush"}, "EUNATO_GENERATION__API_KEY cannot be what it is"),
        ({"EUNATO_GENERATION__API_KEY": "hüsh"}, "EUNATO_GENERATION__API_KEY"),
        ({"EUNATO_GENERATION__ATTEMPTS": "0"}, "EUNATO_GENERATION__ATTEMPTS cannot be '0'"),
        ({"EUNATO_GENERATION__TEMPERATUR": "0"}, "EUNATO_GENERATION__TEMPERATUR is no setting"),
    ],
)
def test_what_does_not_fit_is_named_without_its_secret(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str) -> None:
    """The variable, what is wrong, and no value that could be secret."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named) as raised:
        load_settings()
    assert "hush" not in str(raised.value)
    assert "hush" not in repr(raised.value.__cause__)


def test_no_address_means_no_writer() -> None:
    """The default; an empty address is none."""
    assert assembly.writer(load_settings()) is None


def test_an_address_and_a_model_make_a_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of it yet; the key stays out of sight."""
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:9/v1")
    monkeypatch.setenv("EUNATO_GENERATION__MODEL", "tiny")
    monkeypatch.setenv("EUNATO_GENERATION__API_KEY", "hush")
    settings = load_settings()
    assert isinstance(assembly.writer(settings), Generator)
    assert "hush" not in repr(settings)


def test_doctor_tells_what_is_set_and_not_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model and address; of the key, that there is one."""
    monkeypatch.setenv("EUNATO_CORPUS", "nowhere")
    (finding,) = [f for f in examine(load_settings()) if f.what == "generation"]
    assert finding.state == "ok"
    assert "not set" in finding.detail
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:9/v1")
    monkeypatch.setenv("EUNATO_GENERATION__MODEL", "tiny")
    monkeypatch.setenv("EUNATO_GENERATION__API_KEY", "hush")
    (finding,) = [f for f in examine(load_settings()) if f.what == "generation"]
    assert finding.detail == "tiny at http://127.0.0.1:9/v1, key set"
