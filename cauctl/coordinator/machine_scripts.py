"""The user's scripts: one before the gates are asked and the node is paused, one right after it was resumed.

A pre-update script that fails ends the attempt before anything was done to the node. A post-update script runs after
every resume, also where the attempt is being undone: what the script before has switched off wants to be on again. When
it alone has failed, it alone is tried again. Their time counts for StopAfter; a script is not begun once the run stops,
and the first one never outlasts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.actions import Action, RunScript
from cauctl.coordinator.events import CallFailed, Event, ScriptRan
from cauctl.coordinator.machine_attempt import cancel, close_attempt, stop_problem
from cauctl.coordinator.problems import ProblemKind
from cauctl.coordinator.state import NodeWork, Phase
from cauctl.coordinator.stop import stop_in_time
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.scripts import ScriptPlace

if TYPE_CHECKING:
    from datetime import timedelta

    from cauctl.coordinator.problems import Problem
    from cauctl.models.scripts import ScriptFile, ScriptOutcome

__all__ = ["POST_SCRIPT", "PRE_SCRIPT", "begin_turn"]

_LONGEST_NOTE = 300


def begin_turn(turn: Turn, node: NodeWork) -> None:
    """Let the node's turn begin: with the script, where there is one."""
    turn.go(node, Phase.PRE_SCRIPT if turn.settings.pre_script else Phase.CHECKING)


# --- before ----------------------------------------------------------------------------------------------------------


def _enter_before(turn: Turn, node: NodeWork) -> None:
    script = turn.settings.pre_script
    if script is None:
        turn.go(node, Phase.CHECKING)
        return
    _run(turn, node, ScriptPlace.PRE_UPDATE, script, within=_time_left(turn))


def _time_left(turn: Turn) -> timedelta:
    run, limit = turn.run, turn.limits.script
    stop_after = turn.settings.stop_after
    if stop_after is None or run.started is None:
        return limit
    return max(min(limit, run.started + stop_after - turn.at), turn.limits.poll)


def _ran_before(turn: Turn, node: NodeWork, event: Event) -> None:
    if not isinstance(event, ScriptRan):
        return
    node = _note(turn, node, event)
    stop_in_time(turn)
    if turn.stopping:
        cancel(turn, node, stop_problem(turn.run))
    elif event.outcome.failure is not None:
        turn.fail(node, _failed("PreUpdateScriptFailed", node, event.place, event.outcome))
    else:
        turn.go(node, Phase.CHECKING)


def _call_failed_before(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    _call_failed(turn, node, event, action, "PreUpdateScriptFailed")


PRE_SCRIPT = Rules(_enter_before, _ran_before, _call_failed_before)


# --- after -----------------------------------------------------------------------------------------------------------


def _enter_after(turn: Turn, node: NodeWork) -> None:
    script = turn.settings.post_script
    if script is None:
        close_attempt(turn, node)
        return
    _run(turn, node, ScriptPlace.POST_UPDATE, script, within=turn.limits.script)


def _ran_after(turn: Turn, node: NodeWork, event: Event) -> None:
    if not isinstance(event, ScriptRan):
        return
    node = _note(turn, node, event)
    if event.outcome.failure is not None:
        node = turn.blame(node, _failed("PostUpdateScriptFailed", node, event.place, event.outcome))
    close_attempt(turn, node)


def _call_failed_after(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    _call_failed(turn, node, event, action, "PostUpdateScriptFailed")


POST_SCRIPT = Rules(_enter_after, _ran_after, _call_failed_after)


# --- both ------------------------------------------------------------------------------------------------------------


def _run(turn: Turn, node: NodeWork, place: ScriptPlace, script: ScriptFile, *, within: timedelta) -> None:
    node = turn.wait_for(node, node.phase.value, f"the {place.value} script runs: {script.path}", within)
    turn.call(node, RunScript(node.name, place=place, script=script, within=within))


def _call_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action, error_id: str) -> None:
    """Ask again only where nothing was sent: a script that may have run is not run twice in one attempt."""
    why = event.problem
    if why.kind is ProblemKind.UNREACHABLE or why.kind.hopeless:
        settle_call(turn, node, event, action)
        return
    may = "; it may have run" if why.kind.passing else ""
    turn.fail(node, evolve(why, error_id=error_id, message=f"{_name(node)} has no known end{may}: {why.message}"))


def _name(node: NodeWork) -> str:
    place = ScriptPlace.PRE_UPDATE if node.phase is Phase.PRE_SCRIPT else ScriptPlace.POST_UPDATE
    return f"The {place.value} script on {node.name}"


def _failed(error_id: str, node: NodeWork, place: ScriptPlace, outcome: ScriptOutcome) -> Problem:
    left = " The node was not updated." if place is ScriptPlace.PRE_UPDATE else ""
    return problem(
        error_id,
        f"{_name(node)} failed: {outcome.failure}{left}",
        advice="Its output stands in the history of the run. Mend the script, or what it looks at.",
        category="InvalidResult",
    )


def _note(turn: Turn, node: NodeWork, event: ScriptRan) -> NodeWork:
    """Note the first of the errors that did not end the script; all of them stand in the journal."""
    errors = event.outcome.errors
    if not errors:
        return node
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return turn.note(node, f"The {event.place.value} script wrote: {errors[0]:.{_LONGEST_NOTE}}{more}")
