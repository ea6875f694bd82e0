"""The exported module in a real PowerShell, locked as an endpoint without language is."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from everything_sent import every_call

from cauctl.lab.world.agent_files import read_request
from cauctl.lab.world.task_definition import read_task
from cauctl.models.agent import AgentOperation, AgentRequest, UpdateKey
from cauctl.psobject import array, clixml, custom_object, hashtable, to_python
from cauctl.psrp.agent_files import WorkPlace, agent_file
from cauctl.psrp.jea.export import export_endpoint
from cauctl.psrp.jea.files import module_text
from cauctl.psrp.jea.functions import FUNCTIONS

pytestmark = pytest.mark.pwsh

SCRIPT = Path(__file__).with_name("jea_module.ps1")
KEY = UpdateKey("0a1b2c3d-0000-4000-8000-000000000001", 200)
IDS = {"RunId": "run-1", "RequestId": "r1"}
SCAN = {**IDS, "Operation": "Scan", "Query": "IsInstalled=0"}
INSTALL = {
    "RunId": "run-1",
    "RequestId": "r2",
    "Operation": "Install",
    "Query": "Type='Software' and IsHidden=0",
    "Updates": array([f"{KEY.update_id.upper()}/200"]),
    "IncludeRecommended": True,
    "AcceptEulas": True,
}
CALLED = every_call()
INVALID = "ParameterArgumentValidationError,"
NOT_FOUND = "CommandNotFoundException"
PLACE = WorkPlace("C:\\Windows")
LOOKS: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("Test-CauctlQuorumLoss", {"Node": "n2"}, [{"ReturnValue": True}]),
    ("Test-CauctlQuorumLoss", {"Node": "N*"}, []),
    (
        "Get-CauctlNodeState",
        {},
        [
            {
                "CSName": "N1",
                "LastBootUpTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                "LocalDateTime": datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC),
                "CurrentBuild": "20348",
                "UBR": 2849,
                "RebootPending": ["CBS RebootPending"],
                "BootFinished": True,
                "ServicingInProgress": True,
                "ClusterServiceRunning": True,
                "StoppedServices": ["B"],
            }
        ],
    ),
    ("Suspend-CauctlClusterNode", {"Name": "n1", "Drain": True}, []),
    ("Suspend-CauctlClusterNode", {"Name": "N2", "Drain": True, "ForceDrain": True}, []),
    ("Move-CauctlClusterGroup", {"Name": "VM [1]", "Node": "n2"}, []),
    ("Set-CauctlLock", {"Property": hashtable({"CauctlRunId": "run-1", "CauctlRun-1": "1"}), "Create": True}, []),
    ("Remove-CauctlLock", {}, []),
    ("Restart-CauctlNode", {"Reason": "updates of 'may'"}, [{"Code": 0, "Message": ""}]),
    ("Get-CauctlWork", IDS, [{"TaskName": "run-1.r1", "State": None, "LastTaskResult": None}]),
    ("Start-CauctlWork", SCAN, []),
    ("Start-CauctlWork", SCAN, []),
    ("Get-CauctlWork", IDS, [{"TaskName": "run-1.r1", "State": "Running", "LastTaskResult": None}]),
    ("Start-CauctlWork", INSTALL, []),
    ("Stop-CauctlWork", IDS, []),
    ("Find-CauctlWork", {}, ["run-1.r1", "run-1.r2"]),
]
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("Get-ClusterNode", {}, NOT_FOUND),
    ("Invoke-CimMethod", {}, NOT_FOUND),
    ("Get-CauctlPlace", {"Name": "x"}, NOT_FOUND),
    ("Import-Module", {"Name": "x"}, NOT_FOUND),
    ("Start-CauctlWork", {**SCAN, "RunId": "..\\x"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "RunId": "run-1\n"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "RequestId": "a.b"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "RequestId": "NUL"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "RequestId": "\u212ai"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "Query": "a\nb"}, INVALID),
    ("Start-CauctlWork", {**SCAN, "Updates": array(["all"])}, INVALID),
    ("Start-CauctlWork", {**SCAN, "Operation": "Uninstall"}, INVALID),
    ("Restart-CauctlNode", {"Reason": 'x" /m \\\\N2 "'}, INVALID),
    ("Restart-CauctlNode", {"Reason": "x\\"}, INVALID),
    ("Suspend-CauctlClusterNode", {"Name": "N*"}, "CauctlNoSuchNode"),
    ("Set-CauctlLock", {"Property": hashtable({"FailoverThreshold": 1})}, "CauctlLockField"),
    ("Remove-CauctlLock", {"Name": "SQL01"}, "CauctlLockName"),
    ("Set-CauctlLock", {"Property": hashtable({"CauctlCheckpoint": "x" * 32769})}, "CauctlLockField"),
    ("Start-CauctlWork", {**SCAN, "Updates": array([f"{KEY.update_id}/1"] * 1001)}, INVALID),
    ("Remove-CauctlWork", IDS, "CauctlWorkGoesOn"),
    ("Remove-CauctlLock", {"Name": "CAUCTL-LOCK"}, "CauctlLockName"),
    *(
        ("Get-CauctlIdentity", {f"{kind}Variable": "script:AgentHash"}, "VariableReferenceNotSupportedInDataSection")
        for kind in ("Out", "Error", "Warning", "Information", "Pipeline")
    ),
    *(
        (name, {**parameters, "ErrorAction": action}, expected)
        for action in ("SilentlyContinue", "Ignore", "Continue")
        for name, parameters, expected in (
            ("Suspend-CauctlClusterNode", {"Name": "N3"}, "CauctlNoSuchNode"),
            ("Set-CauctlLock", {"Property": hashtable({"Elsewhere": 1, "CauctlRunId": "x"})}, "CauctlLockField"),
            ("Remove-CauctlWork", IDS, "CauctlWorkGoesOn"),
        )
    ),
]


@pytest.fixture(scope="module")
def told(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one PowerShell told: of the files, of what the session shows, of each call."""
    folder = tmp_path_factory.mktemp("module")
    export_endpoint(folder / "out")
    calls = [(name, parameters, None) for name, parameters, _ in [*LOOKS, *REFUSALS]]
    every = [(each.name, dict(each.parameters), None) for pipeline in CALLED for each in pipeline.commands]
    return ask(pwsh_path, folder, [*calls, ("", {}, "Get-CauctlLock"), *every])


def ask(pwsh_path: str, folder: Path, calls: list[tuple[str, dict[str, Any], str | None]]) -> Any:
    """Make calls in a new PowerShell."""
    written = [
        custom_object({"Name": name, "Parameters": hashtable(parameters), "Script": script})
        for name, parameters, script in calls
    ]
    (folder / "calls").write_text(clixml.write_clixml([array(written)]), encoding="utf-8")
    done = subprocess.run(
        [
            pwsh_path,
            "-NoLogo",
            "-NoProfile",
            "-NonInteractive",
            "-File",
            SCRIPT,
            folder / "out",
            folder / "calls",
            folder / "told",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ("", 0) == (done.stderr, done.returncode)
    (answer,) = clixml.read_clixml((folder / "told").read_text(encoding="utf-8"))
    return answer


def table(value: Any) -> dict[str, Any]:
    """A hashtable as it arrives."""
    return {str(name): entry for name, entry in value.base.items()}


@pytest.mark.parametrize("kind", ["psm1", "psd1", "psrc", "pssc"])
def test_the_languages_own_parser_finds_no_error(told, kind):
    """Data files hold literals alone: their value is safe to take."""
    parsed = table(told["Parsed"])[kind]
    assert ([], kind != "psm1") == (list(parsed["Errors"]), parsed["Value"] is not None)


def test_what_the_role_capability_shows_is_what_the_module_exports_and_the_session_has(told):
    """With the parameters of the product's list; of the engine only what every restricted session has."""
    parsed = {kind: table(each["Value"]) for kind, each in table(told["Parsed"]).items() if kind in {"psd1", "psrc"}}
    assert list(FUNCTIONS) == list(parsed["psd1"]["FunctionsToExport"]) == list(parsed["psrc"]["VisibleFunctions"])
    shown = {name: set(parameters) for name, parameters in table(told["Shown"]).items()}
    assert {known.name: set(known.parameters) for known in FUNCTIONS.values()} == shown
    usual = "Exit-PSSession Get-Command Get-FormatData Get-Help Measure-Object Out-Default Select-Object"
    assert usual.split() == sorted(told["Usual"])


@pytest.mark.parametrize("number", range(len(LOOKS)), ids=lambda number: f"{number}-{LOOKS[number][0]}")
def test_functions_answer(told, number):
    made = told["Made"][number]
    output = to_python(made["Output"])
    expected = LOOKS[number][2]
    assert (None, expected) == (made["Error"], sorted(output) if expected and isinstance(expected[0], str) else output)


@pytest.mark.parametrize("number", range(len(REFUSALS)), ids=lambda number: f"{number}-{REFUSALS[number][0]}")
def test_what_goes_beyond_is_refused(told, number):
    name, _, expected = REFUSALS[number]
    found = told["Made"][len(LOOKS) + number]["Error"]
    assert (f"{expected}{name}" if expected == INVALID else expected) == found


def test_no_preference_of_the_caller_lets_an_error_pass(told):
    """A throw goes on under -ErrorAction SilentlyContinue, and commands of other modules do not see our preference."""
    habits = told["Habits"]
    assert ([], ["shutdown.exe", "Export-ModuleMember"]) == (list(habits["Late"]), list(habits["Untold"]))


def test_names_are_compared_by_their_characters():
    """Windows' comparison of words passes over characters that show nothing; a name with some is another name."""
    assert [] == re.findall(r"-cnotcontains|\$Property -eq", module_text())


def test_the_module_is_in_the_syntax_of_windows_powershell(told):
    assert [] == list(told["Habits"]["Newer"])


def test_everything_that_the_product_calls_is_bound(told):
    """Parameters, types, constants and patterns of the module are those of the calls."""
    made = told["Made"][len(LOOKS) + len(REFUSALS) + 1 :]
    errors = {str(asked): answer["Error"] for asked, answer in zip(CALLED, made, strict=True)}
    at_work = {"Remove-CauctlWork -RunId run-1 -RequestId r1": "CauctlWorkGoesOn"}
    assert {**dict.fromkeys(errors), **at_work} == errors


def test_script_text_is_refused(told):
    assert "ScriptsNotAllowed" == told["Made"][len(LOOKS) + len(REFUSALS)]["Error"]


def test_only_what_was_asked_for_was_done(told):
    """The restart that somebody had scheduled was taken back first; a second start of the same work did nothing."""
    restart = "shutdown /r /t 2 /d p:2:17 /c cauctl: updates of 'may'"
    assert [
        "Suspend N1 True False",
        "Suspend N2 True True",
        "Move VM [1] N2 0",
        "Set run-1 True",
        "Remove cauctl-lock True",
        restart,
        "shutdown /a",
        restart,
        "Start run-1.r1",
        "Start run-1.r2",
    ] == list(told["Done"])


def test_the_agent_is_told_what_was_asked(told):
    """The request is read as the agent's twin reads it; agent and task are those of this version."""
    files, tasks = table(told["Files"]), table(told["Tasks"])
    asked = AgentRequest(
        "r2",
        run_id="run-1",
        operation=AgentOperation.INSTALL,
        query="Type='Software' and IsHidden=0",
        include_recommended=True,
        updates=(KEY,),
    )
    assert (asked, True) == read_request(files[PLACE.request("run-1.r2")])
    assert agent_file().text == files[PLACE.agent(agent_file())]
    assert "cancel" == files[PLACE.cancel("run-1.r1")]
    task = read_task(tasks["run-1.r2"]["Xml"])
    assert ("S-1-5-18", PLACE.powershell) == (task.user, task.command)
    assert f'-File "{PLACE.agent(agent_file())}" -Folder "{PLACE.folder("run-1.r2")}"' in task.arguments
