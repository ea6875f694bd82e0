"""The course of one run in one made-up world: carried out, remembered, and written down so that it can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import Factory, define, field, frozen

from cauctl.coordinator.machine import Machine, step
from cauctl.coordinator.performer import Ports
from cauctl.coordinator.state import Cause, RunState
from cauctl.lab.world import World
from cauctl.lab.world.script import IMPORTS, as_code
from tests.laws.worlds import Case
from tests.trial import Trial

ENDLESS_EVENTS = 12_000
"""Events after which a run is taken to go on for ever; the longest that ends has a fourth of them."""
ENDLESS_TIME = timedelta(days=4)
"""The limits of all waits of sixteen nodes, one after the other, do not add up to it by far."""


def honest(ports: Ports, _world: World) -> Ports:
    """Show the world as it is."""
    return ports


@frozen
class Policy:
    """Who decides, and what he sees: the product's own rules unless something else is said."""

    name: str = "right"
    """What it gets wrong."""
    machine: Callable[[], Machine] = field(default=lambda: step, kw_only=True)
    """Makes what decides; anew for each run."""
    eyes: Callable[[Ports, World], Ports] = field(default=honest, kw_only=True)
    """Gives what it sees of the world, and how it acts on it."""
    options: dict[str, object] = field(factory=dict, kw_only=True)
    """Settings that it insists on."""


RIGHT = Policy()


@define
class Course:
    """What came of a run."""

    case: Case
    trial: Trial
    policy: Policy = field(default=RIGHT, kw_only=True)
    events: int = field(default=0, kw_only=True)
    endless: bool = field(default=False, kw_only=True)
    """The run was ended because it would not end."""
    first_causes: list[Cause] = field(default=Factory(list), kw_only=True)
    """What the run named as its first cause, one after the other."""
    causes: dict[str, tuple[Cause, ...]] = field(default=Factory(dict), kw_only=True)
    """What each node was last blamed for."""
    forgotten: list[str] = field(default=Factory(list), kw_only=True)
    """Nodes that were blamed for something and then were not any more."""

    def asked(self, option: str, *, default: object) -> object:
        """Give a setting of the run."""
        return {**self.case.options, **self.policy.options}.get(option, default)

    @property
    def refused(self) -> bool:
        """Whether the run did not begin."""
        return self.trial.state.refusal is not None

    def watch(self, _event: object, state: RunState) -> None:
        """Remember what a later event could change."""
        self.events += 1
        cause = state.first_cause
        if cause is not None and (not self.first_causes or self.first_causes[-1] is not cause):
            self.first_causes.append(cause)
        for name, node in state.nodes.items():
            known, now = self.causes.get(name, ()), node.record.causes
            if now is not known:
                if now[: len(known)] != known:
                    self.forgotten.append(name)
                self.causes[name] = now
        begun = state.started
        if self.events > ENDLESS_EVENTS or (begun and state.now and state.now - begun > ENDLESS_TIME):
            self.endless = True
            self.trial.switch.detach()


def prepare(case: Case) -> Trial:
    """Make the world and let the troubles come."""
    trial = Trial(case.scenario, seed=case.seed)
    for trouble in case.troubles:
        trouble.plan(trial.world)
    return trial


def carry_out(case: Case, policy: Policy = RIGHT) -> Course:
    """Run in the world, to the end or until it is clear that there is none."""
    trial = prepare(case)
    course = Course(case, trial, policy=policy)
    trial.run(
        ports=policy.eyes(trial.ports, trial.world),
        machine=policy.machine(),
        on_event=course.watch,
        **{**case.options, **policy.options},
    )
    return course


_SCRIPT = """\
{imports}
from cauctl.models.enums import FailbackType
from tests.laws.course import carry_out
from tests.laws.invariants import breaches
from tests.laws.worlds import Case, Trouble
{more}
case = {case}
course = carry_out(case{policy})
print(*breaches(course), sep="\\n")
"""


def script(case: Case, policy: Policy = RIGHT) -> str:
    """Give Python that plays a run again and says what it breaks."""
    wrong = policy is not RIGHT
    return _SCRIPT.format(
        imports=IMPORTS.rstrip(),
        more="from tests.laws.wrong_policies import WRONG\n" if wrong else "",
        case=as_code(case),
        policy=f", WRONG[{policy.name!r}]" if wrong else "",
    )
