"""``cauctl jea export``."""

from __future__ import annotations

from pathlib import Path

import pytest

from cauctl.cli.app import main


def test_the_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "out"
    assert 0 == main(["jea", "export", str(folder), "--group", "CONTOSO\\patching"])
    written = capsys.readouterr()
    module = ["CauctlNode.psm1", "CauctlNode.psd1", "RoleCapabilities/CauctlOperator.psrc"]
    files = [*(f"CauctlNode/{path}" for path in module), "cauctl.pssc", "README.md"]
    assert [str(folder / path) for path in files] == written.out.splitlines()
    assert "README.md" in written.err
    assert "'CONTOSO\\patching' = @{ RoleCapabilities = 'CauctlOperator' }" in (folder / "cauctl.pssc").read_text()


def test_an_export_is_replaced_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 0 == main(["jea", "export", str(tmp_path / "out")])
    assert 2 == main(["jea", "export", str(tmp_path / "out")])
    assert "--force" in capsys.readouterr().err
    assert 0 == main(["jea", "export", str(tmp_path / "out"), "--force"])


@pytest.mark.parametrize("arguments", [["jea", "export"], ["jea", "export", "x", "--group", "nobody"]])
def test_bad_usage_is_told(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert 2 == main(arguments)
    assert [] == list(tmp_path.iterdir())
