"""The built wheel: what it holds, and that it works where nothing else of the project is."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the source distribution, as an index would get it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (path,) = out.glob("*.whl")
    return path


def test_top_level_of_the_wheel(wheel: Path):
    """cauctl, cmdlets and the dist-info, nothing else."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert {"cauctl", "cmdlets"} == tops - info
    assert len(info) == 1


def test_each_schema_is_shipped_byte_for_byte(wheel: Path):
    """schemas/ stands in the wheel as cauctl/_schemas."""
    archive = zipfile.ZipFile(wheel)
    shipped = {
        name.removeprefix("cauctl/_schemas/"): archive.read(name)
        for name in archive.namelist()
        if name.startswith("cauctl/_schemas/")
    }
    assert {path.name: path.read_bytes() for path in (ROOT / "schemas").iterdir()} == shipped


def test_no_tests_and_no_caches_are_shipped(wheel: Path):
    """No test, no recording, no compiled file."""
    names = zipfile.ZipFile(wheel).namelist()
    assert [] == [name for name in names if "test" in name.lower() or "__pycache__" in name]
    assert {"cauctl/py.typed", "cmdlets/py.typed", "cauctl/psrp/agent.ps1"} <= set(names)
    assert {"cauctl/psrp/jea/CauctlNode.psm1", "cauctl/psrp/jea/how-to.md"} <= set(names)


def test_the_source_distribution_holds_what_the_tests_need(wheel: Path):
    """Tests, recordings and schemas are part of the source distribution."""
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        folders = {name.split("/")[1] for name in archive.getnames() if name.count("/")}
    assert {"cauctl", "cmdlets", "schemas", "tests", "docs", "examples"} <= folders


def test_the_wheel_works_by_itself(wheel: Path, tmp_path: Path):
    """Installed without the checkout, the command starts and finds its schemas."""
    target = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, text=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import cauctl, cmdlets;"
        "from cauctl.models.schemas import schema;"
        "assert cauctl.__file__.startswith(sys.argv[1]); print(len(schema('cau-report.xsd')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert (ROOT / "schemas" / "cau-report.xsd").stat().st_size == int(done.stdout)
