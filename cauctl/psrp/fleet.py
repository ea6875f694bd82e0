"""The nodes of one cluster as we reach them: a session for each, and a choice of the one to ask for the cluster.

Rules kept here:

* Nodes are connected to by their own names, never the cluster's. A node's connection is the one that was configured for
  it, else that of the first entry with ``<name>.<domain of the cluster>`` as its address.
* The cluster is asked through one entry node, the last one that answered, and through others when that one does not or
  is to be avoided. Which nodes there are is learnt from the cluster. An entry node that does not answer is left at once
  while another one may; only the last of those that may is tried for as long as a session takes.
* A question may go to one node after the other. A command that changes something goes to another node only if nothing
  was sent; where its fate is unknown the caller's look decides, and it is never repeated blindly.
* A refused credential ends everything at once: trying it elsewhere locks accounts.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauctl.errors import (
    AuthenticationError,
    CauError,
    ClusterError,
    FateUnknownError,
    InputError,
    OperationCancelledError,
    OperationTimeoutError,
    RemoteError,
    SessionLostError,
    TlsError,
    TransportError,
)
from cauctl.psrp.link import Link, Session, is_address
from cauctl.psrp.session import NodeSession
from cauctl.psrp.wording import wording_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult

__all__ = ["ACT", "LOOK", "Fleet"]

LOOK: Final = timedelta(seconds=60)
"""Deadline of a question."""
ACT: Final = timedelta(minutes=2)
"""Deadline of a command that changes something; all of them return before the change is complete."""
MOST_AT_ONCE: Final = 64
"""Nodes that are asked at the same time: as many as a cluster may have."""

_UNKNOWN_FATE = (FateUnknownError, SessionLostError, OperationTimeoutError)


class Fleet:
    """Sessions with the nodes of one cluster. Safe to use from several threads.

    Args:
        cluster: the cluster's name, with or without its domain; every node is held to it.
        entries: connections that are known beforehand, at least one; the first is the pattern for nodes that have none.
        open_session: makes a session of a connection.
    """

    def __init__(
        self,
        cluster: str,
        entries: Sequence[NodeConnection],
        *,
        open_session: Callable[[NodeConnection], Session] = NodeSession,
    ) -> None:
        if not entries:
            raise InputError(f"no node of the cluster {cluster} is known", where="connection", expected="an entry node")
        if len({entry.jea for entry in entries}) > 1:
            raise InputError(
                f"of the nodes of {cluster} some are reached by an endpoint without language and some by another",
                where="connection",
                expected="jea for all of them or for none",
            )
        self.cluster = cluster
        self.jea = entries[0].jea
        """Whether the nodes show functions of ours only."""
        self.wording = wording_for(entries[0])
        """How the nodes are asked."""
        self._pattern = entries[0]
        self._open_session = open_session
        self._lock = threading.Lock()
        self._domain = ""
        self._avoided: frozenset[str] = frozenset()
        self._silent: set[str] = set()
        self._favourite: Link | None = None
        self._spares: list[Link] = []
        self._links = {_key(entry.node): self._new_link(entry, any_name=_names_address(entry)) for entry in entries}

    def __repr__(self) -> str:
        return f"<Fleet {self.cluster}: {', '.join(map(repr, self._links.values()))}>"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes that are known, in the cluster's order once it was asked."""
        with self._lock:
            return tuple(link.name for link in self._links.values())

    @property
    def connections(self) -> tuple[NodeConnection, ...]:
        """How each node that is known is reached, in the same order."""
        with self._lock:
            return tuple(link.connection for link in self._links.values())

    def learn(self, names: Sequence[str], *, domain: str, down: Iterable[str] = ()) -> None:
        """Take over which nodes the cluster has, and which of them cannot speak for it now."""
        with self._lock:
            self._domain = domain
            before = [*self._links.values(), *self._spares]
            known = {_key(link.name): link for link in before if link.name_is_known}
            self._links = {_key(name): known.get(_key(name)) or self._new_link(self._derived(name)) for name in names}
            self._spares = [link for link in before if not link.name_is_known]
            self._silent = {_key(name) for name in down}
            gone = [link for link in known.values() if link not in self._links.values()]
        for link in gone:
            link.close()

    def avoid(self, nodes: Iterable[str]) -> None:
        """Ask through other nodes than these from now on, as far as any other answers."""
        with self._lock:
            self._avoided = frozenset(map(_key, nodes))

    def forget(self, node: str) -> None:
        """Drop the session with a node."""
        self._link(node).close()

    def connection_to(self, node: str) -> NodeConnection:
        """Say how a node is reached."""
        return self._link(node).connection

    def expect_silence(self, node: str) -> None:
        """Know that a node goes down now: whoever asks it meanwhile is told soon that nobody answers."""
        self._link(node).expect_silence()

    def close(self) -> None:
        """Drop all sessions for good, at the same time; what runs in them is cancelled, so it takes a second or two."""
        with self._lock:
            links = [*self._links.values(), *self._spares]
        with ThreadPoolExecutor(min(len(links), MOST_AT_ONCE), thread_name_prefix="cauctl-close") as pool:
            for _ in pool.map(Link.retire, links):
                pass

    # ---- One node

    def look_on(
        self, node: str, pipeline: Pipeline | Command, *, within: timedelta = LOOK, collect_errors: bool = False
    ) -> PipelineResult:
        """Ask a node a question; asked once more in a new session when the way broke."""
        return self._look(self._link(node), pipeline, within=within, collect_errors=collect_errors)

    def act_on(
        self, node: str, pipeline: Pipeline | Command, *, within: timedelta = ACT, collect_errors: bool = False
    ) -> PipelineResult:
        """Let a node do something, once; a failure of the way says whether anything was sent."""
        return self._link(node).run(pipeline, within=within, collect_errors=collect_errors)

    def look_everywhere(
        self, pipeline: Pipeline | Command, *, within: timedelta = LOOK
    ) -> dict[str, PipelineResult | CauError]:
        """Ask all nodes the same question at the same time; what went wrong stands in the place of an answer."""

        def ask(node: str) -> PipelineResult | CauError:
            try:
                return self.look_on(node, pipeline, within=within)
            except CauError as error:
                return error

        nodes = self.nodes
        pool = ThreadPoolExecutor(min(len(nodes), MOST_AT_ONCE), thread_name_prefix="cauctl-look")
        try:
            return dict(zip(nodes, pool.map(ask, nodes), strict=True))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who is interrupted does not wait for nodes that hang

    # ---- The cluster

    def look(self, pipeline: Pipeline | Command, *, within: timedelta = LOOK) -> tuple[str, PipelineResult]:
        """Ask the cluster a question through any node that speaks for it; gives that node's name and the answer.

        Raises:
            ClusterError: no node answers for the cluster, or one belongs to another.
            RemoteError: the question itself failed.
            AuthenticationError, TlsError, OperationCancelledError: as they came.
        """
        return self._through_entries(
            lambda link, insist: self._look(link, pipeline, within=within, insist=insist), repeatable=True
        )

    def act(
        self, pipeline: Pipeline | Command, *, done: Callable[[], bool], within: timedelta = ACT
    ) -> PipelineResult | None:
        """Let the cluster do something through any node that speaks for it.

        ``done`` looks whether it is done; it is asked when the command failed or its fate is unknown, and then None is
        returned. Found undone, it goes once more if the session or the cluster service of the entry node was gone.
        """
        used: list[Link] = []

        def work(link: Link, insist: bool) -> PipelineResult:  # noqa: FBT001  called by position alone
            used.append(link)
            return link.run(pipeline, within=within, insist=insist)

        while True:
            try:
                return self._through_entries(work, repeatable=False)[1]
            except (*_UNKNOWN_FATE, RemoteError) as error:
                try:
                    if done():
                        return None
                except CauError as unseen:
                    raise error from unseen
                if len(used) > 1 or not self._may_repeat(error, used[-1]):
                    raise

    # ---- Inside

    def _through_entries(
        self, work: Callable[[Link, bool], PipelineResult], *, repeatable: bool
    ) -> tuple[str, PipelineResult]:
        """Let an entry node work; ``work`` is told whether to insist on a session with that node."""
        failures: list[CauError] = []
        order = self._entry_order()
        last_hope = self._last_hope(order)
        for link in order:
            verified, insist = False, link is last_hope
            try:
                link.verify_cluster(insist=insist)
                verified = True
                result = work(link, insist)
            except (AuthenticationError, OperationCancelledError):
                raise
            except TransportError as error:
                if verified and not repeatable and isinstance(error, _UNKNOWN_FATE):
                    raise
                failures.append(error)
            except RemoteError as error:
                if verified and (not repeatable or self._speaks(link)):
                    raise
                failures.append(error)
            else:
                self._note_answered(link)
                return link.name, result
            self._note_silent(link)
        raise self._nobody(failures)

    def _look(
        self,
        link: Link,
        pipeline: Pipeline | Command,
        *,
        within: timedelta,
        collect_errors: bool = False,
        insist: bool = True,
    ) -> PipelineResult:
        try:
            return link.run(pipeline, within=within, collect_errors=collect_errors, insist=insist)
        except (FateUnknownError, SessionLostError):
            return link.run(pipeline, within=within, collect_errors=collect_errors, insist=insist)

    def _may_repeat(self, error: CauError, link: Link) -> bool:
        """Whether a command that a look found undone may go once more: its session or its entry node was gone."""
        if isinstance(error, RemoteError):
            if self._speaks(link):
                return False
            self._note_silent(link)
            return True
        return isinstance(error, SessionLostError)

    def _speaks(self, link: Link) -> bool:
        """Whether the node still answers for the cluster, so that the fault lies in what was asked."""
        try:
            link.run(self.wording.which_cluster, within=LOOK)
        except (RemoteError, TransportError):
            return False
        return True

    def _entry_order(self) -> list[Link]:
        with self._lock:
            favourite = self._favourite
            return sorted(
                [*self._links.values(), *self._spares],
                key=lambda link: (
                    _key(link.name) in self._avoided,
                    _key(link.name) in self._silent,
                    link is not favourite,
                ),
            )

    def _last_hope(self, order: list[Link]) -> Link:
        """Name the last entry that is expected to answer: behind it there is nobody better to move on to."""
        with self._lock:
            expected = [link for link in order if link.is_expected and _key(link.name) not in self._silent]
        return (expected or order)[-1]

    def _note_answered(self, link: Link) -> None:
        with self._lock:
            self._favourite = link
            self._silent.discard(_key(link.name))

    def _note_silent(self, link: Link) -> None:
        with self._lock:
            self._silent.add(_key(link.name))

    def _nobody(self, failures: list[CauError]) -> CauError:
        if all(isinstance(failure, TlsError) for failure in failures):
            return failures[0]
        told = " ".join(failure.message for failure in failures)
        error = ClusterError(
            f"no node answers for the cluster {self.cluster}. {told}",
            cluster=self.cluster,
            advice=next((failure.advice for failure in failures if failure.advice), None),
            error_id="ClusterUnreachable",
            category="ConnectionError",
        )
        error.__cause__ = failures[0]
        return error

    def _link(self, node: str) -> Link:
        with self._lock:
            link = self._links.get(_key(node))
            if link is None:
                link = next((other for other in self._links.values() if _key(other.name) == _key(node)), None)
            if link is None:
                link = self._links[_key(node)] = self._new_link(self._derived(node))
            return link

    def _derived(self, name: str) -> NodeConnection:
        address = f"{name}.{self._domain}" if self._domain else name
        return self._pattern.evolve(node=name, address=address, certificate_name=None, kerberos_host=None)

    def _new_link(self, connection: NodeConnection, *, any_name: bool = False) -> Link:
        return Link(connection, cluster=self.cluster, open_session=self._open_session, any_name=any_name)


def _key(name: str) -> str:
    return name.casefold() if is_address(name) else name.partition(".")[0].casefold()


def _names_address(entry: NodeConnection) -> bool:
    """Whether an entry gives a host to connect to and does not say which node that is."""
    return entry.address.casefold() == entry.node.casefold() and (is_address(entry.node) or "." in entry.node)
