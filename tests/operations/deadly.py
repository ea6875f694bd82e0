"""A coordinator as a process of its own that is killed, by SIGKILL, right before or right after one of its actions.

``python -m tests.operations.deadly CLUSTER ACTION before|after``: it runs the cluster, or goes on with the run that is
left there, until it performs an action of that kind, and dies there. A number in the place of ACTION means the event of
that number: it dies before the journal has it, or after.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from cauctl import operations
from cauctl.coordinator import driver
from cauctl.coordinator.actions import Call
from cauctl.coordinator.journal import FileJournal
from cauctl.coordinator.performer import Performer
from cauctl.errors import RunInProgressError
from cauctl.models.options import UpdatingRunOptions


def die() -> None:
    """End as a machine ends whose power fails."""
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(Performer):
    """A performer that ends the process at one of its actions."""

    kind, moment = "", ""

    def perform(self, call: Call, state: object) -> object:
        """Perform, and die when the time has come."""
        due = type(call.action).__name__ == self.kind
        if due and self.moment == "before":
            die()
        answers = super().perform(call, state)
        if due:
            die()
        return answers


class DeadlyJournal(FileJournal):
    """A journal that ends the process at one of its lines."""

    left, moment = 0, ""

    def append(self, record: object) -> None:
        """Write, and die when the time has come."""
        DeadlyJournal.left -= 1
        if DeadlyJournal.left == 0 and self.moment == "before":
            die()
        super().append(record)
        if DeadlyJournal.left == 0:
            die()


def main() -> None:
    """Run until death."""
    cluster, kind, moment = sys.argv[1:4]
    if kind.isdecimal():
        DeadlyJournal.left, DeadlyJournal.moment = int(kind) + 1, moment
        sys.modules["cauctl.operations.run"].FileJournal = DeadlyJournal
    else:
        Deadly.kind, Deadly.moment = kind, moment
        driver.Performer = Deadly
    if operations.status(cluster).lock is None:
        operations.run(UpdatingRunOptions(cluster_name=cluster, force=True))
    else:
        go_on(cluster)


def go_on(cluster: str) -> None:
    """Go on with the run, as soon as its lease has ended."""
    while True:
        try:
            operations.go_on(cluster)
        except RunInProgressError:
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
