"""The ports on nodes that show functions of ours alone: how answers of the module are judged."""

from __future__ import annotations

import pytest
from everything_sent import REQUEST
from scripted_nodes import NOW, ScriptedNode, fleet_of, refused, thing

from cauctl.errors import FateUnknownError, InputError, NodeError, RemoteError
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentProgress, AgentState
from cauctl.models.nodes import NodeProbe
from cauctl.psobject import array
from cauctl.psrp.agent_progress import SLOW_START
from cauctl.psrp.jea.agent import JeaUpdateAgent
from cauctl.psrp.jea.node import JeaNode

STARTED = (
    '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><MS>'
    '<I32 N="Sequence">1</I32><S N="Kind">Started</S><DT N="At">2026-01-02T03:04:05Z</DT></MS></Obj></Objs>'
)
DONE = (
    '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><MS>'
    '<I32 N="Sequence">2</I32><S N="Kind">Done</S><DT N="At">2026-01-02T03:04:05Z</DT><B N="RebootRequired">true</B>'
    "</MS></Obj></Objs>"
)
EVENTS = (
    AgentEvent(1, kind=AgentEventKind.STARTED, at=NOW),
    AgentEvent(2, kind=AgentEventKind.DONE, at=NOW, reboot_required=True),
)


class Seconds:
    """Real time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The present moment."""
        return self.now


def task(state: str | None, result: int | None = None) -> object:
    return thing(TaskName="run-1.r1", State=state, LastTaskResult=result)


def poll(*looks: list[object], after: int = 0) -> AgentProgress:
    """Poll a node that answers each look as given; the last one stays."""
    node = ScriptedNode("N1").on("Get-CauctlWork", *looks)
    return JeaUpdateAgent(fleet_of([node], jea=True)).poll("N1", REQUEST, after)


def test_events_come_after_the_state_of_the_task():
    assert AgentProgress(AgentState.RUNNING, events=EVENTS[:1]) == poll([task("Running"), STARTED])
    assert AgentProgress(AgentState.FINISHED, events=EVENTS) == poll([task("Running"), STARTED, DONE])
    assert AgentProgress(AgentState.FINISHED, events=EVENTS[1:]) == poll([task(None), STARTED, DONE], after=1)
    assert AgentProgress(AgentState.FINISHED) == poll([task("Ready", 0), DONE], after=2)


def test_an_agent_that_ends_between_two_looks_is_not_lost():
    assert AgentState.FINISHED is poll([task("Ready", 0), STARTED], [task("Ready", 0), STARTED, DONE]).state


@pytest.mark.parametrize(
    "look", [[task(None)], [task("Ready", 0), STARTED], [task("Ready", 0x41306)], [task("Ready", 0xC000013A)]]
)
def test_work_without_an_end_and_without_a_task_at_work_is_lost(look):
    assert AgentState.LOST is poll(look).state


def test_a_program_that_ended_without_a_word_is_an_error():
    with pytest.raises(NodeError, match="its task gave 0xFFFD0000"):
        poll([task("Ready", 0xFFFD0000)])


def test_a_task_that_does_not_start_is_waited_for():
    clock = Seconds()
    node = ScriptedNode("N1").on("Get-CauctlWork", [task("Ready", 0x41303)]).on("Start-CauctlWork", [])
    agent = JeaUpdateAgent(fleet_of([node], jea=True), monotonic_clock=clock)
    agent.begin("N1", REQUEST)
    clock.now = SLOW_START.total_seconds() - 1
    assert AgentState.RUNNING is agent.poll("N1", REQUEST, 0).state
    clock.now += 2
    assert AgentState.LOST is agent.poll("N1", REQUEST, 0).state


def test_an_answer_without_the_task_is_an_error():
    with pytest.raises(NodeError, match="gave no answer"):
        poll([])


def test_work_that_goes_on_is_not_collected_and_other_refusals_stay_theirs():
    node = ScriptedNode("N1").on("Remove-CauctlWork", refused(error_id="CauctlWorkGoesOn"), refused(error_id="Denied"))
    agent = JeaUpdateAgent(fleet_of([node], jea=True))
    with pytest.raises(NodeError, match="still at work on r1"):
        agent.collect("N1", REQUEST)
    with pytest.raises(RemoteError, match="refused"):
        agent.collect("N1", REQUEST)


def test_an_id_that_the_module_would_refuse_is_refused_before():
    node = ScriptedNode("N1")
    agent = JeaUpdateAgent(fleet_of([node], jea=True))
    with pytest.raises(InputError, match="run_id"):
        agent.cancel("N1", type(REQUEST)("r1", run_id="..", operation=REQUEST.operation, query="x"))
    assert [] == node.asked


def test_leftovers_are_runs_in_the_order_of_the_alphabet():
    node = ScriptedNode("N1").on("Find-CauctlWork", ["b.1", "a.2", "a.1", "no id at all"])
    assert ("a", "b") == JeaUpdateAgent(fleet_of([node], jea=True)).leftovers("N1")


def test_a_node_is_told_in_one_answer():
    node = ScriptedNode("N1").on(
        "Get-CauctlNodeState",
        [
            thing(
                LastBootUpTime=NOW,
                LocalDateTime=NOW,
                CurrentBuild="20348",
                UBR=2849,
                RebootPending=array(["CBS RebootPending"]),
                BootFinished=True,
                ServicingInProgress=False,
                ClusterServiceRunning=True,
                StoppedServices=array(),
            )
        ],
    )
    expected = NodeProbe(
        "N1",
        boot_time=NOW,
        uptime=NOW - NOW,
        build="20348.2849",
        reboot_pending=("CBS RebootPending",),
        servicing_in_progress=False,
        boot_finished=True,
        cluster_service_running=True,
        stopped_services=(),
    )
    assert expected == JeaNode(fleet_of([node], jea=True)).probe("N1")


@pytest.mark.parametrize("answer", [[thing(Code=code, Message="")] for code in (0, 1115, 1190)])
def test_a_restart_that_is_asked_for_or_under_way_counts_as_asked(answer):
    JeaNode(fleet_of([ScriptedNode("N1").on("Restart-CauctlNode", answer)], jea=True)).restart("N1", reason="x")


def test_a_connection_that_breaks_over_a_restart_counts_as_asked():
    node = ScriptedNode("N1").on("Restart-CauctlNode", FateUnknownError("gone.", node="N1"))
    JeaNode(fleet_of([node], jea=True)).restart("N1", reason="x")


@pytest.mark.parametrize(("code", "told"), [(5, "refused with code 5"), (-1, "Zugriff verweigert")])
def test_a_restart_that_is_refused_is_an_error(code, told):
    node = ScriptedNode("N1").on("Restart-CauctlNode", [thing(Code=code, Message="Zugriff verweigert")])
    with pytest.raises(NodeError, match=told):
        JeaNode(fleet_of([node], jea=True)).restart("N1", reason="x")
