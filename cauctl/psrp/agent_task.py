"""The scheduled task that runs the node agent, as Task Scheduler's XML, and how the task's state is read.

Rules kept here:

* The task runs as SYSTEM, on demand only, once at a time, on batteries too, without waiting for idle or network, and
  ends at a time limit. It holds no credential.
* Its command line is made of paths of ours alone: the system folder, a hash, and a name of letters, digits, hyphens and
  one dot.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NEVER_RAN", "TASK_PATH", "TASK_STATES", "TIME_LIMIT", "WORKING", "ended_by_force", "task_xml"]

TIME_LIMIT: Final = timedelta(hours=12)
"""After how long Task Scheduler ends an agent; Windows Update itself knows no time limit."""
TASK_PATH: Final = "\\cauctl\\"
"""Folder of our tasks."""
TASK_STATES: Final[Mapping[int, str]] = {0: "Unknown", 1: "Disabled", 2: "Queued", 3: "Ready", 4: "Running"}
WORKING: Final = frozenset({"Queued", "Running"})
"""States of a task whose program runs or is about to."""
NEVER_RAN: Final = 0x41303
"""``LastTaskResult`` of a task that has not run yet (SCHED_S_TASK_HAS_NOT_RUN)."""

_ENDED_BY_FORCE: Final = frozenset(
    {
        0x41301,  # said to be running still: the node went down under it
        0x41306,  # ended by a person or at its time limit
        0x40010004,  # process terminated
        0xC000013A,  # ended as by Ctrl-C
        0xC000026B,  # could not start, the node was shutting down
        0x8007045B,  # shutdown in progress
        0x8007042B,  # process terminated unexpectedly
    }
)

_TEMPLATE: Final = """\
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>cauctl</Author>
    <Description>Windows Update work of a cluster update run. Removed when the run has collected it.</Description>
  </RegistrationInfo>
  <Principals>
    <Principal id="System">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <AllowHardTerminate>true</AllowHardTerminate>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <StartWhenAvailable>false</StartWhenAvailable>
    <WakeToRun>false</WakeToRun>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <ExecutionTimeLimit>PT{seconds}S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <Hidden>false</Hidden>
    <Enabled>true</Enabled>
  </Settings>
  <Actions Context="System">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def task_xml(*, powershell: str, agent: str, folder: str, time_limit: timedelta) -> str:
    """Describe the task that runs the file ``agent`` on the request in ``folder``; all three are paths on the node."""
    arguments = f'-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{agent}" -Folder "{folder}"'
    return _TEMPLATE.format(
        seconds=int(time_limit.total_seconds()), command=escape(powershell), arguments=escape(arguments)
    )


def ended_by_force(last_task_result: int) -> bool:
    """Whether a ``LastTaskResult`` says that the program was ended from outside, so that trying again makes sense."""
    return last_task_result in _ENDED_BY_FORCE
