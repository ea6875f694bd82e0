"""The invariants of a run, held against the ground truth of its world: the ledger, never the run's own words.

Each returns a sentence for every breach that it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cauctl.coordinator.settings import DEFAULT_QUERY
from cauctl.models.enums import SummaryStatus
from cauctl.policy.selection import choose
from tests.laws.worlds import Case
from tests.trial import USER, Trial

_A_MOMENT = timedelta(seconds=5)
"""Between the last look at the others and the moment at which a node is told to restart."""


def _on_its_way(trial: Trial) -> timedelta:
    """Longest time between the last look at the others and the moment at which a node stops."""
    durations = trial.world.scenario.durations
    return _A_MOMENT + durations.shutdown * (1 + durations.variation)


def breaches(trial: Trial, case: Case) -> list[str]:
    """Name every breach of every invariant."""
    return [
        *_one_domain_at_a_time(trial),
        *_votes(trial, case),
        *_no_role_restarted_under(trial),
        *_nobody_left_paused(trial),
        *_only_what_is_offered(trial),
        *_others_pauses_respected(trial),
        *_roles_serve(trial, case),
        *_success_is_true(trial),
        *_nothing_left_on_nodes(trial),
        *_first_cause_kept(trial),
    ]


def _one_domain_at_a_time(trial: Trial) -> Iterator[str]:
    """Design §4: no fault domain goes down by our hand while another is down or resyncing."""
    world = trial.world
    site = {name: member.site or name for name, member in world.cluster.members.items()}
    for restart in world.ledger.restarts:
        if restart.by != USER:
            continue
        others = [each for each in restart.others_down if site[each] != site[restart.node]]
        others = [each for each in others if not _fell_just_before(trial, each, restart.at)]
        if others:
            yield f"{restart.node} restarted at {restart.at} while {', '.join(others)} was down"
        late = any(
            pause.by != USER and timedelta() <= restart.at - pause.at <= _on_its_way(trial)
            for pause in world.ledger.pauses
        )
        if restart.resyncing and not others and not restart.others_down and not late:
            yield f"{restart.node} restarted at {restart.at} while storage was resyncing"


def ledger_begin(trial: Trial) -> datetime:
    """When the world began; what was so from the beginning is not our doing."""
    return trial.world.scenario.begins


def _fell_just_before(trial: Trial, node: str, at: object) -> bool:
    return any(
        other.node == node and timedelta() <= at - other.at <= _on_its_way(trial)
        for other in trial.world.ledger.restarts
    )


def _votes(trial: Trial, case: Case) -> Iterator[str]:
    """Design §4: votes never below quorum, our next step counted."""
    ledger = trial.world.ledger
    for restart in ledger.restarts:
        crowded = any(_fell_just_before(trial, each, restart.at) for each in restart.others_down)
        if restart.by == USER and restart.vote_margin < 0 and not crowded:
            yield f"{restart.node} restarted at {restart.at} with a vote margin of {restart.vote_margin}"
    if ledger.quorum_losses and not case.troubles:
        yield "quorum was lost"
    risks = [each.at for each in ledger.entries if "storage still needs" in each.text and each.at > ledger_begin(trial)]
    if risks and not case.troubles:
        yield f"storage was put at risk at {risks[0]}"


def _no_role_restarted_under(trial: Trial) -> Iterator[str]:
    """Design §4: no restart of a node that still owns a role."""
    for restart in trial.world.ledger.restarts:
        if restart.by == USER and restart.roles:
            yield f"{restart.node} restarted at {restart.at} with {', '.join(restart.roles)}"
        if restart.by == USER and not restart.paused:
            yield f"{restart.node} restarted at {restart.at} without being paused"


def _nobody_left_paused(trial: Trial) -> Iterator[str]:
    """Design §4: no run ends with a node left paused by us, and where one cannot be reached all says so."""
    left = {node for node, by in trial.world.ledger.paused_now.items() if by == USER}
    if not left <= set(trial.state.unresumed):
        yield f"left paused: {sorted(left)}, named: {trial.state.unresumed}"
    for name in left:
        member = trial.world.cluster.member(name)
        if member.joined and trial.world.cluster.has_quorum and not trial.state.lock_left:
            yield f"{name} is a member and was left paused"
    lock = trial.memory.cluster.read_lock() if trial.world.entry() else None
    if lock and not (trial.state.unresumed or trial.state.lock_left):
        yield "the lock was not given back"
    if lock and lock.lease_until > trial.world.now:
        yield "the lock still has a lease"


def _only_what_is_offered(trial: Trial) -> Iterator[str]:
    """Design §4: nothing is installed that a rescan no longer offers, and nothing on a node that is not paused."""
    for each in trial.world.ledger.installations:
        if not each.offered:
            yield f"{each.title} was installed on {each.node} without being offered"
        if not each.paused:
            yield f"{each.title} was installed on {each.node} while it was not paused"


def _others_pauses_respected(trial: Trial) -> Iterator[str]:
    """Design §4: a node that an administrator paused stays paused."""
    paused_by: dict[str, str] = {}
    for pause in trial.world.ledger.pauses:
        if pause.paused:
            paused_by[pause.node] = pause.by
        elif pause.by == USER and paused_by.get(pause.node) == "administrator":
            yield f"{pause.node} was paused by an administrator and resumed by us at {pause.at}"


def _roles_serve(trial: Trial, case: Case) -> Iterator[str]:
    """What they must never meet: a role left homeless."""
    if case.troubles or trial.state.unresumed:
        return
    for group in trial.world.cluster.roles:
        if group.wanted and not group.online:
            yield f"{group.name} is {group.state.value} on {group.owner}"


def _success_is_true(trial: Trial) -> Iterator[str]:
    """What they must never meet: a run that succeeded on an old build."""
    for name, status in trial.statuses.items():
        updates = trial.world.machine(name).updates
        if status is not SummaryStatus.SUCCEEDED:
            continue
        left = choose(updates.found(each) for each in updates.search(DEFAULT_QUERY)).chosen
        if left and trial.state.stopping is None:
            yield f"{name} succeeded and is still offered {', '.join(each.title for each in left)}"
        if updates.pending:
            yield f"{name} succeeded and waits for a restart"


def _nothing_left_on_nodes(trial: Trial) -> Iterator[str]:
    for name, machine in trial.world.machines.items():
        if (
            machine.answers
            and trial.left_on(name)
            and "on the node" not in " ".join(trial.state.nodes[name].record.notes if name in trial.state.nodes else ())
        ):
            yield f"{trial.left_on(name)} tasks are left on {name}"


def _first_cause_kept(trial: Trial) -> Iterator[str]:
    """Design §4: the first failure is the cause and stays."""
    bad = [status for status in trial.statuses.values() if status is not SummaryStatus.SUCCEEDED]
    if bad and trial.state.first_cause is None:
        yield "something failed and there is no first cause"
