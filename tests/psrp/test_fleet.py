"""Which node is asked, and that it is the right one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from scripted_nodes import WHICH, WHO, ScriptedNode, ScriptedSession, fleet_of, refused, thing

from cauctl.errors import (
    AuthenticationError,
    ClusterError,
    FateUnknownError,
    InputError,
    NodeError,
    NodeUnreachableError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
    TlsError,
    TransportError,
)
from cauctl.psrp.commands import send
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import ACT, Fleet
from cauctl.psrp.link import FIRST_TRY, NEXT_TRY
from cauctl.psrp.pipeline import Pipeline

QUESTION = send("Get-ClusterNode")
COMMAND = send("Add-ClusterGroup", Name="cauctl-lock")
ANSWER = [thing(Name="N1")]
BROKEN = FateUnknownError("the connection broke.", node="N1")


def nodes(*names: str) -> list[ScriptedNode]:
    return [ScriptedNode(name).on("Get-ClusterNode", ANSWER).on("Add-ClusterGroup", []) for name in names]


def never() -> bool:
    return False


def test_the_cluster_is_asked_through_the_node_that_answered_last():
    first, second = nodes("N1", "N2")
    fleet = fleet_of([first, second])
    first.up = False
    assert "N2" == fleet.look(QUESTION)[0]
    first.up = True
    assert "N2" == fleet.look(QUESTION)[0]
    second.up = False
    assert "N1" == fleet.look(QUESTION)[0]


def test_a_session_is_greeted_once_and_asked_for_its_name_and_cluster():
    (node,) = nodes("N1")
    fleet = fleet_of([node])
    fleet.look(QUESTION)
    fleet.look_on("N1", QUESTION)
    assert [WHO, WHICH] == [text[: len(start)] for text, start in zip(node.asked, (WHO, WHICH), strict=False)]
    assert ["Get-ClusterNode", "Get-ClusterNode"] == node.asked_after_greeting()


def test_an_avoided_node_is_asked_only_when_no_other_answers():
    first, second = nodes("N1", "N2")
    fleet = fleet_of([first, second])
    fleet.look(QUESTION)
    fleet.avoid(["n1"])
    assert "N2" == fleet.look(QUESTION)[0]
    second.up = False
    assert "N1" == fleet.look(QUESTION)[0]


def test_nodes_learnt_from_the_cluster_are_asked_by_their_name_in_its_domain():
    first, second = nodes("N1", "N2")
    seen: list[NodeConnection] = []

    def open_session(connection: NodeConnection) -> ScriptedSession:
        seen.append(connection)
        return ScriptedSession(connection, {"N1": first, "N2.lab.test": second}.get)

    fleet = Fleet("LAB-FC1", [NodeConnection("N1", port=15986, certificate_name="n1.other")], open_session=open_session)
    fleet.learn(["N1", "N2"], domain="lab.test")
    fleet.look_on("N2", QUESTION)
    derived = seen[-1]
    assert ("N2", "N2.lab.test", 15986, None) == (
        derived.node,
        derived.address,
        derived.port,
        derived.certificate_name,
    )
    first.up = False
    assert "N2" == fleet.look(QUESTION)[0]


def test_an_address_given_as_entry_learns_which_node_it_is():
    (node,) = nodes("N1")

    def open_session(connection: NodeConnection) -> ScriptedSession:
        return ScriptedSession(connection, lambda address: node if address == "10.0.0.5" else None)

    fleet = Fleet("LAB-FC1", [NodeConnection("10.0.0.5")], open_session=open_session)
    assert "N1" == fleet.look(QUESTION)[0]
    fleet.learn(["N1"], domain="lab.test")
    assert ANSWER == fleet.look_on("n1", QUESTION).output
    assert 1 == len(node.patience)


def test_another_computer_under_a_nodes_address_is_refused():
    """Nothing but the question for its name is sent to it."""
    (node,) = nodes("N1")
    node.on(WHO, [thing(CSName="N7")])
    with pytest.raises(NodeError, match="the computer N7 answers where the node N1 was expected") as caught:
        fleet_of([node]).act_on("N1", COMMAND)
    assert "NodeNameMismatch" == caught.value.fully_qualified_error_id
    assert [] == node.asked_after_greeting()


def test_a_node_of_another_cluster_is_refused():
    (node,) = nodes("N1")
    with pytest.raises(ClusterError, match="N1 is a node of the cluster LAB-FC1, not of LAB-FC2") as caught:
        fleet_of([node], cluster="LAB-FC2").look(QUESTION)
    assert "ClusterNameMismatch" == caught.value.fully_qualified_error_id
    assert [] == node.asked_after_greeting()


@pytest.mark.parametrize("name", ["lab-fc1", "LAB-FC1.lab.test", "LAB-FC1.lab.test."])
def test_a_cluster_is_known_by_its_name_with_or_without_domain(name):
    assert "N1" == fleet_of(nodes("N1"), cluster=name).look(QUESTION)[0]


def test_a_node_whose_cluster_service_is_down_answers_for_itself_only():
    first, second = nodes("N1", "N2")
    first.on(WHICH, refused("the cluster service is not running"))
    fleet = fleet_of([first, second])
    assert ANSWER == fleet.look_on("N1", QUESTION).output
    assert "N2" == fleet.look(QUESTION)[0]


def test_a_question_refused_by_a_node_that_lost_its_cluster_goes_to_the_next():
    first, second = nodes("N1", "N2")
    first.on("Get-ClusterNode", refused("the cluster service is not running"))
    first.on(WHICH, [thing(Name="LAB-FC1", Domain="lab.test")], refused())
    assert "N2" == fleet_of([first, second]).look(QUESTION)[0]


def test_a_question_that_is_wrong_is_not_asked_everywhere():
    first, second = nodes("N1", "N2")
    first.on("Get-ClusterNode", refused("no such thing"))
    with pytest.raises(RemoteError, match="no such thing"):
        fleet_of([first, second]).look(QUESTION)
    assert [] == second.asked


@pytest.mark.parametrize(
    "error", [BROKEN, SessionLostError("gone.", node="N1"), OperationTimeoutError("late.", node="N1", after=ACT)]
)
def test_a_question_goes_to_the_next_node_whatever_broke(error):
    first, second = nodes("N1", "N2")
    first.on("Get-ClusterNode", error)
    assert "N2" == fleet_of([first, second]).look(QUESTION)[0]


def test_nobody_answers():
    first, second = nodes("N1", "N2")
    first.up = second.up = False
    with pytest.raises(ClusterError, match=r"no node answers for the cluster LAB-FC1\. N1: .* N2: ") as caught:
        fleet_of([first, second]).look(QUESTION)
    assert isinstance(caught.value.__cause__, NodeUnreachableError)


def test_a_refused_credential_is_not_tried_elsewhere():
    first, second = nodes("N1", "N2")
    first.on(WHO, AuthenticationError("the password is wrong.", node="N1"))
    with pytest.raises(AuthenticationError):
        fleet_of([first, second]).look(QUESTION)
    assert [] == second.asked


def test_an_untrusted_certificate_everywhere_is_told_as_such():
    (node,) = nodes("N1")
    node.on(WHO, TlsError("the certificate is not trusted.", node="N1"))
    with pytest.raises(TlsError):
        fleet_of([node]).look(QUESTION)


def test_a_command_goes_to_the_next_node_only_if_nothing_was_sent():
    first, second = nodes("N1", "N2")
    first.on("Add-ClusterGroup", NodeUnreachableError("nobody answers.", node="N1"))
    assert fleet_of([first, second]).act(COMMAND, done=never) is not None
    assert ["Add-ClusterGroup -Name cauctl-lock"] == second.asked_after_greeting()


def test_a_command_of_unknown_fate_is_not_repeated():
    first, second = nodes("N1", "N2")
    first.on("Add-ClusterGroup", BROKEN)
    with pytest.raises(FateUnknownError):
        fleet_of([first, second]).act(COMMAND, done=never)
    assert 1 == len(first.asked_after_greeting())
    assert [] == second.asked_after_greeting()


def test_a_command_of_unknown_fate_that_a_look_finds_done_is_done():
    (node,) = nodes("N1")
    node.on("Add-ClusterGroup", BROKEN)
    assert fleet_of([node]).act(COMMAND, done=lambda: True) is None


def test_a_command_of_unknown_fate_stays_so_when_nobody_can_look():
    """That the look failed too must not hide that the command may have run."""
    (node,) = nodes("N1")
    node.on("Add-ClusterGroup", BROKEN)

    def look() -> bool:
        raise ClusterError("no node answers.", cluster="LAB-FC1")

    with pytest.raises(FateUnknownError) as caught:
        fleet_of([node]).act(COMMAND, done=look)
    assert isinstance(caught.value.__cause__, ClusterError)


def test_a_command_in_a_session_that_was_lost_goes_once_more_after_a_look():
    (node,) = nodes("N1")
    looks: list[None] = []
    node.on("Add-ClusterGroup", SessionLostError("gone.", node="N1"), [])
    assert fleet_of([node]).act(COMMAND, done=lambda: bool(looks.append(None))) is not None
    assert 1 == len(looks)
    assert 2 == len(node.asked_after_greeting())


def test_a_command_refused_by_a_node_that_lost_its_cluster_goes_to_the_next_after_a_look():
    first, second = nodes("N1", "N2")
    first.on("Add-ClusterGroup", refused("the cluster service is not running"))
    first.on(WHICH, [thing(Name="LAB-FC1", Domain="lab.test")], refused())
    assert fleet_of([first, second]).act(COMMAND, done=never) is not None
    assert ["Add-ClusterGroup -Name cauctl-lock"] == second.asked_after_greeting()


def test_a_greeting_that_breaks_says_that_nothing_was_sent():
    """A restart that follows must not be taken for asked."""
    (node,) = nodes("N1")
    node.on(WHO, BROKEN)
    with pytest.raises(NodeUnreachableError, match="did not say who it is"):
        fleet_of([node]).act_on("N1", COMMAND)


def test_a_silent_node_is_tried_longer_the_first_time_than_the_next():
    """A node that restarts is asked often; one that answers, if slowly, gets its full time."""
    (node,) = nodes("N1")
    fleet = fleet_of([node])
    node.up = False
    for _ in range(2):
        with pytest.raises(NodeUnreachableError):
            fleet.look_on("N1", QUESTION)
    node.up = True
    node.on(WHO, BROKEN, [thing(CSName="N1")])
    with pytest.raises(NodeUnreachableError):
        fleet.look_on("N1", QUESTION)
    fleet.look_on("N1", QUESTION)
    fleet.forget("N1")
    fleet.expect_silence("N1")
    fleet.look_on("N1", QUESTION)
    assert [FIRST_TRY, NEXT_TRY, NEXT_TRY, FIRST_TRY, NEXT_TRY] == node.patience


def goes_down(node: ScriptedNode, error: TransportError) -> Callable[[Pipeline], list[object]]:
    """Answer with ``error``, and nothing after it."""

    def answer(_: Pipeline) -> list[object]:
        node.up = False
        raise error

    return answer


@pytest.mark.parametrize("error", [BROKEN, SessionLostError("gone.", node="N1")])
def test_an_entry_node_that_went_silent_is_left_at_once_while_another_may_answer(error):
    """One try to get a new session, no insisting; the question is answered meanwhile."""
    first, second = nodes("N1", "N2")
    fleet = fleet_of([first, second])
    first.on("Get-ClusterNode", ANSWER, goes_down(first, error))
    assert ["N1", "N2"] == [fleet.look(QUESTION)[0] for _ in range(2)]
    assert ([False, False], [True]) == (first.insisted, second.insisted)


def test_a_command_too_leaves_a_silent_entry_node_at_once():
    first, second = nodes("N1", "N2")
    first.up = False
    fleet_of([first, second]).act(COMMAND, done=never)
    assert ([False], [True]) == (first.insisted, second.insisted)


def test_the_only_entry_node_is_insisted_on():
    (node,) = nodes("N1")
    fleet_of([node]).look(QUESTION)
    assert [True] == node.insisted


@pytest.mark.parametrize(
    ("prepare", "insisted"),
    [
        (lambda _: None, "N3"),
        (lambda fleet: fleet.avoid(["N1"]), "N1"),
        (lambda fleet: fleet.expect_silence("N3"), "N2"),
        (lambda fleet: fleet.learn(["N1", "N2", "N3"], domain="lab.test", down=["N3", "N2"]), "N1"),
        (lambda fleet: fleet.learn(["N1", "N2", "N3"], domain="lab.test", down=["N1", "N2", "N3"]), "N3"),
    ],
)
def test_the_last_entry_node_that_may_answer_is_insisted_on(prepare, insisted):
    """A node that is known to be down is no reason to leave the one that should answer."""
    all_nodes = nodes("N1", "N2", "N3")
    fleet = fleet_of(all_nodes)
    prepare(fleet)
    for node in all_nodes:
        node.up = False
    with pytest.raises(ClusterError, match="no node answers"):
        fleet.look(QUESTION)
    assert {"N1": [False], "N2": [False], "N3": [False], insisted: [True]} == {
        node.name: node.insisted for node in all_nodes
    }


def test_a_node_that_was_left_at_once_gets_its_full_time_when_it_is_meant():
    first, second = nodes("N1", "N2")
    first.up = False
    fleet = fleet_of([first, second])
    fleet.look(QUESTION)
    with pytest.raises(NodeUnreachableError):
        fleet.look_on("N1", QUESTION)
    assert ([False, True], [FIRST_TRY, FIRST_TRY]) == (first.insisted, first.patience)


def test_a_session_in_use_does_not_count_as_silence():
    (node,) = nodes("N1")
    node.on(WHO, SessionBusyError("in use.", node="N1"), [thing(CSName="N1")])
    fleet = fleet_of([node])
    with pytest.raises(SessionBusyError):
        fleet.look_on("N1", QUESTION)
    fleet.look_on("N1", QUESTION)
    assert [FIRST_TRY, FIRST_TRY] == node.patience


def test_a_cluster_is_asked_elsewhere_while_a_session_is_in_use():
    first, second = nodes("N1", "N2")
    first.on("Add-ClusterGroup", SessionBusyError("in use.", node="N1"))
    assert fleet_of([first, second]).act(COMMAND, done=never) is not None
    assert ["Add-ClusterGroup -Name cauctl-lock"] == second.asked_after_greeting()


def test_a_question_on_a_node_is_asked_again_in_a_new_session_a_command_is_not():
    (node,) = nodes("N1")
    node.on("Get-ClusterNode", SessionLostError("gone.", node="N1"), ANSWER)
    node.on("Add-ClusterGroup", SessionLostError("gone.", node="N1"), [])
    fleet = fleet_of([node])
    assert ANSWER == fleet.look_on("N1", QUESTION).output
    with pytest.raises(SessionLostError):
        fleet.act_on("N1", COMMAND)


def test_after_forget_the_node_is_greeted_anew():
    (node,) = nodes("N1")
    fleet = fleet_of([node])
    fleet.look_on("N1", QUESTION)
    fleet.forget("N1")
    node.on(WHO, [thing(CSName="N7")])
    with pytest.raises(NodeError, match="N7"):
        fleet.look_on("N1", QUESTION)


def test_all_nodes_are_asked_at_once_and_failures_stand_in_the_place_of_answers():
    first, second, third = nodes("N1", "N2", "N3")
    together = threading.Barrier(2, timeout=10)
    second.up = False

    class Meeting(list[object]):
        def __iter__(self):
            together.wait()
            return super().__iter__()

    first.on("Get-ClusterNode", Meeting(ANSWER))
    third.on("Get-ClusterNode", Meeting(ANSWER))
    found = fleet_of([first, second, third]).look_everywhere(QUESTION)
    assert ["N1", "N2", "N3"] == list(found)
    assert ANSWER == found["N1"].output
    assert isinstance(found["N2"], NodeUnreachableError)


def test_as_many_nodes_as_a_cluster_may_have_are_asked_at_once_and_no_more():
    """The first 64 meet in the middle of their answers; six further nodes are asked when one of those has answered."""
    meeting, lock = threading.Barrier(64, timeout=5), threading.Lock()
    asked, at_once, most = 0, 0, 0

    def answer(_: object) -> list[Any]:
        nonlocal asked, at_once, most
        with lock:
            asked, at_once = asked + 1, at_once + 1
            most, number = max(most, at_once), asked
        if number <= 64:
            meeting.wait()
        with lock:
            at_once -= 1
        return ANSWER

    crowd = nodes(*(f"N{number}" for number in range(70)))
    for each in crowd:
        each.on("Get-ClusterNode", answer)
    found = fleet_of(crowd).look_everywhere(QUESTION)
    assert (70, 64) == (asked, most)
    assert [ANSWER] * 70 == [result.output for result in found.values()]


def test_a_fleet_needs_an_entry():
    with pytest.raises(InputError, match="no node of the cluster LAB-FC1 is known"):
        Fleet("LAB-FC1", [])


def test_close_closes_every_session():
    first, second = nodes("N1", "N2")
    fleet = fleet_of([first, second])
    fleet.look_everywhere(QUESTION)
    fleet.close()
    assert "open" not in repr(fleet)
