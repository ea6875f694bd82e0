"""What follows from finished Windows Update work: the next piece of it, a restart, or the way back.

After each installation, and its restart, is searched again until nothing new is offered; how often is bounded. An
update that is offered again although it was installed with success goes round in circles: the node fails, at once and
for that reason. One that is offered again because it failed is tried again as another attempt, as long as
MaxRetriesPerNode allows and its error says that it may help.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.machine_attempt import close_attempt, update_problem
from cauctl.coordinator.machine_one_node import hand_over
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import AgentWork, Installation, NodeWork, Phase, changed
from cauctl.coordinator.turn import Turn, problem
from cauctl.models.agent import AgentOperation, FoundUpdate, OperationResultCode, UpdateKey, UpdateOutcome
from cauctl.policy.selection import choose, looping, succeeded, worth_another_try

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cauctl.coordinator.problems import Problem

__all__ = ["CONCLUDED", "search_again", "take_outcomes"]

ROLLED_BACK = 0x80242016
"""WU_E_UH_POSTREBOOTUNEXPECTEDSTATE."""


def take_outcomes(turn: Turn, node: NodeWork, agent: AgentWork) -> NodeWork:
    """Write down what became of each update, however the work ended."""
    record = node.record
    if agent.request.operation is AgentOperation.STAGE:
        return turn.keep(node, staged={**record.staged, **{each.key: each for each in agent.outcomes}})
    if agent.request.operation is AgentOperation.INSTALL:
        done = {
            each.key: Installation(record.offered[each.key], outcome=each)
            for each in agent.outcomes
            if each.key in record.offered
        }
        needed = record.reboot_required or any(each.reboot_required for each in agent.outcomes)
        needed = needed or bool(agent.ending and agent.ending.reboot_required)
        return turn.keep(node, installed={**record.installed, **done}, reboot_required=needed)
    return node


def _scanned(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Before the node's turn: it stages what it needs, or is done when it needs nothing."""
    node = _choose(turn, turn.stamp(node, scan_end=turn.at), agent)
    if turn.settings.purpose is Purpose.SCAN:
        close_attempt(turn, node)
    elif node.record.updates:
        turn.go(node, Phase.STAGING)
    elif node.attempt > 1 and node.record.reboot_required:
        turn.go(node, Phase.READY)
    else:
        close_attempt(turn, node)


def _choose(turn: Turn, node: NodeWork, agent: AgentWork) -> NodeWork:
    choice, record = choose(agent.found), node.record
    return turn.set(
        node,
        agent=None,
        record=changed(
            record,
            updates=choice.chosen,
            offered={**record.offered, **{update.key: update for update in choice.chosen}},
            skipped={**record.skipped, **{update.key: update for update in choice.skipped}},
        ),
    )


def _staged(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Go on with what could be downloaded; fail where nothing could."""
    record, gone = node.record, set(agent.not_offered)
    bad = {each.key: each for each in agent.outcomes if not succeeded(each)}
    left = tuple(update for update in record.updates if update.key not in bad and update.key not in gone)
    node = turn.set(turn.keep(node, updates=left), agent=None)
    if left or not bad:
        node = turn.stamp(node, stage_end=turn.at)
        if node.phase is Phase.RESTAGING and turn.stopping:
            _enough(turn, node)
        elif node.phase is Phase.RESTAGING:
            if left:
                turn.go(node, Phase.INSTALLING)
            else:
                search_again(turn, node)
        else:
            turn.go(node, Phase.READY)
        return
    update = record.offered[next(iter(bad))]
    why = update_problem(update, bad[update.key], staging=True)
    turn.fail(node, evolve(why, final=not any(map(worth_another_try, bad.values()))))


def _installed(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Restart where it is asked for; else go on with the next installation, or search again."""
    done = set(agent.request.updates)
    left = tuple(update for update in node.record.updates if update.key not in done)
    node = turn.set(turn.keep(node, updates=left), agent=None)
    if not left and turn.settings.always_restart and not _restarted(node):
        node = turn.keep(node, reboot_required=True)
    if node.record.reboot_required:
        turn.go(node, Phase.GUARDING)
    elif left and not turn.stopping:
        turn.go(node, Phase.INSTALLING)
    else:
        search_again(turn, node)


def _restarted(node: NodeWork) -> bool:
    """Say whether the node was restarted since we paused it."""
    since = node.record.paused_since
    return since is not None and any(each.asked >= since for each in node.record.restarts)


def search_again(turn: Turn, node: NodeWork) -> None:
    """Search for what has become applicable, unless that is left out or the run stops."""
    if turn.stopping:
        turn.go(
            turn.note(node, "The run was stopped before the node was searched again: more may apply."), Phase.RESUMING
        )
    elif turn.settings.purpose is Purpose.SUSPEND:
        hand_over(turn, node)
    elif turn.settings.search_again:
        turn.go(node, Phase.RESCANNING)
    elif node.record.updates:
        turn.go(node, Phase.INSTALLING)
    else:
        _enough(
            turn, turn.note(node, "Nothing was searched for after the installation: SkipUpdateChecks was asked for.")
        )


def _rescanned(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Install what is new, try again what failed, or go back."""
    node = _choose(turn, node, agent)
    record = node.record
    outcomes = {key: each.outcome for key, each in record.installed.items()}
    if circles := looping(record.updates, outcomes):
        turn.fail(_rolled_back(turn, node, circles), _loop(node, circles))
        return
    tried: dict[UpdateKey, UpdateOutcome] = {**record.staged, **outcomes}
    failed = {key: outcome for key, outcome in tried.items() if not succeeded(outcome)}
    fresh = tuple(update for update in record.updates if update.key not in failed)
    again = tuple(
        update for update in record.updates if (last := failed.get(update.key)) is not None and worth_another_try(last)
    )
    if turn.stopping or not (fresh or again):
        _enough(turn, node)
    elif fresh:
        _another_round(turn, node, fresh)
    elif node.counted_attempts <= turn.settings.max_retries_per_node:
        transient = tuple(update_problem(update, failed[update.key]) for update in again)
        node = turn.keep(node, transient=(*record.transient, *transient), round=0)
        _another_round(turn, turn.set(node, attempt=node.attempt + 1), again)
    else:
        _enough(turn, node)


def _another_round(turn: Turn, node: NodeWork, updates: tuple[FoundUpdate, ...]) -> None:
    limit = turn.limits.rounds
    if node.record.round >= limit:
        titles = ", ".join(f'"{update.title}"' for update in updates)
        message = f"{node.name} is offered something new after {limit} installations still: {titles}."
        turn.fail(node, problem("TooManyRounds", message, final=True))
        return
    turn.go(turn.keep(node, updates=updates), Phase.RESTAGING)


def _enough(turn: Turn, node: NodeWork) -> None:
    turn.go(turn.stamp(turn.keep(node, updates=()), install_end=turn.at), Phase.RESUMING)


def _rolled_back(turn: Turn, node: NodeWork, circles: tuple[FoundUpdate, ...]) -> NodeWork:
    """Correct what Windows Update said: what is offered again is not installed."""
    record = node.record
    corrected = {
        update.key: evolve(
            record.installed[update.key],
            outcome=evolve(
                record.installed[update.key].outcome, result=OperationResultCode.FAILED, hresult=ROLLED_BACK
            ),
        )
        for update in circles
    }
    return turn.keep(node, installed={**record.installed, **corrected})


def _loop(node: NodeWork, circles: tuple[FoundUpdate, ...]) -> Problem:
    titles = ", ".join(f'"{update.title}"' for update in circles)
    restarted = " and the restart that followed" if node.record.restarts else ""
    return problem(
        "UpdateLoop",
        f"{titles}: offered to {node.name} again after it was installed with success{restarted}; "
        "it is rolled back each time.",
        advice="Hide or decline the update, or look into CBS.log of the node for what rolls it back.",
        final=True,
    )


CONCLUDED: Mapping[Phase, Callable[[Turn, NodeWork, AgentWork], None]] = MappingProxyType(
    {
        Phase.SCANNING: _scanned,
        Phase.STAGING: _staged,
        Phase.INSTALLING: _installed,
        Phase.RESCANNING: _rescanned,
        Phase.RESTAGING: _staged,
    }
)
