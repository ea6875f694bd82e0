"""The lab's own engine and real PowerShell give the same objects and errors for everything that the product sends.

Both labs have the same world, in which time stands still; each gets the same pipelines in the same order. Compared are
all objects (type names, properties in order, values, texts) and all error records (id, category, reason, target). Where
PowerShell 7 differs from the Windows PowerShell 5.1 that the lab plays, :data:`REASONS` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from everything_sent import every_call, every_pipeline

from cauctl.errors import RemoteError
from cauctl.lab.jea import jea_lock
from cauctl.psobject import PSDictionary, PSList, PSObject
from cauctl.psrp.jea.export import export_endpoint
from cauctl.psrp.pipeline import Command, ErrorRecord, Pipeline, command
from tests.engine_lab import Bench, bench

pytestmark = pytest.mark.pwsh

STILL = 0.001
"""So slow a clock that nothing happens by itself during a test."""
NAMES = {"N1": "NODE1", "N2": "NODE2", "VM 1": "VM01", "Volume 1": "Volume01", "CAU": "CAULABROLE"}
"""Names of the scripted nodes, and what stands for them in the lab."""


Answers = dict[str, dict[str, Any]]

WHOLE = [
    *("Get-Cluster", "Get-ClusterNode", "Get-ClusterGroup", "Get-ClusterResource", "Get-ClusterQuorum"),
    *("Get-ClusterNetwork", "Get-ClusterNetworkInterface", "Get-ClusterSharedVolume", "Get-ClusterSharedVolumeState"),
    *("Get-ClusterOwnerNode", "Get-ClusterFaultDomain", "Get-VirtualDisk", "Get-StorageJob", "Get-PhysicalDisk"),
    *("Get-StorageScaleUnit", "Get-StoragePool", "Get-StorageSubSystem", "Get-ScheduledTask", "Get-Service"),
    *("Get-HotFix", "Get-WinEvent", "Get-NetFirewallRule"),
]
"""Commands whose whole objects are compared; PowerShell 7 shows a process only where it is a real one."""
REFUSED = [
    command("Get-ClusterNode", Name="NODE9"),
    command("Get-ClusterNode", Nonsense=1),
    command("Get-ClusterNode", Name="NODE1", N="NODE2"),
    command("Get-ClusterNode", Name=""),
    command("Get-ClusterGroup", Name="No group") | command("Move-ClusterGroup", Node="NODE2"),
    command("Get-ClusterParameter"),
    command("Resume-ClusterNode", Name="NODE1", Failback="Later"),
    command("Resume-ClusterNode", Name="NODE1", Failback=7),
    command("Suspend-ClusterNode", Name="NODE1", Wait="soon"),
    command("Move-ClusterGroup", Name="VM01", Node="NODE2", Wait="long"),
    command("Remove-ClusterGroup", Name="No group", Force=True),
    command("Add-ClusterGroup", Name="VM01"),
    command("Get-CimInstance", ClassName="No_Class"),
    command("Get-CimInstance"),
    command("Get-ScheduledTask", TaskName="No task"),
    command("Get-ScheduledTaskInfo", TaskName="No task"),
    command("Start-ScheduledTask"),
    command("Get-StorageJob", ThrottleLimit="many"),
    command("Get-VirtualDisk", FriendlyName="No disk"),
    command("Get-Item", LiteralPath="C:\\nothing"),
    command("Get-Content", LiteralPath="C:\\nothing"),
    command("Get-FileHash", LiteralPath="C:\\nothing"),
    command("Get-ItemProperty", LiteralPath="HKLM:\\SOFTWARE\\Nothing"),
    command("Remove-Item", LiteralPath="C:\\nothing"),
    command("Set-Content", LiteralPath="C:\\no\\where", Value="x"),
    command("New-Item", Path="C:\\Windows", ItemType="Directory"),
    command("Get-Service", Name="nothing"),
    command("Get-Process", Name="nothing"),
    command("Select-Object", Property=["x"], First=-1),
    command("Get-ClusterNode") | command("Select-Object", ExpandProperty="Nothing"),
    command("Get-ClusterNode") | command("Where-Object", Property="State", Nonsense=True),
    command("Get-ClusterNode") | command("Sort-Object", Property="Name", Top="x"),
    command("Nothing-AtAll"),
    command("Start-Sleep", Seconds="long"),
    command("Get-Date", Date="no date"),
]
"""What both must refuse alike."""
REASONS = {
    "LocalDateTime": "the moment of asking",
    "ModuleVersion": "the twin is no module",
    "AgentHash": "the twin is no module",
    "Selected.System.Management.Automation.ApplicationInfo": "a program of the lab is a function in real PowerShell",
}
"""Differences that stay: part of the place or of the own engine's value, and why."""


@pytest.fixture(scope="module")
def answers(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, Answers]:
    """What the same lab answers twice: with its own engine, then with real PowerShell."""
    folder = tmp_path_factory.mktemp("labs")
    asked = [in_the_lab(pipeline) for pipeline in every_pipeline()] + [Pipeline((command(name),)) for name in WHOLE]
    asked += [each if isinstance(each, Pipeline) else Pipeline((each,)) for each in REFUSED]
    given: list[Answers] = []
    for engine in ("python", "pwsh"):
        with bench(folder / engine, engine, name="LAB-AGREE", pwsh=pwsh_path, time_scale=STILL) as found:
            given.append({str(pipeline): answer(found, pipeline) for pipeline in asked})
    return given[0], given[1]


@pytest.fixture(scope="module")
def locked_answers(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, Answers]:
    """The same of endpoints that show the functions of our module alone: its twin, and the exported module itself."""
    folder = tmp_path_factory.mktemp("locked")
    export_endpoint(folder / "out")
    module = folder / "out" / "CauctlNode" / "CauctlNode.psd1"
    given: list[Answers] = []
    for engine, lock in (("python", jea_lock()), ("pwsh", jea_lock(module))):
        with bench(folder / engine, engine, name="LAB-AGREE", pwsh=pwsh_path, lock=lock, time_scale=STILL) as found:
            given.append({str(pipeline): answer(found, pipeline) for pipeline in map(in_the_lab, every_call())})
    return given[0], given[1]


def in_the_lab(pipeline: Pipeline) -> Pipeline:
    """The same pipeline with names that the lab has."""

    def value(given: Any) -> Any:
        if isinstance(given, str):
            return NAMES.get(given, given)
        if isinstance(given, Mapping):
            return {key: value(each) for key, each in given.items()}
        return [value(each) for each in given] if isinstance(given, list | tuple) else given

    commands = [
        Command(
            each.name,
            parameters={key: value(given) for key, given in each.parameters.items()},
            arguments=tuple(value(given) for given in each.arguments),
            is_script=each.is_script,
        )
        for each in pipeline.commands
    ]
    return Pipeline(tuple(commands))


def plain(value: Any) -> Any:
    """A value as it can be compared and shown."""
    if not isinstance(value, PSObject):
        return value if value is None or isinstance(value, str | int | bool) else repr(value)
    held = value.base
    if isinstance(held, PSList):
        held = [plain(each) for each in held]
    elif isinstance(held, PSDictionary):
        held = {str(key): plain(each) for key, each in held.items()}
    shown: dict[str, Any] = {"types": value.type_names, "text": value.text, "base": plain(held)}
    if isinstance(held, list | dict):
        shown["base"] = held
    for group, members in (("adapted", value.adapted), ("extended", value.extended)):
        shown |= {f"{group}.{name}": plain(each) for name, each in (members or {}).items()}
    return shown


def error(record: ErrorRecord) -> dict[str, Any]:
    """What of an error record both engines must say alike."""
    return {
        "id": record.fully_qualified_error_id,
        "category": record.category,
        "activity": record.activity,
        "reason": record.reason,
        "target": record.target_name,
    }


def answer(found: Bench, pipeline: Pipeline) -> dict[str, Any]:
    """What a pipeline gives, whichever way it ends."""
    try:
        result = found.run(pipeline)
    except RemoteError as failure:
        record = {"id": failure.fully_qualified_error_id, "category": failure.category, "target": failure.target}
        return {"ends": record}
    objects = [plain(each) for each in result.output]
    if "Get-ClusterParameter" in str(pipeline) or "Get-CauctlLock" in str(pipeline):
        objects.sort(key=str)  # they were set from a Hashtable, which has no order
    told: dict[str, Any] = {f"object {at}": each for at, each in enumerate(objects)}
    told |= {f"error {at}": error(each) for at, each in enumerate(result.errors)}
    return told | {"warnings": result.warnings}


def differences(own: Any, real: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place in which two answers differ."""
    if isinstance(own, dict) and isinstance(real, dict):
        for key in {**own, **real}:
            yield from differences(own.get(key, "-"), real.get(key, "-"), f"{path}/{key}" if path else str(key))
        if own.keys() == real.keys() and [*own] != [*real]:
            yield f"{path} order", [*own], [*real]
    elif own != real:
        yield path, own, real


def unexplained(answers: tuple[Answers, Answers], asked: list[str]) -> list[str]:
    """Every difference that has no reason, for people."""
    own, real = answers
    return [
        f"{pipeline[:100]}: {place}: {str(mine)[:160]} | {str(theirs)[:160]}"
        for pipeline in asked
        for place, mine, theirs in differences(own[pipeline], real[pipeline])
        if not any(part in f"{place} {mine}" for part in REASONS)
    ]


def test_everything_that_the_product_sends(answers):
    """Whatever the product can send is answered alike."""
    asked = [str(in_the_lab(pipeline)) for pipeline in every_pipeline()]
    assert [] == unexplained(answers, asked)


def test_every_call_of_an_endpoint_without_language(locked_answers):
    """Whatever the product can send to a restricted endpoint is answered alike."""
    assert [] == unexplained(locked_answers, [str(in_the_lab(pipeline)) for pipeline in every_call()])


def test_most_of_what_is_sent_is_answered_with_objects(answers):
    """The comparison is not one of refusals."""
    asked = [str(in_the_lab(pipeline)) for pipeline in every_pipeline()]
    refused = [pipeline for pipeline in asked if "ends" in answers[0][pipeline]]
    assert len(refused) * 10 < len(asked)


@pytest.mark.parametrize("asked", [str(each) for each in REFUSED])
def test_what_is_refused_is_refused_alike(answers, asked):
    """The same error records: id, category, reason, target, and whether the pipeline ends."""
    assert [] == unexplained(answers, [asked])
    assert any(part.startswith(("ends", "error")) for part in answers[0][asked])


@pytest.mark.parametrize("name", WHOLE)
def test_whole_objects(answers, name):
    """Every property of what a command writes, not only those that the product selects."""
    assert [] == unexplained(answers, [name])
