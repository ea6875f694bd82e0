"""The agent script itself, run on a real PowerShell against a fake update session."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from agent_play import (
    QUERY,
    Offer,
    Played,
    Scenario,
    Step,
    command_line,
    event,
    found,
    key,
    outcome,
    play,
    prepare,
    read_played,
)

from cauctl.models.agent import AgentEventKind as Kind
from cauctl.models.agent import AgentOperation
from cauctl.psrp.agent_files import agent_file

pytestmark = pytest.mark.pwsh

SCAN, STAGE, INSTALL = AgentOperation.SCAN, AgentOperation.STAGE, AgentOperation.INSTALL
STARTED = event(1, Kind.STARTED)
ODD_TEXT = "Größe «x» \U0001f600 </Objs>\r\n\t_x000A_ 'a' \"b\" $(c) `d` &amp; \x07"
EXCLUSIVE = found(3, exclusive=True)


def ended(sequence: int, *, reboot: bool = False) -> Any:
    return event(sequence, Kind.DONE, reboot_required=reboot)


SCENARIOS = {
    "scan": Scenario(
        SCAN,
        (
            Offer(found(1, title=ODD_TEXT, description=ODD_TEXT * 3, kb_article_ids=("1", "2"), is_downloaded=False)),
            Offer(found(2, eula_accepted=False, can_request_user_input=True, reboot_behavior=0, exclusive=True)),
            Offer(found(3), installed=True),
            Offer(found(4, kb_article_ids=(), msrc_severity="", max_download_size=2**40, support_url="https://x/4")),
        ),
    ),
    "scan-nothing": Scenario(SCAN, pending=True),
    "scan-with-errors": Scenario(SCAN, (Offer(found(1)),), search_code=3, warnings=(0x80240030,)),
    "scan-throws": Scenario(SCAN, search_throw=0x8024402C),
    "scan-fails": Scenario(SCAN, search_code=4, warnings=(0x80244018, 0x80240001)),
    "scan-aborted": Scenario(SCAN, search_code=5),
    "wrong-query": Scenario(SCAN, query="IsInstalled='$(1+1)'; exit"),
    "stage": Scenario(
        STAGE,
        (
            Offer(found(1)),
            Offer(found(2, is_downloaded=False)),
            Offer(found(3, is_downloaded=False), download=Step(code=4, hresult=0x80246007)),
            Offer(found(4, is_downloaded=False), download=Step(throw=0x8024000E)),
            Offer(found(5, eula_accepted=False)),
            Offer(found(6, can_request_user_input=True, eula_accepted=False)),
            Offer(found(7)),
        ),
        asked=(key(6), key(5), key(4), key(3), key(2), key(1), key(9), key(7, revision=201), key(1)),
    ),
    "stage-eula": Scenario(
        STAGE,
        (Offer(found(1, eula_accepted=False)), Offer(found(2, eula_accepted=False))),
        (key(2),),
        accept_eulas=True,
    ),
    "install": Scenario(
        INSTALL,
        (
            Offer(found(1), install=Step(code=4, hresult=0x80070643)),
            Offer(found(2), install=Step(code=3, hresult=0x00240005, reboot=True)),
            Offer(EXCLUSIVE),
            Offer(found(4), install=Step(throw=0x80242006)),
            Offer(found(5, is_downloaded=False)),
            Offer(found(6, is_downloaded=False), download=Step(code=4, hresult=0x80240034)),
            Offer(found(7)),
        ),
        asked=tuple(map(key, range(1, 7))),
    ),
    "install-blocked": Scenario(
        INSTALL,
        (Offer(found(1), install=Step(reboot=True)), Offer(found(2)), Offer(found(3))),
        asked=(key(1), key(2), key(3)),
        blocks=True,
    ),
    "install-pending": Scenario(INSTALL, (Offer(found(1)),), (key(1),), pending=True),
    "install-gone": Scenario(INSTALL, (), (key(1),)),
    "install-shutdown": Scenario(
        INSTALL, (Offer(found(1), install=Step(throw=0x8007045B)), Offer(found(2))), (key(1), key(2))
    ),
    "install-busy": Scenario(INSTALL, (Offer(found(1)),), (key(1),), busy=2),
    "install-busy-forever": Scenario(INSTALL, (Offer(found(1)),), (key(1),), busy=10_000, patience=20),
    "cancelled-before": Scenario(SCAN, (Offer(found(1)),), cancelled=True),
    "cancelled-between": Scenario(
        INSTALL,
        (Offer(found(1), install=Step(cancel=True, reboot=True)), Offer(found(2))),
        asked=(key(1), key(2)),
        blocks=True,
    ),
    "twice": Scenario(INSTALL, (Offer(found(1)),), (key(1),), times=2),
}
SEARCHED = f"Search {QUERY}"


def install(number: int) -> str:
    return f"Install {key(number).update_id.upper()}"


def download(number: int) -> str:
    return f"Download {key(number).update_id.upper()}"


@pytest.fixture(scope="module")
def played(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    return play(pwsh_path, SCENARIOS, tmp_path_factory.mktemp("agent"))


def test_scan_tells_every_update_with_all_its_facts(played):
    """Texts arrive as they are, whatever they hold; what is installed already is left out."""
    offers = [offer.update for offer in SCENARIOS["scan"].offers if not offer.installed]
    expected = (
        STARTED,
        *(event(number, Kind.FOUND, update=update) for number, update in enumerate(offers, 2)),
        ended(5),
    )
    assert expected == played["scan"].events
    assert (SEARCHED,) == played["scan"].calls


def test_an_event_is_one_line_of_utf_8(played):
    raw = played["scan"].raw
    assert raw.endswith(b"</Objs>\n")
    assert 5 == raw.count(b"\n")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert "Größe" in raw.decode("utf-8")


def test_scan_tells_a_restart_that_is_pending(played):
    assert (STARTED, ended(2, reboot=True)) == played["scan-nothing"].events


def test_a_search_with_warnings_counts(played):
    expected = (STARTED, event(2, Kind.FOUND, update=found(1)), ended(3))
    assert expected == played["scan-with-errors"].events


@pytest.mark.parametrize(
    ("name", "hresult", "message"),
    [
        ("scan-throws", 0x8024402C, "made to fail"),
        ("scan-fails", 0x80244018, "the search ended with result code 4"),
        ("scan-aborted", 0x80240FFF, "the search ended with result code 5"),
        ("wrong-query", 0x80240032, "made to fail"),
    ],
)
def test_a_failed_search_is_told_with_the_code_of_windows_update(played, name, hresult, message):
    """The HRESULT is the innermost exception's, unsigned, else that of the first warning."""
    assert (STARTED, event(2, Kind.FAILED, hresult=hresult, message=message)) == played[name].events


def test_the_query_reaches_windows_update_as_it_is(played):
    assert ("Search IsInstalled='$(1+1)'; exit",) == played["wrong-query"].calls


def test_stage_downloads_what_it_may_and_tells_why_not_the_rest(played):
    expected = (
        STARTED,
        event(2, Kind.NOT_OFFERED, key=key(9)),
        event(3, Kind.NOT_OFFERED, key=key(7, revision=201)),
        event(4, Kind.DOWNLOADED, **outcome(6, 0, 0x80240020)),
        event(5, Kind.DOWNLOADED, **outcome(5, 0, 0x80240023)),
        event(6, Kind.DOWNLOADING, key=key(4)),
        event(7, Kind.DOWNLOADED, **outcome(4, 4, 0x8024000E)),
        event(8, Kind.DOWNLOADING, key=key(3)),
        event(9, Kind.DOWNLOADED, **outcome(3, 4, 0x80246007)),
        event(10, Kind.DOWNLOADING, key=key(2)),
        event(11, Kind.DOWNLOADED, **outcome(2)),
        event(12, Kind.DOWNLOADED, **outcome(1)),
        ended(13),
    )
    assert expected == played["stage"].events
    assert (SEARCHED, download(4), download(3), download(2)) == played["stage"].calls


def test_a_licence_is_accepted_only_for_what_was_asked_for(played):
    expected = (
        STARTED,
        event(2, Kind.EULA_ACCEPTED, key=key(2)),
        event(3, Kind.DOWNLOADED, **outcome(2)),
        ended(4),
    )
    assert expected == played["stage-eula"].events
    assert (SEARCHED, f"AcceptEula {key(2).update_id.upper()}") == played["stage-eula"].calls


def test_install_touches_exactly_what_was_asked_for_each_alone_exclusive_ones_first(played):
    expected = (
        STARTED,
        event(2, Kind.INSTALLING, key=key(3)),
        event(3, Kind.INSTALLED, **outcome(3)),
        event(4, Kind.INSTALLING, key=key(1)),
        event(5, Kind.INSTALLED, **outcome(1, 4, 0x80070643)),
        event(6, Kind.INSTALLING, key=key(2)),
        event(7, Kind.INSTALLED, **outcome(2, 3, 0x00240005, reboot=True)),
        event(8, Kind.INSTALLING, key=key(4)),
        event(9, Kind.INSTALLED, **outcome(4, 4, 0x80242006)),
        event(10, Kind.DOWNLOADING, key=key(5)),
        event(11, Kind.DOWNLOADED, **outcome(5)),
        event(12, Kind.INSTALLING, key=key(5)),
        event(13, Kind.INSTALLED, **outcome(5)),
        event(14, Kind.DOWNLOADING, key=key(6)),
        event(15, Kind.DOWNLOADED, **outcome(6, 4, 0x80240034)),
        event(16, Kind.INSTALLED, **outcome(6, 4, 0x80240034)),
        ended(17, reboot=True),
    )
    assert expected == played["install"].events
    calls = (SEARCHED, install(3), install(1), install(2), install(4), download(5), install(5), download(6))
    assert calls == played["install"].calls


def test_after_an_update_that_needs_a_restart_first_nothing_more_is_begun(played):
    expected = (
        STARTED,
        event(2, Kind.INSTALLING, key=key(1)),
        event(3, Kind.INSTALLED, **outcome(1, reboot=True)),
        event(4, Kind.INSTALLED, **outcome(2, 0, 0x80240016)),
        event(5, Kind.INSTALLED, **outcome(3, 0, 0x80240016)),
        ended(6, reboot=True),
    )
    assert expected == played["install-blocked"].events
    assert (SEARCHED, install(1)) == played["install-blocked"].calls


def test_nothing_is_installed_while_a_restart_is_pending(played):
    expected = (STARTED, event(2, Kind.INSTALLED, **outcome(1, 0, 0x80240016)), ended(3, reboot=True))
    assert expected == played["install-pending"].events
    assert (SEARCHED,) == played["install-pending"].calls


def test_what_is_no_longer_offered_is_told_and_not_touched(played):
    assert (STARTED, event(2, Kind.NOT_OFFERED, key=key(1)), ended(3)) == played["install-gone"].events


def test_a_node_that_shuts_down_ends_the_work(played):
    """A code that concerns Windows Update as a whole is told for the update and then ends the work."""
    expected = (
        STARTED,
        event(2, Kind.INSTALLING, key=key(1)),
        event(3, Kind.INSTALLED, **outcome(1, 4, 0x8007045B)),
        event(4, Kind.FAILED, hresult=0x8007045B, message="made to fail"),
    )
    assert expected == played["install-shutdown"].events
    assert (SEARCHED, install(1)) == played["install-shutdown"].calls


def test_another_installation_is_waited_for(played):
    expected = (
        STARTED,
        event(2, Kind.INSTALLING, key=key(1)),
        event(3, Kind.INSTALLED, **outcome(1)),
        ended(4),
    )
    assert expected == played["install-busy"].events


def test_another_installation_is_not_waited_for_without_end(played):
    expected = (STARTED, event(2, Kind.FAILED, hresult=0x80240009, message="another installation does not end"))
    assert expected == played["install-busy-forever"].events


def test_cancelled_before_the_search(played):
    assert (STARTED, event(2, Kind.CANCELLED)) == played["cancelled-before"].events
    assert () == played["cancelled-before"].calls


def test_cancelled_between_updates(played):
    """What is being installed is finished and told, the next is not begun, a pending restart is not forgotten."""
    expected = (
        STARTED,
        event(2, Kind.INSTALLING, key=key(1)),
        event(3, Kind.INSTALLED, **outcome(1, reboot=True)),
        event(4, Kind.CANCELLED, reboot_required=True),
    )
    assert expected == played["cancelled-between"].events
    assert (SEARCHED, install(1)) == played["cancelled-between"].calls


def test_a_second_start_does_nothing(played):
    expected = (STARTED, event(2, Kind.INSTALLING, key=key(1)), event(3, Kind.INSTALLED, **outcome(1)), ended(4))
    assert expected == played["twice"].events
    assert (SEARCHED, install(1)) == played["twice"].calls


def test_killed_in_the_middle_leaves_readable_events_and_is_not_begun_again(pwsh_path, tmp_path):
    """What was told before stands; the events end without a final one; heartbeats went on during the long call."""
    folder = tmp_path / "killed"
    offers = (Offer(found(1), install=Step(reboot=True)), Offer(found(2), install=Step(hold=120_000)))
    prepare(Scenario(INSTALL, offers, (key(1), key(2))), folder)
    command = command_line(pwsh_path, [folder], tmp_path, heartbeat=20)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:
        try:
            assert agent.stdout is not None
            assert "holding\n" == agent.stdout.readline()
            while _beats(folder) < 3:
                assert agent.poll() is None
        finally:
            agent.kill()
    before = read_played(folder)
    work = [told for told in before.events if told.kind is not Kind.HEARTBEAT]
    expected = [
        (Kind.STARTED, None),
        (Kind.INSTALLING, key(1)),
        (Kind.INSTALLED, key(1)),
        (Kind.INSTALLING, key(2)),
    ]
    assert expected == [(told.kind, told.key) for told in work]
    assert "installing Update 2" == before.events[-1].message
    subprocess.run(command, check=True, timeout=60)
    assert before == read_played(folder)


def _beats(folder: Path) -> int:
    lines = (folder / "events.clixml").read_text(encoding="utf-8").split("\n")
    return sum('<S N="Message">installing Update 2</S>' in line for line in lines)


BAD_REQUESTS = {
    "missing": (None, None, "Could not find file"),
    "not-clixml": ("<Objs", None, ""),
    "other-version": (('<I32 N="Protocol">1</I32>', '<I32 N="Protocol">2</I32>'), 0x80070032, "another protocol"),
    "unknown-work": ((">Scan<", ">Erase<"), 0x80070057, "unknown operation"),
}


def test_a_bad_request_is_told(pwsh_path, tmp_path):
    """Every exception ends in a Failed event."""
    for name, (change, _, _) in BAD_REQUESTS.items():
        prepare(Scenario(SCAN), tmp_path / name)
        path = tmp_path / name / "request.clixml"
        text = path.read_text(encoding="ascii")
        if change is None:
            path.unlink()
        else:
            changed = change if isinstance(change, str) else text.replace(*change)
            assert changed != text
            path.write_text(changed, encoding="ascii")
    folders = [tmp_path / name for name in BAD_REQUESTS]
    subprocess.run(command_line(pwsh_path, folders, tmp_path), check=True, timeout=60)
    for name, (_, hresult, message) in BAD_REQUESTS.items():
        events = read_played(tmp_path / name).events
        assert [Kind.STARTED, Kind.FAILED] == [told.kind for told in events], name
        assert message in events[-1].message
        assert hresult in {None, events[-1].hresult}
        assert events[-1].hresult


def test_without_windows_update_the_failure_is_told(pwsh_path, tmp_path):
    """Where the COM classes cannot be made, as on this machine, that is the event."""
    prepare(Scenario(SCAN), tmp_path / "alone")
    script = tmp_path / "agent.ps1"
    script.write_bytes(agent_file().text.encode("ascii"))
    call = f"& '{script}' -Folder '{tmp_path / 'alone'}'"
    command = [pwsh_path, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", call]
    subprocess.run(command, check=True, timeout=60)
    events = read_played(tmp_path / "alone").events
    assert [Kind.STARTED, Kind.FAILED] == [told.kind for told in events]


INSPECT = r"""
using namespace System.Management.Automation.Language
$tokens = $null; $faults = $null
$tree = [Parser]::ParseFile('%s', [ref] $tokens, [ref] $faults)
$functions = @{}
foreach ($node in $tree.FindAll({ $args[0] -is [FunctionDefinitionAst] }, $true)) { $functions[$node.Name] = $true }
foreach ($fault in $faults) { 'fault: ' + $fault.Message }
foreach ($node in $tree.FindAll({ $args[0] -is [CommandAst] }, $true)) {
    if (-not $functions.ContainsKey([string] $node.GetCommandName())) { 'command: ' + $node.Extent.Text }
}
foreach ($node in $tree.FindAll({ $true }, $true)) {
    if ($node.GetType().Name -in 'TernaryExpressionAst', 'PipelineChainAst') { 'newer syntax: ' + $node.Extent.Text }
    if ($node -is [NamedBlockAst] -and $node.BlockKind -eq 'Clean') { 'clean block' }
}
$newer = 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'AndAnd', 'OrOr'
foreach ($token in $tokens) { if ([string] $token.Kind -in $newer) { 'newer token: ' + $token.Text } }
'looked at ' + $functions.Count
"""


def test_the_script_calls_nothing_but_itself_in_the_syntax_of_windows_powershell(pwsh_path, tmp_path):
    """PowerShell's own parser finds no command that is not a function of the script, and nothing newer than 5.1."""
    script = tmp_path / "agent.ps1"
    script.write_bytes(agent_file().text.encode("ascii"))
    done = subprocess.run(
        [pwsh_path, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", INSPECT % script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    functions = agent_file().text.count("\nfunction ") + agent_file().text.count("    function ")
    assert f"looked at {functions}\n" == done.stdout


@pytest.mark.parametrize(
    "forbidden", ["Invoke-Expression", "[scriptblock]::Create", "AddScript", "Add-Type", ".Invoke(", "iex "]
)
def test_the_script_makes_no_code_of_data(forbidden):
    assert forbidden.casefold() not in agent_file().text.casefold()
