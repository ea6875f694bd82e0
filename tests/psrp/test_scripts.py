"""The user's scripts on a node: sent unchanged, in a session of their own, told as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from cauctl.errors import NodeError, OperationTimeoutError
from cauctl.lab.server import Lab
from cauctl.models.scripts import ScriptFile, ScriptOutcome
from cauctl.operations import connect
from cauctl.ports import Scripts
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.scripts import PsrpScripts

Run = Callable[..., ScriptOutcome]
SOON = timedelta(seconds=30)
FILE = ScriptFile("a.ps1", sha256="0" * 64)


def on(lab: Lab, text: str, within: timedelta = SOON) -> ScriptOutcome:
    """Run a text on the first node of a lab."""
    with connect(lab.name) as access:
        ours = access.scripts
        assert isinstance(ours, PsrpScripts)
        fleet: Fleet = ours.fleet
        port: Scripts = PsrpScripts(fleet, lambda _script: text)
        return port.run("NODE1", FILE, within=within)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("SCR-FC1", nodes=2, time_scale=600.0) as started:
        yield started


def test_its_output_is_told_line_by_line(lab: Lab):
    assert ScriptOutcome(output=("one", "two", "three")) == on(lab, "# greets\n'one'\nWrite-Output 'two'\n\"three\"\n")


def test_an_error_that_ends_it_is_its_failure(lab: Lab):
    assert ScriptOutcome("no backup", output=("began",)) == on(lab, "'began'\nthrow 'no backup'\n'never'")


def test_other_errors_and_warnings_are_told_beside_it(lab: Lab):
    found = on(lab, "Write-Error 'slow disk'\nWrite-Warning 'mind'\n'done'")
    assert (None, ("done",)) == (found.failure, found.output)
    assert found.errors[0].startswith("slow disk (Microsoft.PowerShell.Commands.WriteErrorException")
    assert "WARNING: mind" == found.errors[-1]


def test_it_ends_at_its_deadline(lab: Lab):
    with pytest.raises(OperationTimeoutError):
        on(lab, "Start-Sleep -Seconds 90000", within=timedelta(seconds=0.5))


def test_a_flood_is_counted_not_kept(lab: Lab):
    found = on(lab, "'x'\n" * 300)
    assert (201, "(100 further lines)") == (len(found.output), found.output[-1])


def test_a_session_without_language_is_refused(lab: Lab):
    """The lab's own engine runs no more than it understands; all else is refused as where there is no language."""
    with pytest.raises(NodeError, match="PowerShell has no language, so that no script runs in it"):
        on(lab, "Get-Process | Stop-Process")
