"""Commands of a node's operating system: files, registry, services, tasks, events, restart."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.machine import PowerState
from cauctl.psobject import Byte, hashtable
from cauctl.psrp.agent_task import task_xml
from tests.lab.desk import Desk, quiet_world, shown, text_of

POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
FOLDER = r"C:\Windows\cauctl\runs\x"
CURRENT_VERSION = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@pytest.fixture
def there() -> Desk:
    return Desk(quiet_world(nodes=2))


@pytest.fixture
def folder(there: Desk) -> str:
    there.run("New-Item", Path=[FOLDER], ItemType="Directory", Force=True)
    return FOLDER


def text(there: Desk, path: str, **options: Any) -> list[str]:
    return [str(line.base) for line in there.run("Get-Content", LiteralPath=[path], **options)]


# Files


def test_a_folder_is_made_with_those_above_and_once(there: Desk) -> None:
    made = there.one("New-Item", Path=[FOLDER], ItemType="Directory")
    assert made.type_names[0] == "System.IO.DirectoryInfo"
    assert (made["FullName"], made["PSIsContainer"], text_of(made["Parent"])) == (
        FOLDER,
        True,
        FOLDER.rpartition("\\")[0],
    )
    assert there.run("New-Item", Path=[FOLDER.upper()], ItemType="Directory") == []
    assert [(error.error_id, error.category) for error in there.errors] == [("DirectoryExist", "ResourceExists")]
    assert there.one("New-Item", Path=[FOLDER], ItemType="Directory", Force=True)["Name"] == "x"


@pytest.mark.parametrize(
    ("content", "parameters"),
    [
        (b"one\r\ntwo\r\n", {"Value": ["one", "two"], "Encoding": "Ascii"}),
        (b"one", {"Value": ["one"], "Encoding": "Ascii", "NoNewline": True}),
        (b"\xef\xbb\xbf\xc3\x9f\r\n", {"Value": ["ß"], "Encoding": "UTF8"}),
        (b"\xff\xfeA\x00\r\x00\n\x00", {"Value": ["A"], "Encoding": "Unicode"}),
        (b"?\r\n", {"Value": ["ß"], "Encoding": "Ascii"}),
        (b"\x00\xff", {"Value": [Byte(0), Byte(255)], "Encoding": "Byte"}),
        (b"\x01\x02", {"Value": [b"\x01\x02"], "Encoding": "Byte"}),
        (b"7\r\nTrue\r\n", {"Value": [7, True], "Encoding": "Ascii"}),
    ],
)  # fmt: skip
def test_content_is_written_as_windows_powershell_writes_it(
    there: Desk, folder: str, content: bytes, parameters: dict[str, Any]
) -> None:
    there.run("Set-Content", LiteralPath=[rf"{folder}\f"], **parameters)
    assert there.world.machine("NODE1").files.read(rf"{folder}\f") == content


def test_content_is_added_and_read_in_parts(there: Desk, folder: str) -> None:
    path = rf"{folder}\f"
    there.run("Set-Content", LiteralPath=[path], Value=["1", "2"], Encoding="UTF8")
    there.run("Add-Content", LiteralPath=[path], Value=["3"], Encoding="UTF8")
    assert text(there, path, Encoding="UTF8") == ["1", "2", "3"]
    assert text(there, path, Tail=2) == ["2", "3"]
    assert text(there, path, TotalCount=1) == ["1"]
    assert there.run("Get-Content", LiteralPath=[path], Raw=True, Encoding="UTF8") == ["1\r\n2\r\n3\r\n"]
    assert there.run("Get-Content", LiteralPath=[path], Encoding="Byte", TotalCount=3) == [0xEF, 0xBB, 0xBF]


def test_lines_carry_the_notes_of_get_content(there: Desk, folder: str) -> None:
    there.run("Set-Content", LiteralPath=[rf"{folder}\f"], Value="a", Encoding="Ascii")
    line = there.one("Get-Content", LiteralPath=[rf"{folder}\f"])
    assert (line.base, line["ReadCount"], line["PSChildName"]) == ("a", 1, "f")


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_any_bytes_come_back_as_they_were_and_with_their_hash(content: bytes) -> None:
    there = Desk(quiet_world(nodes=2))
    path = r"C:\Windows\Temp\f"
    there.run("Set-Content", LiteralPath=[path], Value=[Byte(byte) for byte in content], Encoding="Byte")
    assert bytes(there.run("Get-Content", LiteralPath=[path], Encoding="Byte")) == content
    written = there.one("Get-FileHash", LiteralPath=[path], Algorithm="SHA256")
    assert written["Hash"] == hashlib.sha256(content).hexdigest().upper()


def test_what_is_missing_is_an_error_of_its_own(there: Desk, folder: str) -> None:
    there.run("Set-Content", LiteralPath=[rf"{folder}\f"], Value="a")
    written = there.run("Get-Content", LiteralPath=[rf"{folder}\none", rf"{folder}\f"])
    assert (len(written), [(each.error_id, each.category) for each in there.errors]) == (
        1,
        [("PathNotFound", "ObjectNotFound")],
    )
    there.run("Set-Content", LiteralPath=[rf"{folder}\no\f"], Value="a")
    assert there.errors[0].error_id == "GetContentWriterDirectoryNotFoundError"


def test_test_path_answers_for_each_path(there: Desk, folder: str) -> None:
    paths = [
        folder,
        rf"{folder}\none",
        f"{CURRENT_VERSION}\\Winlogon\\AutoLogonChecked",
        r"HKLM:\SOFTWARE\None",
        r"D:\x",
    ]
    assert there.run("Test-Path", LiteralPath=paths) == [True, False, True, False, False]
    assert there.run("Test-Path", LiteralPath=[folder], PathType="Leaf") == [False]
    assert there.run("Test-Path", LiteralPath=[folder], PathType="Container") == [True]
    assert there.run("Test-Path", Path=[r"C:\Windows\cauctl\r*"]) == [True]


def test_children_are_listed_filtered_and_in_depth(there: Desk, folder: str) -> None:
    there.run("Set-Content", LiteralPath=[rf"{folder}\b.txt"], Value="b")
    there.run("Set-Content", LiteralPath=[rf"{folder}\a.log"], Value="a")
    runs = r"C:\Windows\cauctl"
    assert [each["Name"] for each in there.run("Get-ChildItem", LiteralPath=[folder])] == ["a.log", "b.txt"]
    assert [each["Name"] for each in there.run("Get-ChildItem", LiteralPath=[folder], Filter="*.txt")] == ["b.txt"]
    assert [each["Name"] for each in there.run("Get-ChildItem", LiteralPath=[runs], Directory=True)] == ["runs"]
    assert [each["Name"] for each in there.run("Get-ChildItem", LiteralPath=[runs], Recurse=True, File=True)] == [
        "a.log",
        "b.txt",
    ]
    file = there.one("Get-Item", LiteralPath=[rf"{folder}\b.txt"])
    assert shown(file, "Length", "Extension", "Attributes") == {
        "Length": 3,
        "Extension": ".txt",
        "Attributes": "Archive",
    }


def test_items_are_moved_copied_renamed_and_removed(there: Desk, folder: str) -> None:
    there.run("Set-Content", LiteralPath=[rf"{folder}\a"], Value="a", NoNewline=True)
    there.run("Copy-Item", LiteralPath=[rf"{folder}\a"], Destination=rf"{folder}\b")
    there.run("Move-Item", LiteralPath=[rf"{folder}\a"], Destination=rf"{folder}\b")
    assert len(there.errors) == 1
    there.run("Move-Item", LiteralPath=[rf"{folder}\a"], Destination=rf"{folder}\b", Force=True)
    there.run("Rename-Item", LiteralPath=rf"{folder}\b", NewName="c")
    there.run("Copy-Item", LiteralPath=[folder], Destination=r"C:\Windows\Temp", Recurse=True)
    assert text(there, r"C:\Windows\Temp\x\c") == ["a"]
    there.run("Remove-Item", LiteralPath=[folder])
    assert [each.error_id for each in there.errors] == ["DirectoryNotEmpty"]
    there.run("Remove-Item", LiteralPath=[folder], Recurse=True, Force=True)
    assert there.run("Test-Path", LiteralPath=[folder]) == [False]


def test_each_node_has_a_disk_of_its_own(there: Desk, folder: str) -> None:
    assert Desk(there.world, "NODE2").run("Test-Path", LiteralPath=[folder]) == [False]


def test_only_administrators_may_write_below_the_system_folder(there: Desk, folder: str) -> None:
    written = there.one("Get-Acl", LiteralPath=[folder])
    assert (written["Owner"], "BUILTIN\\Users Allow  ReadAndExecute" in written["AccessToString"]) == (
        "BUILTIN\\Administrators",
        True,
    )


# Registry


def test_registry_values_are_read_with_their_types(there: Desk) -> None:
    written = there.one("Get-ItemProperty", LiteralPath=[CURRENT_VERSION])
    assert shown(written, "CurrentBuild", "UBR", "SystemRoot") == {
        "CurrentBuild": "20348",
        "UBR": 3328,
        "SystemRoot": r"C:\Windows",
    }
    assert there.run("Get-ItemPropertyValue", LiteralPath=[CURRENT_VERSION], Name=["UBR", "CurrentBuild"]) == [
        3328,
        "20348",
    ]
    assert there.run("Get-ItemProperty", LiteralPath=[CURRENT_VERSION], Name=["Nothing"]) == []
    assert there.errors[0].category == "InvalidArgument"
    assert there.run("Get-ItemProperty", LiteralPath=[r"HKLM:\SOFTWARE\None"]) == []
    assert (there.errors[0].error_id, there.errors[0].category) == ("PathNotFound", "ObjectNotFound")


def test_a_registry_key_is_removed(there: Desk) -> None:
    key = f"{CURRENT_VERSION}\\Winlogon\\AutoLogonChecked"
    there.run("Remove-Item", LiteralPath=[key], Force=True)
    assert there.run("Test-Path", LiteralPath=[key, CURRENT_VERSION]) == [False, True]
    there.run("Remove-Item", LiteralPath=[key])
    assert [each.error_id for each in there.errors] == ["PathNotFound"]


# Services, processes


def test_services_are_shown_and_controlled(there: Desk) -> None:
    service = there.one("Get-Service", Name=["clussvc"])
    assert shown(service, "Name", "Status", "StartType") == {
        "Name": "ClusSvc",
        "Status": "Running",
        "StartType": "Automatic",
    }
    assert service["Status"].base == 4
    there.run("Stop-Service", piped=[service])
    assert there.world.cluster.member("NODE1").state.value == "Down"
    there.run("Start-Service", Name=["ClusSvc"])
    there.wait(30)
    assert there.world.cluster.member("NODE1").state.value == "Up"
    assert there.run("Get-Service", Name=["Nothing"]) == []
    assert there.errors[0].error_id == "NoServiceFoundForGivenName"


def test_the_servicing_stack_is_seen_while_it_works(there: Desk) -> None:
    machine = there.world.machine("NODE1")
    update = next(each for each in machine.updates.search("IsInstalled=0") if each.servicing)
    machine.updates.downloaded(update)
    machine.updates.begin_install(update)
    names = [each["Name"] for each in there.run("Get-Process", Name=["TiWorker", "TrustedInstaller"])]
    assert (names, there.errors) == (["TiWorker", "TrustedInstaller"], [])
    machine.updates.end_install(update)
    assert there.run("Get-Process", Name=["TiWorker"]) == []
    assert there.errors[0].error_id == "NoProcessFoundForGivenName"
    assert [each["HotFixID"] for each in there.run("Get-HotFix")] == ["KB5991001"]


# Tasks


def task(path: str = r"C:\Windows\cauctl\agent\x.ps1") -> str:
    return task_xml(powershell=POWERSHELL, agent=path, folder=FOLDER, time_limit=timedelta(hours=1))


def test_a_task_is_registered_once_started_and_removed(there: Desk) -> None:
    names = {"TaskPath": "\\cauctl\\", "TaskName": "run.r1"}
    made = there.one("Register-ScheduledTask", **names, Xml=task())
    assert (made["State"], made["URI"], made["Actions"][0]["Execute"].endswith("powershell.exe")) == (
        "Ready",
        "\\cauctl\\run.r1",
        True,
    )
    with pytest.raises(CommandError) as caught:
        there.run("Register-ScheduledTask", **names, Xml=task())
    assert caught.value.hresult == 0x800700B7
    never = there.one("Get-ScheduledTaskInfo", **names)
    assert (never["LastTaskResult"], never["LastRunTime"].to_python().year) == (0x41303, 1999)
    there.run("Start-ScheduledTask", **names)
    listed = {"TaskPath": ["\\cauctl\\"], "TaskName": ["RUN.R1"]}
    assert there.one("Get-ScheduledTask", **listed)["State"] == "Queued"
    there.wait(10)
    assert there.one("Get-ScheduledTaskInfo", **names)["LastTaskResult"] == 0xFFFD0000
    there.run("Unregister-ScheduledTask", **listed)
    assert there.run("Get-ScheduledTask", **listed) == []
    assert there.errors[0].error_id == "CmdletizationQuery_NotFound_TaskName"
    with pytest.raises(CommandError) as missing:
        there.run("Start-ScheduledTask", **names)
    assert missing.value.hresult == 0x80070002


@pytest.mark.parametrize("xml", ["", "<Task", "<Task/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><Task>&a;</Task>"])
def test_a_task_that_is_none_is_refused(there: Desk, xml: str) -> None:
    with pytest.raises(CommandError) as caught:
        there.run("Register-ScheduledTask", TaskName="x", Xml=xml)
    assert caught.value.hresult == 0x8004131A


def test_tasks_of_a_folder_are_listed(there: Desk) -> None:
    for name in ("b", "a"):
        there.run("Register-ScheduledTask", TaskPath="cauctl", TaskName=name, Xml=task())
    there.run("Register-ScheduledTask", TaskName="c", Xml=task())
    assert [each["TaskName"] for each in there.run("Get-ScheduledTask", TaskPath=["\\cauctl\\"])] == ["b", "a"]
    assert there.run("Get-ScheduledTask", TaskPath=["\\other\\"]) == []


# Restart


def test_shutdown_restarts_after_its_delay(there: Desk) -> None:
    machine = there.world.machine("NODE1")
    there.run("shutdown.exe", "/r", "/t", "2", "/d", "p:2:17", "/c", "cauctl: it's; $(x)")
    assert machine.power is PowerState.RUNNING
    there.wait(3)
    assert machine.power is PowerState.STOPPING
    assert "restart reason: cauctl: it's; $(x)" in [entry.text for entry in there.world.ledger.entries]


@pytest.mark.parametrize(
    ("code", "first", "second", "wait"),
    [
        ("(1190)", ("/r", "/t", "60"), ("/r", "/t", "2"), 0),
        ("(1115)", ("/r", "/t", "2"), ("/r", "/t", "2"), 10),
        ("(1116)", ("/r", "/t", "2"), ("/a",), 10),
        ("(87)", (), ("/s",), 0),
        ("(87)", (), ("/r", "/t", "soon"), 0),
    ],
)
def test_shutdown_complains_as_windows_does(
    there: Desk, code: str, first: tuple[str, ...], second: tuple[str, ...], wait: int
) -> None:
    if first:
        there.run("shutdown.exe", *first)
    there.wait(wait)
    with pytest.raises(CommandError) as caught:
        there.run("shutdown.exe", *second)
    assert (caught.value.error_id, code in caught.value.message) == ("NativeCommandError", True)


def test_boot_events_tell_each_boot(there: Desk) -> None:
    machine = there.world.machine("NODE1")
    there.run("shutdown.exe", "/r", "/t", "0")
    there.wait(600)
    query = hashtable({"LogName": "System", "Id": [12, 6005]})
    events = there.run("Get-WinEvent", FilterHashtable=[query], MaxEvents=2)
    assert [(each["Id"], each["TimeCreated"].to_python()) for each in events] == [
        (6005, machine.boot_time + timedelta(seconds=5)),
        (12, machine.boot_time),
    ]
    with pytest.raises(CommandError) as caught:
        there.run("Get-WinEvent", FilterHashtable=[hashtable({"LogName": "Application"})])
    assert caught.value.error_id == "NoMatchingEventsFound"


def test_the_remote_shutdown_rules_are_switched(there: Desk) -> None:
    group = {"DisplayGroup": ["Remote Shutdown"]}
    assert {each["Enabled"] for each in there.run("Get-NetFirewallRule", **group)} == {"False"}
    there.run("Enable-NetFirewallRule", **group)
    assert {each["Enabled"] for each in there.run("Get-NetFirewallRule", **group)} == {"True"}
    there.run("Set-NetFirewallRule", **group, Enabled="False")
    assert {each["Enabled"] for each in there.run("Get-NetFirewallRule", **group)} == {"False"}
    assert Desk(there.world, "NODE2").run("Get-NetFirewallRule", DisplayGroup=["Other"]) == []
