"""A node endpoint with a few commands, and the unmodified pypsrp client that speaks to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pypsrp.complex_objects import GenericComplexObject
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from cauctl.lab.dispatch import BoundCall, CommandContext, CommandError, CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.engine_commands import engine_commands
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.psobject import custom_object

USER, PASSWORD = "CONTOSO\\admin", "correct horse"
CREDENTIALS = Credentials({USER: PASSWORD})
CLUSTER_NODE = "Microsoft.FailoverClusters.PowerShell.ClusterNode"


@dataclass
class Result:
    """What a pipeline gave, in plain values."""

    output: list = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """FullyQualifiedErrorIds."""
    warnings: list[str] = field(default_factory=list)
    verbose: list[str] = field(default_factory=list)
    information: list[str] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    state: int = 0


COMPLETED, STOPPED, FAILED = 4, 3, 5


def node_table(calls: list[BoundCall] | None = None) -> CommandTable:  # noqa: C901  a list of small commands
    """Commands of a node for tests; ``calls`` collects what they were called with."""
    table = CommandTable(engine_commands())
    seen = [] if calls is None else calls

    @table.command("Get-ClusterNode")
    def get_cluster_node(_ctx: CommandContext, call: BoundCall) -> Iterator[object]:
        seen.append(call)
        for name in call.get("Name") or ["NODE1", "NODE2"]:
            yield custom_object({"Name": name, "State": "Up"}, type_name=CLUSTER_NODE)

    @table.command("Suspend-ClusterNode")
    def suspend_cluster_node(_ctx: CommandContext, call: BoundCall) -> list[object]:
        seen.append(call)
        return [f"suspended {call.get('InputObject')['Name'] if call.input else call.get('Name')[0]}"]

    @table.command("Get-Item")
    def get_item(ctx: CommandContext, call: BoundCall) -> Iterator[object]:
        seen.append(call)
        ctx.warning("careful")
        ctx.verbose("looking")
        ctx.information("by the way")
        ctx.progress("Searching", percent=50)
        missing = CommandError(
            "Cannot find path 'C:\\x' because it does not exist.",
            error_id="PathNotFound",
            category="ObjectNotFound",
            exception_type="System.Management.Automation.ItemNotFoundException",
            target="C:\\x",
        )
        ctx.error(missing)
        yield "after the error"

    @table.command("Get-Content")
    def get_content(_ctx: CommandContext, _call: BoundCall) -> Iterator[object]:
        yield "first"
        raise CommandError("It broke.", error_id="Broke", category="ReadError", hresult=0x80070005)

    @table.command("Get-ChildItem")
    def get_child_item(_ctx: CommandContext, call: BoundCall) -> Iterator[object]:
        yield from (f"item {number} {'x' * 100}" for number in range(int(call.get("Filter") or 5)))

    @table.command("Unregister-ScheduledTask")
    def unregister(_ctx: CommandContext, call: BoundCall) -> None:
        seen.append(call)

    @table.command("Get-Process")
    def get_process(ctx: CommandContext, _call: BoundCall) -> list[object]:
        ctx.session["count"] = ctx.session.get("count", 0) + 1
        return [custom_object({"node": ctx.node, "user": ctx.user, "count": ctx.session["count"]})]

    @table.command("Get-Service")
    def get_service(_ctx: CommandContext, _call: BoundCall) -> None:
        raise ZeroDivisionError("a bug of a handler")

    @table.native("shutdown.exe")
    def shutdown(_ctx: CommandContext, call: BoundCall) -> list[object]:
        return [" ".join(map(str, call.arguments))]

    @table.script("exit 3")
    def exit_three(_ctx: CommandContext, _call: BoundCall) -> list[object]:
        return ["accepted"]

    return table


def sleep_seconds(seconds: float) -> tuple[str, dict[str, object]]:
    """A command that takes this long."""
    return "Start-Sleep", {"Milliseconds": int(timedelta(seconds=seconds) / timedelta(milliseconds=1))}


@contextmanager
def serving(**options: object) -> Iterator[NodeEndpoint]:
    """One node that listens; no thread outlives it."""
    before = set(threading.enumerate())
    with EndpointLoop() as loop:
        settings = {"commands": node_table(), "credentials": CREDENTIALS, **options}
        node = NodeEndpoint("NODE1", loop=loop, **settings)
        node.start()
        yield node
    assert set(threading.enumerate()) - before == set()


def wsman(node: NodeEndpoint, **options: object) -> WSMan:
    """The unmodified client; by default plain HTTP and basic."""
    settings = {
        "port": node.port,
        "ssl": False,
        "auth": "basic",
        "encryption": "never",
        "username": USER,
        "password": PASSWORD,
        "no_proxy": True,
        "connection_timeout": 5,
        "read_timeout": 10,
        **options,
    }
    return WSMan("127.0.0.1", **settings)


@contextmanager
def pool_on(node: NodeEndpoint, **options: object) -> Iterator[RunspacePool]:
    """An open runspace pool."""
    with wsman(node, **options) as client, RunspacePool(client) as pool:
        yield pool


def pipeline(pool: RunspacePool, *commands: str | tuple[str, dict[str, object]] | tuple[str, dict, list]) -> PowerShell:
    """A pipeline of commands, each a name or a name with parameters and arguments."""
    shell = PowerShell(pool)
    for command in commands:
        name, parameters, arguments = (command, {}, []) if isinstance(command, str) else (*command, [])[:3]
        shell.add_cmdlet(name)
        for key, value in parameters.items():
            shell.add_parameter(key, value)
        for value in arguments:
            shell.add_argument(value)
    return shell


def result_of(shell: PowerShell) -> Result:
    """What a finished pipeline gave."""
    streams = shell.streams
    return Result(
        output=[plain(value) for value in shell.output],
        errors=[record.fq_error for record in streams.error],
        warnings=[str(record) for record in streams.warning],
        verbose=[str(record) for record in streams.verbose],
        information=[record.message_data for record in streams.information],
        progress=[record.activity for record in streams.progress],
        state=shell.state,
    )


def plain(value: object) -> object:
    """An object of pypsrp as a dictionary of its properties."""
    if isinstance(value, GenericComplexObject):
        return {**value.adapted_properties, **value.extended_properties}
    return value


def run(pool: RunspacePool, *commands: object, piped: list[object] | None = None) -> Result:
    """Run a pipeline to its end."""
    shell = pipeline(pool, *commands)
    try:
        shell.invoke(input=piped)
        return result_of(shell)
    finally:
        if shell.state in {COMPLETED, FAILED, STOPPED}:
            shell.close()
