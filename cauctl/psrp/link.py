"""One node of the cluster as we reach it: a session that is proved to be with that node before anything is asked.

Rules kept here:

* A new session is first asked for its computer's name and its cluster. Another computer under a node's address, or a
  node of another cluster, is refused: a restart sent to the wrong machine cannot be taken back.
* A node whose cluster service does not run cannot say which cluster it belongs to. It may still be asked about itself;
  it does not speak for the cluster until it could say.
* Trying to open a session ends soon where nobody answered the last time: a node that restarts is asked often. Who has
  another node to ask does not insist: one try, and that says nothing about how long to try the next time.
"""

from __future__ import annotations

import ipaddress
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from cauctl.errors import (
    ClusterError,
    FateUnknownError,
    NodeError,
    NodeUnreachableError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
)
from cauctl.psrp.answers import Answer, answers
from cauctl.psrp.wording import wording_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult

__all__ = ["Link", "Session", "is_address", "same_cluster"]

FIRST_TRY: Final = timedelta(seconds=15)
"""How long to try to open a session with a node that is expected to answer."""
NEXT_TRY: Final = timedelta(seconds=3)
"""The same for a node where nobody answered the last time."""
IDENTITY: Final = timedelta(seconds=60)
"""Deadline of the questions who a node is; the CIM service of a node that just started is slow."""

_NOT_SHOWN: Final = "CommandNotFoundException"
_OTHER_ENDPOINT: Final = {
    False: "This endpoint does not show Windows' commands. If it has the module of cauctl jea export, say jea = true.",
    True: "This endpoint does not show the functions of cauctl jea export. Install the module there, or leave jea out.",
}
_BROKEN = (FateUnknownError, SessionLostError, OperationTimeoutError)


class Session(Protocol):
    """What is used of :class:`~cauctl.psrp.session.NodeSession`."""

    @property
    def is_open(self) -> bool:
        """Whether a session is open, as far as is known."""

    def open(self, within: timedelta, *, insist: bool = True) -> None:
        """Open the session; without ``insist`` by a single try that gives up soon where nobody answers."""

    def run(
        self,
        pipeline: Pipeline | Command,
        *,
        within: timedelta,
        on_output: Callable[[list[Any]], None] | None = None,
        collect_errors: bool = False,
    ) -> PipelineResult:
        """Run a pipeline."""

    def close(self) -> None:
        """Remove the session."""

    def retire(self) -> None:
        """Remove the session for good and soon, whatever runs in it."""


class Link:
    """A verified session with one node.

    Args:
        connection: how to reach it.
        cluster: name of the cluster that it must belong to.
        open_session: makes a session of a connection.
        any_name: True where the connection names an address rather than a node, so that the name is learnt.
    """

    def __init__(
        self,
        connection: NodeConnection,
        *,
        cluster: str,
        open_session: Callable[[NodeConnection], Session],
        any_name: bool = False,
    ) -> None:
        self.connection = connection
        self.name = connection.node
        """The node's name: the computer's own, once it was asked."""
        self.speaks_for_cluster = False
        """True once the node named our cluster as its own in this session."""
        self._cluster = cluster
        self._say = wording_for(connection)
        self._name_is_known = not any_name
        self._session = open_session(connection)
        self._opening = threading.Lock()
        self._patience = FIRST_TRY

    def __repr__(self) -> str:
        state = "open" if self._session.is_open else "closed"
        return f"<Link {self.name} {state}{', speaks for the cluster' if self.speaks_for_cluster else ''}>"

    @property
    def name_is_known(self) -> bool:
        """False for an address that was never asked which node it is."""
        return self._name_is_known

    @property
    def is_expected(self) -> bool:
        """False where nobody answered the last time, or the node was announced to go down."""
        return self._patience == FIRST_TRY

    def run(
        self, pipeline: Pipeline | Command, *, within: timedelta, collect_errors: bool = False, insist: bool = True
    ) -> PipelineResult:
        """Run a pipeline in the session, which is opened and verified first when it is not open."""
        self._ensure(insist=insist)
        return self._session.run(pipeline, within=within, collect_errors=collect_errors)

    def verify_cluster(self, *, insist: bool = True) -> None:
        """Make sure that the node speaks for our cluster; RemoteError when its cluster service does not answer."""
        self._ensure(insist=insist)
        if not self.speaks_for_cluster:
            self._check_cluster()

    def close(self) -> None:
        """Drop the session."""
        self.speaks_for_cluster = False
        self._session.close()

    def retire(self) -> None:
        """Drop the session for good and soon."""
        self.speaks_for_cluster = False
        self._session.retire()

    def expect_silence(self) -> None:
        """Know that the node goes down now, so that asking it again does not wait long."""
        self._patience = NEXT_TRY

    def _ensure(self, *, insist: bool) -> None:
        with self._opening:
            if self._session.is_open:
                return
            self.speaks_for_cluster = False
            try:
                self._greet(insist=insist)
            except SessionBusyError:
                raise
            except NodeUnreachableError:
                if insist:
                    self._patience = NEXT_TRY
                raise
            except _BROKEN as error:
                # Somebody answers, if slowly: the next try gets its full time.
                self._patience = FIRST_TRY
                self._session.close()
                raise NodeUnreachableError(
                    f"it did not say who it is ({error.message}); nothing else was sent.",
                    node=self.name,
                    advice=error.advice,
                ) from error
            except Exception:
                self._session.close()
                raise
            except BaseException:  # an interrupt, which a node that hangs does not hold up
                self._session.retire()
                raise
            self._patience = FIRST_TRY

    def _greet(self, *, insist: bool) -> None:
        self._session.open(within=self._patience, insist=insist)
        self._check_name()
        self._ask_cluster()

    def _check_name(self) -> None:
        name = self._ask_name()
        if not self._name_is_known or name.casefold() == self.name.partition(".")[0].casefold():
            self.name, self._name_is_known = name, True
            return
        raise NodeError(
            f"{self.connection.address}: the computer {name} answers where the node {self.name} was expected.",
            node=self.name,
            advice="Nothing was done there. Correct the node's address in the cluster's entry or in DNS.",
            error_id="NodeNameMismatch",
        )

    def _ask_name(self) -> str:
        try:
            return self._one(self._say.who_are_you).text("CSName")
        except RemoteError as error:
            if error.fully_qualified_error_id.partition(",")[0] == _NOT_SHOWN:
                error.advice = _OTHER_ENDPOINT[self.connection.jea]
            raise

    def _ask_cluster(self) -> None:
        try:
            self._check_cluster()
        except RemoteError:
            return  # the cluster service does not run; the node can still be asked about itself

    def _check_cluster(self) -> None:
        answer = self._one(self._say.which_cluster)
        name, domain = answer.text("Name"), answer.text("Domain")
        if not same_cluster(self._cluster, name, domain):
            raise ClusterError(
                f"{self.name} is a node of the cluster {name}, not of {self._cluster}.",
                cluster=self._cluster,
                advice="Nothing was done there. Give an entry node of the cluster you mean.",
                error_id="ClusterNameMismatch",
            )
        self.speaks_for_cluster = True

    def _one(self, pipeline: Pipeline) -> Answer:
        output = self._session.run(pipeline, within=IDENTITY).output
        command = pipeline.commands[0].name
        if not output:
            raise NodeError(f"{self.name}: {command} gave no answer.", node=self.name)
        return answers(output[:1], node=self.name, command=command)[0]


def same_cluster(asked: str, name: str, domain: str) -> bool:
    """Whether ``asked``, a cluster's name with or without its domain, means this cluster."""
    wanted = asked.casefold().rstrip(".")
    return wanted in {name.casefold(), f"{name}.{domain}".casefold().rstrip(".")}


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address rather than a name."""
    try:
        ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
