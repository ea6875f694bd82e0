"""How a command ends where something is in its way: a few lines, an exit code that is true, never a traceback."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import pytest

import cauctl.cli
from cauctl import operations
from cauctl.cli import app
from cauctl.cli.app import main
from cauctl.cli.commands.run import finish
from cauctl.operations import ExitCode, RunOutcome
from tests.reports.sample_run import GOOD_REPORT


class Unwritable(io.StringIO):
    """Standard output on a disk that is full, or into a pipe that nobody reads."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, text: str) -> int:  # noqa: ARG002  the stream's signature
        """Refuse."""
        raise OSError(self._number, "it is full" if self._number == errno.ENOSPC else "it is closed")

    def flush(self) -> None:
        """Nothing was kept."""


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What standard error says of a command that ends with 2."""
    assert ExitCode.USAGE == main(arguments)
    out, err = capsys.readouterr()
    assert "" == out
    return err


def test_ctrl_c_while_the_command_is_loaded(monkeypatch: pytest.MonkeyPatch):
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        cauctl.cli.main()
    assert 130 == ended.value.code


def test_ctrl_c_while_a_command_looks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(operations, "watch_run", interrupted)
    assert (ExitCode.INTERRUPTED, "Interrupted.\n") == (main(["status", "C1"]), capsys.readouterr().err)


def test_a_defect_is_told_in_a_sentence_and_kept_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(operations, "watch_run", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ExitCode.FAILED == main(["status", "C1"])
    err = capsys.readouterr().err
    (details,) = tmp_path.glob("cauctl-*.txt")
    assert "Traceback" not in err
    assert "a defect of its own, ZeroDivisionError: by nought" in err
    assert str(details) in err
    assert details.read_text(encoding="utf-8").startswith("Traceback")


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "Error: standard output cannot be used: it is full."), (errno.EPIPE, "")]
)
def test_data_that_cannot_be_printed(
    number: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A full disk is an error; a pipe that nobody reads is nothing to talk about."""
    monkeypatch.setattr(sys, "stdout", Unwritable(number))
    assert ExitCode.FAILED == main(["report", "show", "C1", "--output", "json"])
    assert said in capsys.readouterr().err.replace("There is no report of cluster C1.\n", "")


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert ExitCode.SUCCEEDED == main(["report", "show", "C1", "--output", "json"])
    sys.stdout.close()


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize(
    ("number", "unresumed", "code"),
    [
        (errno.EPIPE, (), ExitCode.SUCCEEDED),
        (errno.EPIPE, ("N1",), ExitCode.NODE_NOT_RESUMED),
        (errno.ENOSPC, (), ExitCode.FAILED),
        (errno.ENOSPC, ("N1",), ExitCode.NODE_NOT_RESUMED),
    ],
)
def test_the_exit_code_tells_how_a_run_ended_even_where_nothing_can_be_printed(
    form: str, number: int, unresumed: tuple[str, ...], code: ExitCode, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "stdout", Unwritable(number))
    assert code == finish(RunOutcome(GOOD_REPORT, unresumed=unresumed), form)


@pytest.mark.parametrize("form", ["xml", "csv", "clixml"])
def test_a_plan_is_a_text_or_a_document(capsys: pytest.CaptureFixture[str], form: str):
    told = refusal(capsys, "run", "C1", "--what-if", "--output", form)
    assert "expected table or json with --what-if" in told


def test_a_demo_says_why_its_folder_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    err = refusal(capsys, "demo", "--path", str(tmp_path / "file"))
    assert "File exists; expected a folder that can be written" in err


@pytest.mark.parametrize("detailed", [(), ("--detailed",)])
def test_no_report_is_said_with_the_name(detailed: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert ExitCode.SUCCEEDED == main(["report", "show", "C1", *detailed])
    assert ("", "There is no report of cluster C1.\n") == capsys.readouterr()
