# Makes a session of a lab's node: the lab's commands, the few of the engine that they need, and nothing else.
#
# Run by `pwsh -s -c` in each session before the client's first pipeline. Afterwards the session has no language, no
# programs and no scripts, as an endpoint of Windows without language has; so nothing that a client sends can reach the
# computer that the lab runs on.
param([string[]] $Visible, [string[]] $Modules)
$ErrorActionPreference = 'Stop'
[System.Environment]::SetEnvironmentVariable('PSModulePath', [System.IO.Path]::Combine($PSScriptRoot, 'modules'))
$global:PSModuleAutoLoadingPreference = 'None'

$utility = [System.IO.Path]::Combine($PSHOME, 'Modules', 'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Utility.psd1')
if ([System.IO.File]::Exists($utility)) { Import-Module $utility }
else { Import-Module ([System.IO.Path]::Combine($PSScriptRoot, 'utility.psm1')) }
Import-Module ([System.IO.Path]::Combine($PSScriptRoot, 'bridge.psm1'))
$assembly = [System.IO.Path]::Combine($PSScriptRoot, 'Cauctl.Lab.dll')
if ([System.IO.File]::Exists($assembly)) { Import-Module $assembly }
else { Import-Module -Assembly (& ([System.IO.Path]::Combine($PSScriptRoot, 'assembly.ps1')) ([System.IO.Path]::Combine($PSScriptRoot, 'commands.clixml'))) }
Import-Module ([System.IO.Path]::Combine($PSScriptRoot, 'functions.psm1'))
foreach ($module in $Modules) { Import-Module $module }

$shown = [System.Collections.Generic.HashSet[string]]::new($Visible, [System.StringComparer]::OrdinalIgnoreCase)
foreach ($command in Get-Command -CommandType Cmdlet, Function, Filter, Alias -All) {
    $meant = $command.Name
    if ($command.CommandType -eq 'Alias' -and -not $shown.Contains($meant)) { $meant = $command.Definition }
    if (-not $shown.Contains($meant)) { $command.Visibility = 'Private' }
}
$ExecutionContext.SessionState.Applications.Clear()
$ExecutionContext.SessionState.Scripts.Clear()
$ExecutionContext.SessionState.LanguageMode = 'NoLanguage'
