"""The invariants of a run, held against the ground truth of its world: the ledger, never the run's own words.

Each law quotes the clause that it proves. Its check yields a sentence for every breach that it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from attrs import field, frozen

from cauctl.coordinator.settings import DEFAULT_QUERY
from cauctl.coordinator.state import RunPhase
from cauctl.models.enums import SummaryStatus
from cauctl.policy.selection import choose
from tests.laws.course import Course, carry_out
from tests.laws.worlds import ADMINISTRATOR
from tests.trial import USER, Trial

_A_MOMENT = timedelta(seconds=5)
"""Between the last look at the others and the moment at which a node is told to restart."""


@frozen
class Law:
    """One invariant."""

    name: str
    """Short and stable."""
    clause: str = field(kw_only=True)
    """What is promised, in the words of the design."""
    check: Callable[[Course], Iterator[str]] = field(kw_only=True)
    """Finds breaches."""


def breaches(course: Course, laws: tuple[Law, ...] | None = None) -> list[str]:
    """Name every breach of every law; a run that was refused has touched nothing and breaks none."""
    if course.refused:
        return []
    return [f"{law.name}: {breach}" for law in (LAWS if laws is None else laws) for breach in law.check(course)]


# --- taking nodes down -----------------------------------------------------------------------------------------------


def _on_its_way(trial: Trial) -> timedelta:
    """Longest time between the last look at the others and the moment at which a node stops."""
    durations = trial.world.scenario.durations
    return _A_MOMENT + durations.shutdown * (1 + durations.variation)


def _left_just_before(trial: Trial, node: str, at: datetime) -> bool:
    return any(
        other.node == node and timedelta() <= at - other.at <= _on_its_way(trial)
        for other in trial.world.ledger.restarts
    )


def _one_domain_at_a_time(course: Course) -> Iterator[str]:
    world = course.trial.world
    site = {name: member.site or name for name, member in world.cluster.members.items()}
    undivided = len(set(site.values())) == 1
    for restart in world.ledger.restarts:
        if restart.by != USER:
            continue
        others = [each for each in restart.others_down if undivided or site[each] != site[restart.node]]
        others = [each for each in others if not _left_just_before(course.trial, each, restart.at)]
        if others:
            yield f"{restart.node} stopped at {restart.at} while {', '.join(others)} was down"


def _not_while_resyncing(course: Course) -> Iterator[str]:
    trial, ledger = course.trial, course.trial.world.ledger
    for restart in ledger.restarts:
        late = any(
            pause.by != USER and timedelta() <= restart.at - pause.at <= _on_its_way(trial) for pause in ledger.pauses
        )
        if restart.by == USER and restart.resyncing and not restart.others_down and not late:
            yield f"{restart.node} stopped at {restart.at} while storage was resyncing"
    begins = trial.world.scenario.begins
    risks = [each.at for each in ledger.entries if "storage still needs" in each.text and each.at > begins]
    if risks and not course.case.disturbed:
        yield f"storage was put at risk at {risks[0]}"


def _votes(course: Course) -> Iterator[str]:
    ledger = course.trial.world.ledger
    for restart in ledger.restarts:
        crowded = any(_left_just_before(course.trial, each, restart.at) for each in restart.others_down)
        if restart.by == USER and restart.vote_margin < 0 and not crowded:
            yield f"{restart.node} stopped at {restart.at} with a vote margin of {restart.vote_margin}"
    if ledger.quorum_losses and not course.case.disturbed:
        yield "quorum was lost"


def _no_role_under_a_restart(course: Course) -> Iterator[str]:
    if not course.asked("drain", default=True):
        return
    for restart in course.trial.world.ledger.restarts:
        if restart.by == USER and restart.roles:
            yield f"{restart.node} stopped at {restart.at} with {', '.join(restart.roles)}"


def _only_paused_nodes_restart(course: Course) -> Iterator[str]:
    for restart in course.trial.world.ledger.restarts:
        if restart.by == USER and not restart.paused:
            yield f"{restart.node} stopped at {restart.at} without being paused"


# --- pausing ---------------------------------------------------------------------------------------------------------


def _nobody_left_paused(course: Course) -> Iterator[str]:
    trial = course.trial
    left = {node for node, by in trial.world.ledger.paused_now.items() if by == USER}
    if not left <= set(trial.state.unresumed):
        yield f"left paused: {sorted(left)}, named: {trial.state.unresumed}"
    told = " ".join(entry.text for entry in trial.story.history().timeline)
    for name in sorted(left):
        member = trial.world.cluster.member(name)
        if member.joined and trial.world.cluster.has_quorum and not trial.state.lock_left:
            yield f"{name} is a member and was left paused"
        if name not in told.rpartition("Left behind:")[2]:
            yield f"{name} was left paused, and the report does not say so"


def _others_pauses_stay(course: Course) -> Iterator[str]:
    paused_by: dict[str, str] = {}
    for pause in course.trial.world.ledger.pauses:
        if pause.paused:
            paused_by[pause.node] = pause.by
        elif pause.by == USER and paused_by.get(pause.node) == ADMINISTRATOR:
            yield f"{pause.node} was paused by an administrator and resumed by us at {pause.at}"


# --- installing ------------------------------------------------------------------------------------------------------


def _only_what_is_offered(course: Course) -> Iterator[str]:
    for each in course.trial.world.ledger.installations:
        if not each.offered:
            yield f"{each.title} was installed on {each.node} without being offered"


def _only_on_paused_nodes(course: Course) -> Iterator[str]:
    for each in course.trial.world.ledger.installations:
        if not each.paused:
            yield f"{each.title} was installed on {each.node} while it was not paused"


def _success_is_true(course: Course) -> Iterator[str]:
    trial = course.trial
    withdrawn = any(trouble.kind == "withdrawal" for trouble in course.case.troubles)
    if not course.asked("search_again", default=True):
        return
    for name, status in trial.statuses.items():
        updates = trial.world.machine(name).updates
        if status is not SummaryStatus.SUCCEEDED or trial.state.stopping is not None:
            continue
        left = choose(updates.found(each) for each in updates.search(DEFAULT_QUERY)).chosen
        if left and not withdrawn:
            yield f"{name} succeeded and is still offered {', '.join(each.title for each in left)}"
        if updates.pending:
            yield f"{name} succeeded and waits for a restart"


# --- what is left ----------------------------------------------------------------------------------------------------


def _roles_serve(course: Course) -> Iterator[str]:
    if course.case.disturbed or course.trial.state.unresumed:
        return
    told = " ".join(entry.text for entry in course.trial.story.history().timeline)
    stopped = course.asked("force_drain", default=False)
    for group in course.trial.world.cluster.roles:
        if stopped and f"{group.name} is " in told:
            continue
        if group.wanted and not group.online:
            yield f"{group.name} is {group.state.value} on {group.owner}"


def _lock_given_back(course: Course) -> Iterator[str]:
    trial = course.trial
    lock = trial.memory.cluster.read_lock() if trial.world.entry() else None
    if lock and not (trial.state.unresumed or trial.state.lock_left):
        yield "the lock was not given back"
    if lock and lock.lease_until > trial.world.now:
        yield "the lock still has a lease"


def _nothing_left_on_nodes(course: Course) -> Iterator[str]:
    trial = course.trial
    for name, machine in trial.world.machines.items():
        notes = trial.state.nodes[name].record.notes if name in trial.state.nodes else ()
        if machine.answers and trial.left_on(name) and "on the node" not in " ".join(notes):
            yield f"{trial.left_on(name)} tasks are left on {name}"


# --- what is said ----------------------------------------------------------------------------------------------------


def _first_cause_stays(course: Course) -> Iterator[str]:
    trial = course.trial
    if len(course.first_causes) > 1:
        said = " then ".join(f"{each.node}: {each.problem.error_id}" for each in course.first_causes)
        yield f"the first cause was {said}"
    for name in course.forgotten:
        yield f"a cause of {name} was forgotten"
    bad = [name for name, status in trial.statuses.items() if status is not SummaryStatus.SUCCEEDED]
    if bad and trial.state.first_cause is None:
        yield f"{', '.join(bad)} did not succeed and there is no first cause"


def _it_ends(course: Course) -> Iterator[str]:
    state = course.trial.state
    if course.endless or state.phase is not RunPhase.ENDED:
        yield f"after {course.events} events, at {state.now}, the run has not ended"


def _same_seed_same_run(course: Course) -> Iterator[str]:
    again = carry_out(course.case, course.policy)
    one, other = (each.trial.journal.content.splitlines() for each in (course, again))
    if one != other:
        line = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        yield f"a second run differs from line {line + 1} of its journal on"


LAWS: tuple[Law, ...] = (
    Law(
        "one-domain",
        clause="No fault domain goes down by our hand while another is down.",
        check=_one_domain_at_a_time,
    ),
    Law(
        "resync",
        clause="No fault domain goes down by our hand while another is resyncing.",
        check=_not_while_resyncing,
    ),
    Law("votes", clause="Votes never below quorum, our next step counted.", check=_votes),
    Law(
        "roles",
        clause="No restart of a node that still owns a role, unless ForcePauseNoDrain says so.",
        check=_no_role_under_a_restart,
    ),
    Law("restart-paused", clause="A node is restarted only while it is paused.", check=_only_paused_nodes_restart),
    Law(
        "left-paused",
        clause="No run ends with a node left paused by us, and where one cannot be reached all says so.",
        check=_nobody_left_paused,
    ),
    Law("others-pauses", clause="A node that an administrator paused stays paused.", check=_others_pauses_stay),
    Law("offered", clause="Nothing is installed that a rescan no longer offers.", check=_only_what_is_offered),
    Law("install-paused", clause="Nothing is installed on a node in service.", check=_only_on_paused_nodes),
    Law("success", clause="Never met: a run that succeeded on an old build.", check=_success_is_true),
    Law(
        "homeless",
        clause="Never met: a role left homeless, unless ForcePauseAndDrain stopped it and the report says so.",
        check=_roles_serve,
    ),
    Law("lock", clause="The lock is given back, or left without a lease for recovery.", check=_lock_given_back),
    Law("leftovers", clause="Nothing of ours stays on a node.", check=_nothing_left_on_nodes),
    Law("first-cause", clause="The first failure is the cause and stays.", check=_first_cause_stays),
    Law("end", clause="The run ends.", check=_it_ends),
)
"""What one run is held to."""

SAME_RUN = Law("same-run", clause="The same seed gives the same run.", check=_same_seed_same_run)
"""What takes a second run to see."""
