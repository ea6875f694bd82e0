"""Script files: read before anything is touched, refused together with all else that is wrong, never changed unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cauctl import operations
from cauctl.errors import InputError, StateError
from cauctl.lab.server import Lab
from cauctl.models.options import UpdatingRunOptions
from cauctl.operations.script_files import ScriptFiles

TEXT = "Write-Output 'h\u00e4lt'\n"


def options(**given: object) -> UpdatingRunOptions:
    return UpdatingRunOptions.bind(cluster_name="T-FC1", force=True, **given)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_script_is_read_as_powershell_editors_write_it(tmp_path: Path, encoding: str):
    path = tmp_path / "a.ps1"
    path.write_text(TEXT, encoding=encoding)
    files = ScriptFiles()
    found, faults = files.take(options(pre_update_script=str(path), configuration_name="Ours"))
    assert ([], "Ours") == (faults, found["pre"].configuration)
    assert TEXT == files.text_of(found["pre"])


def test_a_successor_reads_the_file_again_and_takes_no_other_text_for_it(tmp_path: Path):
    path = tmp_path / "a.ps1"
    path.write_text(TEXT, encoding="utf-8")
    (script,) = ScriptFiles().take(options(post_update_script=str(path)))[0].values()
    assert TEXT == ScriptFiles().text_of(script)
    path.write_text("Remove-Item C:", encoding="utf-8")
    with pytest.raises(StateError, match="was changed since the run began"):
        ScriptFiles().text_of(script)
    path.unlink()
    with pytest.raises(StateError, match="cannot be read"):
        ScriptFiles().text_of(script)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "holds no script"),
        (b"\xff\xfe\x00", "is no text in UTF-8 or UTF-16"),
        (b"a\0b", "holds no script"),
        (b"\xff", "is no text in UTF-8 or UTF-16"),
        (b"#" * (1 << 20) + b"#", "is larger than 1 MiB"),
    ],
)
def test_what_is_no_script_is_told_apart(tmp_path: Path, content: bytes | None, told: str):
    path = tmp_path / "a.ps1"
    if content is not None:
        path.write_bytes(content)
    found, (fault,) = ScriptFiles().take(options(pre_update_script=str(path)))
    assert {} == found
    assert f"pre_update_script: {path} {told}" == fault


def test_scripts_and_options_that_do_not_fit_are_refused_together(start_lab: Callable[..., Lab], tmp_path: Path):
    """One error lists them all, and nothing was touched."""
    lab = start_lab(nodes=2)
    missing = str(tmp_path / "missing.ps1")
    wrong = options(pre_update_script=missing, post_update_script=missing, node_order=["NODE9"], max_failed_nodes=5)
    with pytest.raises(InputError, match=r"pre_update_script: .* cannot be read"):
        operations.plan(wrong)
    with pytest.raises(InputError) as caught:
        operations.run(wrong)
    message = str(caught.value)
    for sentence in (
        f"pre_update_script: {missing} cannot be read",
        f"post_update_script: {missing} cannot be read",
        "NodeOrder names NODE9, expected nodes of T-FC1: NODE1, NODE2",
        "MaxFailedNodes is 5, expected less than the number of nodes, 2",
    ):
        assert sentence in message
    assert () == tuple(lab.report().pauses)
