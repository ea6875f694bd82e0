"""Plays scenarios of Windows Update to the real agent script on a real PowerShell, many in one process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from cauctl.models.agent import (
    AgentEvent,
    AgentEventKind,
    AgentOperation,
    AgentRequest,
    FoundUpdate,
    OperationResultCode,
    UpdateKey,
    UpdateOutcome,
)
from cauctl.psobject import array, clixml, custom_object
from cauctl.psrp.agent_files import agent_file, read_events, request_document

FAKE_SESSION = Path(__file__).parent / "fake_update_session.ps1"
QUERY = "IsInstalled=0 and Type='Software'"
NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands for the time of every event: when it happened is not what is compared."""


@frozen
class Step:
    """What a download or an installation of one update does."""

    code: int = 2
    hresult: int = 0
    reboot: bool = False
    throw: int = 0
    cancel: bool = False
    hold: int = 0


@frozen
class Offer:
    """One update that the fake session offers."""

    update: FoundUpdate
    download: Step = field(default=Step(), kw_only=True)
    install: Step = field(default=Step(), kw_only=True)
    installed: bool = field(default=False, kw_only=True)


@frozen
class Scenario:
    """What Windows Update would say, and what the agent is asked."""

    operation: AgentOperation
    offers: tuple[Offer, ...] = ()
    asked: tuple[UpdateKey, ...] = ()
    search_code: int = 2
    search_throw: int = 0
    warnings: tuple[int, ...] = ()
    busy: int = 0
    patience: int = 4000
    """Milliseconds that a busy installer is waited for."""
    pending: bool = False
    blocks: bool = False
    accept_eulas: bool = False
    query: str = QUERY
    cancelled: bool = False
    times: int = 1


@frozen
class Played:
    """What came of a scenario."""

    events: tuple[AgentEvent, ...]
    calls: tuple[str, ...]
    raw: bytes


def found(number: int, **facts: Any) -> FoundUpdate:
    """An update with all its facts given by its number."""
    defaults: dict[str, Any] = {
        "title": f"Update {number}",
        "description": f"About {number}",
        "kb_article_ids": (f"500000{number}",),
        "msrc_severity": "Important",
        "max_download_size": 1000 * number,
        "is_downloaded": True,
    }
    return FoundUpdate(key(number), **{**defaults, **facts})


def key(number: int, revision: int = 200) -> UpdateKey:
    """Identity of update ``number``."""
    return UpdateKey(f"{number:08x}-0000-4000-8000-00000000abcd", revision)


def event(sequence: int, kind: AgentEventKind, **facts: Any) -> AgentEvent:
    """An expected event."""
    return AgentEvent(sequence, kind=kind, at=NO_TIME, **facts)


def outcome(number: int, code: int = 2, hresult: int = 0, *, reboot: bool = False) -> dict[str, Any]:
    """Key and outcome of an expected Downloaded or Installed."""
    which = key(number)
    told = UpdateOutcome(which, result=OperationResultCode(code), hresult=hresult, reboot_required=reboot, at=NO_TIME)
    return {"key": which, "outcome": told}


def request_of(scenario: Scenario, name: str = "r1") -> AgentRequest:
    """The request that a scenario makes."""
    return AgentRequest(
        name, run_id="run-1", operation=scenario.operation, query=scenario.query, updates=scenario.asked
    )


def prepare(scenario: Scenario, folder: Path) -> None:
    """Write the files that the fake session and the agent read."""
    folder.mkdir()
    document = request_document(request_of(scenario), accept_eulas=scenario.accept_eulas)
    (folder / "request.clixml").write_text(document, encoding="ascii")
    (folder / "scenario.clixml").write_text(clixml.write_clixml([_scenario(scenario)]), encoding="utf-8")
    if scenario.cancelled:
        (folder / "cancel").touch()


def command_line(pwsh: str, folders: Iterable[Path], home: Path, *, heartbeat: int = 60_000) -> list[str]:
    """The command that plays what was prepared in ``folders``, one after the other."""
    script = home / "agent.ps1"
    script.write_bytes(agent_file().text.encode("ascii"))
    arguments = [str(script), ";".join(map(str, folders)), str(heartbeat)]
    return [pwsh, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(FAKE_SESSION), *arguments]


def play(pwsh: str, scenarios: Mapping[str, Scenario], home: Path, **options: int) -> dict[str, Played]:
    """Run the agent on every scenario in one PowerShell, as often as each says."""
    order = []
    for name, scenario in scenarios.items():
        prepare(scenario, home / name)
        order += [home / name] * scenario.times
    done = subprocess.run(
        command_line(pwsh, order, home, **options), capture_output=True, text=True, timeout=240, check=False
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    return {name: read_played(home / name) for name in scenarios}


def read_played(folder: Path) -> Played:
    """Read what an agent left in its folder, without the times and heartbeats."""
    raw = (folder / "events.clixml").read_bytes()
    events = read_events(raw.decode("utf-8").split("\n"), node="N1", after=0)
    calls = folder / "calls"
    return Played(tuple(map(timeless, events)), tuple(calls.read_text().splitlines()) if calls.exists() else (), raw)


def timeless(told: AgentEvent) -> AgentEvent:
    """The event as if everything happened at one moment."""
    ended = None if told.outcome is None else evolve(told.outcome, at=NO_TIME)
    return evolve(told, at=NO_TIME, outcome=ended)


def _scenario(scenario: Scenario) -> Any:
    return custom_object(
        {
            "Query": QUERY,
            "Search": custom_object(
                {
                    "ResultCode": scenario.search_code,
                    "Throw": scenario.search_throw,
                    "Warnings": array(scenario.warnings),
                }
            ),
            "Busy": scenario.busy,
            "Patience": scenario.patience,
            "Pending": scenario.pending,
            "Blocks": scenario.blocks,
            "Updates": array(map(_offer, scenario.offers)),
        }
    )


def _offer(offer: Offer) -> Any:
    update = offer.update
    return custom_object(
        {
            "UpdateID": update.key.update_id.upper(),
            "RevisionNumber": update.key.revision,
            "Title": update.title,
            "Description": update.description,
            "KBArticleIDs": array(update.kb_article_ids),
            "MsrcSeverity": update.msrc_severity or None,
            "MaxDownloadSize": update.max_download_size,
            "IsInstalled": offer.installed,
            "IsDownloaded": update.is_downloaded,
            "EulaAccepted": update.eula_accepted,
            "CanRequestUserInput": update.can_request_user_input,
            "RebootBehavior": update.reboot_behavior,
            "Impact": 2 if update.exclusive else 0,
            "SupportUrl": update.support_url,
            "Download": _step(offer.download),
            "Install": _step(offer.install),
        }
    )


def _step(step: Step) -> Any:
    return custom_object(
        {
            "Code": step.code,
            "HResult": step.hresult,
            "Reboot": step.reboot,
            "Throw": step.throw,
            "Cancel": step.cancel,
            "Hold": step.hold,
        }
    )
