"""One list of all that is sent, and that Windows would bind each of it."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest
from everything_sent import every_pipeline

import cauctl.psrp
from cauctl.errors import InputError
from cauctl.psobject import array, clixml, custom_object
from cauctl.psrp.commands import COMMANDS, check, send, send_native
from cauctl.psrp.pipeline import Pipeline, command, native, script

BUILDERS = {"commands.py", "pipeline.py", "__init__.py"}
"""The only modules that may name the builders of commands."""
SENT = every_pipeline()


@pytest.mark.parametrize(
    "unlisted",
    [
        command("Restart-Computer"),
        command("Get-ClusterNode", Cluster="LAB-FC1"),
        command("Add-ClusterGroup", Name="another"),
        command("Get-ClusterNode", "N1"),
        script("Get-ClusterNode"),
        native("cmd.exe", "/c"),
    ],
    ids=str,
)
def test_what_is_not_on_the_list_is_refused(unlisted):
    """A command, a parameter, a constant, a positional argument, a script, a program."""
    with pytest.raises(InputError):
        check(unlisted)


def test_what_is_on_the_list_is_built():
    assert command("Suspend-ClusterNode", Name="N1", Drain=True) == send("Suspend-ClusterNode", Name="N1", Drain=True)
    assert native("shutdown.exe", "/a") == send_native("shutdown.exe", "/a")


def test_no_other_module_builds_commands():
    """So nothing can be sent past the list. Scripts are the user's own and are sent elsewhere."""
    wrong = []
    for path in sorted(Path(cauctl.psrp.__file__).parent.glob("*.py")):
        if path.name in BUILDERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "cauctl.psrp.pipeline":
                wrong += [f"{path.name}: {name.name}" for name in node.names if name.name in {"command", "native"}]
    assert [] == wrong


def test_every_command_on_the_list_is_sent():
    """The list shows what is used, not what once was."""
    sent = {each.name for pipeline in SENT for each in pipeline.commands}
    assert set(COMMANDS) == sent


def test_every_parameter_on_the_list_is_sent():
    sent = {(each.name, name) for pipeline in SENT for each in pipeline.commands for name in each.parameters}
    assert {(known.name, name) for known in COMMANDS.values() for name in known.parameters} == sent


def test_no_command_reaches_beyond_its_node():
    """No second hop, no query text, no code."""
    names = {name for known in COMMANDS.values() for name in known.parameters}
    assert not names & {
        "Cluster",
        "ComputerName",
        "CimSession",
        "Credential",
        "Query",
        "Filter",
        "ScriptBlock",
        "Process",
    }


# ---- Real PowerShell binds each of them, with the metadata of Windows

BIND = r"""
$ErrorActionPreference = 'Stop'
$global:Ran = [System.Collections.Generic.List[string]]::new()
$types = @{
    'Get-CimInstance' = 'Microsoft.Management.Infrastructure.CimInstance'
    'Get-ScheduledTask' = 'Microsoft.Management.Infrastructure.CimInstance#MSFT_ScheduledTask'
    'Get-VirtualDisk' = 'Microsoft.Management.Infrastructure.CimInstance#MSFT_VirtualDisk'
}
$global:Types = $types
$global:CauctlNode = @{
    '*' = {
        param($bound, $cmdlet)
        $name = $cmdlet.MyInvocation.MyCommand.Name
        # Once, however many objects it is given.
        if ($global:Ran.Count -eq 0 -or $global:Ran[-1] -cne $name) { $global:Ran.Add($name) }
        if ($bound.ContainsKey('InputObject')) { return $bound['InputObject'] }
        $answer = [pscustomobject] @{}
        foreach ($property in $global:Wanted.Keys) {
            $note = [System.Management.Automation.PSNoteProperty]::new($property, $global:Wanted[$property])
            $answer.PSObject.Properties.Add($note)
        }
        if ($global:Types.ContainsKey($name)) { $answer.PSObject.TypeNames.Insert(0, $global:Types[$name]) }
        $answer
    }
}
$pipelines = [System.Management.Automation.PSSerializer]::Deserialize([System.IO.File]::ReadAllText('%s'))
foreach ($pipeline in $pipelines) {
    $global:Ran.Clear()
    $global:Wanted = @{ State = 'Stopped' }
    $shell = [powershell]::Create([System.Management.Automation.RunspaceMode]::CurrentRunspace)
    foreach ($command in $pipeline) {
        [void] $shell.AddCommand($command.Name)
        foreach ($parameter in $command.Parameters) { [void] $shell.AddParameter($parameter.Name, $parameter.Value) }
        $where = @{}
        foreach ($parameter in $command.Parameters) { $where[$parameter.Name] = $parameter.Value }
        $chooses = $command.Name -eq 'Where-Object' -and ($where.EQ -or $where.Like)
        if ($chooses) { $global:Wanted[$where.Property] = $where.Value }
    }
    $told = ''
    try { [void] $shell.Invoke() } catch { $told = $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId }
    foreach ($record in $shell.Streams.Error) { $told += $record.FullyQualifiedErrorId }
    $told + '|' + ($global:Ran -join ' ')
}
"""
STUBS = os.environ.get("CAUCTL_STUBS", "")
OWN = {"Get-Command", "Where-Object", "ForEach-Object", "Out-Null"}
"""Commands of the engine itself."""


@pytest.mark.pwsh
@pytest.mark.skipif(not STUBS, reason="no stub modules: CAUCTL_STUBS names no folder")
def test_real_powershell_binds_every_pipeline(pwsh_path, tmp_path):
    """With the parameters of Windows' commands, each command of each pipeline is bound and run."""
    bindable = [pipeline for pipeline in SENT if COMMANDS[pipeline.commands[0].name].module]
    path = tmp_path / "pipelines.clixml"
    path.write_text(clixml.write_clixml([array(map(_described, bindable))]), encoding="utf-8")
    done = subprocess.run(
        [pwsh_path, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", BIND % path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PSModulePath": STUBS},
    )
    expected = [
        "|" + " ".join(each.name for each in pipeline.commands if each.name not in OWN) for pipeline in bindable
    ]
    told = dict(zip(map(str, bindable), done.stdout.splitlines(), strict=False))
    assert "" == done.stderr
    assert dict(zip(map(str, bindable), expected, strict=True)) == told


def _described(pipeline: Pipeline) -> object:
    return array(
        custom_object(
            {
                "Name": each.name,
                "Parameters": array(
                    custom_object({"Name": name, "Value": array(value) if isinstance(value, list) else value})
                    for name, value in each.parameters.items()
                ),
            }
        )
        for each in pipeline.commands
    )
