"""Names, request and events of the node agent: pure functions."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cauctl.errors import InputError, NodeError
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, UpdateKey
from cauctl.psobject import DateTime, array, clixml, custom_object, to_python
from cauctl.psrp.agent_files import WorkPlace, agent_file, read_events, request_document, run_of, work_name
from cauctl.psrp.agent_task import task_xml

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
REQUEST = AgentRequest("n1-2-install", run_id="6f9619ff-8b86", operation=AgentOperation.INSTALL, query="IsInstalled=0")


def line(sequence: int, kind: str, **more: object) -> str:
    """A line as the agent writes it."""
    record = custom_object({"Sequence": sequence, "Kind": kind, "At": DateTime.from_python(MOMENT), **more})
    return "".join(part.strip() for part in clixml.write_clixml([record]).splitlines())


def read(*lines: str, after: int = 0) -> tuple[AgentEvent, ...]:
    return read_events(lines, node="N1", after=after)


def started(sequence: int = 1) -> AgentEvent:
    return AgentEvent(sequence, kind=AgentEventKind.STARTED, at=MOMENT)


# ---- Names


def test_the_agent_file_is_named_by_its_hash_and_is_ascii():
    file = agent_file()
    assert hashlib.sha256(file.text.encode("ascii")).hexdigest() == file.sha256
    assert "\r" not in file.text
    assert f"C:\\Windows\\cauctl\\agent\\{file.sha256}.ps1" == WorkPlace("C:\\Windows").agent(file)


def test_names_tell_whose_work_it_is():
    assert "6f9619ff-8b86.n1-2-install" == work_name(REQUEST)
    assert "6f9619ff-8b86" == run_of(work_name(REQUEST))


@pytest.mark.parametrize("name", ["", "readme", "a.b.c", ".x", "x.", "a b.c", "..", "con.x", "x.nul", "-a.b"])
def test_a_name_that_is_not_ours_is_nobodys(name):
    assert run_of(name) is None


@given(st.text())
@example("NUL")
@example("a" * 65)
@example("a\n")
@example("..\\..\\evil")
def test_an_id_that_cannot_be_a_name_is_refused(text):
    """Whatever is accepted is letters, digits and hyphens: a path or a command line cannot be built of it."""
    request = AgentRequest(text, run_id="run", operation=AgentOperation.SCAN, query="")
    try:
        name = work_name(request)
    except InputError as error:
        refused: InputError | None = error
    else:
        refused = None
        assert "run." + text == name
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
        assert text.casefold() not in {"con", "prn", "aux", "nul"}
    assert refused is None or "request_id" == refused.where


# ---- The request


@given(query=st.text(alphabet=st.characters(exclude_characters="\ufffe\uffff", exclude_categories=["Cs"])))
@example("Title='Größe \U0001f600 <&\"' \r\n_x000A_")
def test_a_request_is_ascii_and_holds_any_query(query):
    request = AgentRequest(
        "r1",
        run_id="run",
        operation=AgentOperation.STAGE,
        query=query,
        include_recommended=True,
        updates=(UpdateKey("ABCD", 7), UpdateKey("ef", 0)),
    )
    document = request_document(request, accept_eulas=False)
    assert document.isascii()
    expected = {
        "Protocol": 1,
        "RunId": "run",
        "RequestId": "r1",
        "Operation": "Stage",
        "Query": query,
        "IncludeRecommended": True,
        "AcceptEulas": False,
        "Updates": ["abcd/7", "ef/0"],
    }
    assert expected == to_python(clixml.read_clixml(document)[0])


# ---- Events


def test_events_are_read_with_their_time():
    """The seventh digit of .NET's times is cut."""
    assert (started(),) == read(line(1, "Started"))


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_line_that_is_being_written_is_not_there_yet(cut):
    second = line(2, "Done", RebootRequired=True)
    assert (started(),) == read(line(1, "Started"), second[:-cut])
    assert 2 == len(read(line(1, "Started"), second))


def test_an_empty_file_holds_no_events():
    assert () == read()
    assert () == read("")


def test_reading_goes_on_at_the_last_number():
    """The last event read comes again: it may have been the final one."""
    assert [2, 3] == [told.sequence for told in read(line(2, "Started"), line(3, "Started"), after=2)]


@pytest.mark.parametrize("lines", [(line(2, "Started"),), (line(1, "Started"), line(3, "Started"))])
def test_a_missing_number_is_an_error(lines):
    with pytest.raises(NodeError, match="not numbered from 1 on without gaps"):
        read(*lines)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("<Objs>", "cannot be read"),
        (line(1, "Resting"), "Kind 'Resting' is not known"),
        (line(1, "Done"), "has no property RebootRequired"),
        (line(1, "Installed", UpdateId="a", RevisionNumber="x"), "gives 'x' for RevisionNumber"),
    ],
)
def test_a_complete_line_that_cannot_be_read_is_an_error(bad, told):
    with pytest.raises(NodeError, match=told):
        read(bad, line(2, "Started"))


def test_a_failure_without_a_code():
    (failed,) = read(line(1, "Failed", HResult=None, Message="no", RebootRequired=True))
    expected = AgentEvent(1, kind=AgentEventKind.FAILED, at=MOMENT, message="no", reboot_required=True)
    assert expected == failed


def test_a_found_update_without_articles():
    facts = {
        "UpdateId": "ABC",
        "RevisionNumber": 3,
        "Title": "t",
        "Description": "",
        "KBArticleIDs": array([]),
        "MsrcSeverity": "",
        "MaxDownloadSize": 5,
        "IsDownloaded": False,
        "EulaAccepted": True,
        "CanRequestUserInput": False,
        "RebootBehavior": 0,
        "Exclusive": True,
        "SupportUrl": "",
    }
    (told,) = read(line(1, "Found", **facts))
    assert told.update is not None
    assert (UpdateKey("abc", 3), (), True, 0) == (
        told.update.key,
        told.update.kb_article_ids,
        told.update.exclusive,
        told.update.reboot_behavior,
    )


# ---- The task

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def test_the_task_runs_as_system_on_demand_and_ends_at_its_limit():
    place = WorkPlace("C:\\Windows & Co")
    name = work_name(REQUEST)
    xml = task_xml(
        powershell=place.powershell,
        agent=place.agent(agent_file()),
        folder=place.folder(name),
        time_limit=timedelta(hours=6),
    )
    tree = ET.fromstring(xml)
    facts = {element.tag.removeprefix(TASK): element.text for element in tree.iter() if not len(element)}
    assert "S-1-5-18" == facts["UserId"]
    assert tree.find(f"{TASK}Triggers") is None
    expected = {
        "AllowStartOnDemand": "true",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "RunOnlyIfIdle": "false",
        "StopOnIdleEnd": "false",
        "MultipleInstancesPolicy": "IgnoreNew",
        "ExecutionTimeLimit": "PT21600S",
    }
    assert expected == {key: facts[key] for key in expected}
    assert "C:\\Windows & Co\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" == facts["Command"]
    assert (
        "-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass"
        f' -File "{place.agent(agent_file())}" -Folder "{place.folder(name)}"' == facts["Arguments"]
    )
