# Loads an exported module as an endpoint without language does, over a node that is a few hashtables, and makes calls.
#
#   pwsh -File jea_module.ps1 FOLDER CALLS ANSWERS
#
# What was done on the node is told as it is at the first call of a script; what is called afterwards only has to be bound.
#
# CALLS and ANSWERS are CLIXML files. Commands of Windows that the module runs are functions here; nothing is real.
param([string] $Folder, [string] $Calls, [string] $Answers)
$ErrorActionPreference = 'Stop'

function Read-Parsed {
    # What the language's own parser says of a file: its errors, and the value of a data file.
    param([string] $Path)
    $tokens = $errors = $value = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $tokens, [ref] $errors)
    if (-not $Path.EndsWith('.psm1')) {
        $value = $tree.Find({ param($node) $node -is [System.Management.Automation.Language.HashtableAst] }, $false).SafeGetValue()
    }
    return [pscustomobject] @{ Errors = [string[]] @(foreach ($each in $errors) { [string] $each }); Value = $value }
}

$node = @{
    'Get-CimInstance' = { param([string] $Namespace, [string] $ClassName, [string[]] $Property, [int] $OperationTimeoutSec)
        switch ($ClassName) {
            'Win32_OperatingSystem' {
                $boot = [datetime]::new(2026, 1, 2, 3, 4, 5, [System.DateTimeKind]::Utc)
                [pscustomobject] @{ CSName = 'N1'; LastBootUpTime = $boot; LocalDateTime = $boot.AddHours(1) }
            }
            'Win32_Service' {
                foreach ($row in @('A Auto Running 0'), @('B Auto Stopped 0'), @('C Auto Stopped 1'), @('D Manual Stopped 0'), @('E Auto Stopped 0')) {
                    $name, $mode, $state, $delayed = $row.Split(' ')
                    [pscustomobject] @{ Name = $name; StartMode = $mode; State = $state; DelayedAutoStart = $delayed -eq '1' }
                }
            }
            'MSCluster_Node' { [pscustomobject] @{ Name = 'N1' }; [pscustomobject] @{ Name = 'N2' } }
        } }
    'Invoke-CimMethod' = { param([Parameter(ValueFromPipeline)] $InputObject, [string] $MethodName) process {
            [pscustomobject] @{ ReturnValue = $InputObject.Name -eq 'N2'; PSComputerName = 'x' } } }
    'Get-ItemProperty' = { param([string] $LiteralPath)
        if ($LiteralPath.EndsWith('CurrentVersion')) { [pscustomobject] @{ SystemRoot = 'C:\Windows'; CurrentBuild = '20348'; UBR = 2849 } }
        else { [pscustomobject] @{ ServicingInProgress = 2 } } }
    'Test-Path' = { param([string] $LiteralPath, [string] $PathType)
        if ($LiteralPath.StartsWith('HKLM:')) { return $LiteralPath -match 'RebootPending$|AutoLogonChecked$|Interface$|Services\\E\\TriggerInfo$' }
        foreach ($path in $global:Files.Keys) { if ($path -eq $LiteralPath -or $path.StartsWith($LiteralPath + '\')) { return $true } }
        return $false }
    'Get-Process' = { param([string[]] $Name) }
    'Get-Service' = { param([string] $Name) [pscustomobject] @{ Status = 'Running' } }
    'Get-ClusterNode' = { [pscustomobject] @{ Name = 'N1'; State = 'Up'; Other = 1 }; [pscustomobject] @{ Name = 'N2'; State = 'Paused' } }
    'Get-ClusterGroup' = { param([string] $Name) [pscustomobject] @{ Name = 'VM [1]'; OwnerNode = 'N1' }; [pscustomobject] @{ Name = 'VM 1'; OwnerNode = 'N2' } }
    'Get-Cluster' = { [pscustomobject] @{ Name = 'C1'; Domain = 'lab.test' } }
    'Get-ClusterResource' = { param([Parameter(ValueFromPipeline)] $InputObject) process { } }
    'Get-ClusterQuorum' = { }
    'Get-ClusterParameter' = { param([Parameter(ValueFromPipeline)] $InputObject) process { } }
    'Get-StorageJob' = { }
    'Get-VirtualDisk' = { [pscustomobject] @{ FriendlyName = 'Volume 1' } }
    'Repair-VirtualDisk' = { param([Parameter(ValueFromPipeline)] $InputObject, [switch] $AsJob) process { } }
    'Resume-ClusterNode' = { param([string] $Name, [string] $Failback) }
    'Add-ClusterGroup' = { param([string] $Name) }
    'Suspend-ClusterNode' = { param([string] $Name, [switch] $Drain, [switch] $ForceDrain)
        $global:Done.Add("Suspend $Name $Drain $ForceDrain"); 'output' }
    'Move-ClusterGroup' = { param([Parameter(ValueFromPipeline)] $InputObject, [string] $Node, [int] $Wait) process {
            $global:Done.Add("Move $($InputObject.Name) $Node $Wait"); 'output' } }
    'Set-ClusterParameter' = { param([Parameter(ValueFromPipeline)] $InputObject, [hashtable] $Multiple, [switch] $Create) process {
            if ($InputObject.Name -eq 'VM 1') { $global:Done.Add("Set $($Multiple['CauctlRunId']) $Create") } } }
    'Remove-ClusterGroup' = { param([string] $Name, [switch] $Force) $global:Done.Add("Remove $Name $Force") }
    'shutdown.exe' = { $global:Done.Add("shutdown $args"); if ($global:Scheduled) { $global:Scheduled = $false; "A shutdown is pending.(1190)" } }
    'New-Item' = { param([string] $Path, [string] $ItemType, [switch] $Force) 'output' }
    'Set-Content' = { param([string] $LiteralPath, [string] $Value, [string] $Encoding, [switch] $NoNewline, [switch] $Force)
        $global:Files[$LiteralPath] = $Value }
    'Get-Content' = { param([string] $LiteralPath, [string] $Encoding) $global:Files[$LiteralPath].TrimEnd("`n").Split("`n") }
    'Get-FileHash' = { param([string] $LiteralPath, [string] $Algorithm)
        $bytes = [System.Text.Encoding]::ASCII.GetBytes($global:Files[$LiteralPath])
        [pscustomobject] @{ Hash = [System.Convert]::ToHexString([System.Security.Cryptography.SHA256]::HashData($bytes)) } }
    'Get-ChildItem' = { param([string] $LiteralPath, [switch] $Directory)
        $seen = @{}
        foreach ($path in $global:Files.Keys) { if ($path.StartsWith($LiteralPath + '\')) { $seen[$path.Substring($LiteralPath.Length + 1).Split('\')[0]] = 1 } }
        foreach ($name in $seen.Keys) { [pscustomobject] @{ Name = $name } } }
    'Remove-Item' = { param([string] $LiteralPath, [switch] $Recurse, [switch] $Force, [switch] $Confirm)
        foreach ($path in @($global:Files.Keys)) { if ($path.StartsWith($LiteralPath + '\')) { $global:Files.Remove($path) } } }
    'Register-ScheduledTask' = { param([string] $TaskPath, [string] $TaskName, [string] $Xml)
        $global:Tasks[$TaskName] = [pscustomobject] @{ TaskName = $TaskName; State = 'Ready'; Xml = $Xml; Result = 0x41303 }; 'output' }
    'Start-ScheduledTask' = { param([string] $TaskPath, [string] $TaskName) $global:Tasks[$TaskName].State = 'Running'; $global:Done.Add("Start $TaskName") }
    'Stop-ScheduledTask' = { param([string] $TaskPath, [string] $TaskName) $global:Tasks[$TaskName].State = 'Ready' }
    'Unregister-ScheduledTask' = { param([string] $TaskPath, [string] $TaskName, [switch] $Confirm) $global:Tasks.Remove($TaskName) }
    'Get-ScheduledTaskInfo' = { param([string] $TaskPath, [string] $TaskName) [pscustomobject] @{ LastTaskResult = $global:Tasks[$TaskName].Result } }
    'Get-ScheduledTask' = { [CmdletBinding()] param([string] $TaskPath, [string] $TaskName)
        foreach ($task in @($global:Tasks.Values)) { if (-not $TaskName -or $task.TaskName -eq $TaskName) { $task; $found = $true } }
        if (-not $found) {
            $missing = [System.Management.Automation.ErrorRecord]::new([System.Exception]::new('none'), 'CmdletizationQuery_NotFound_TaskName', 'ObjectNotFound', $TaskName)
            $PSCmdlet.WriteError($missing)
        } }
}

$state = [initialsessionstate]::CreateDefault2()
foreach ($command in $state.Commands) { $command.Visibility = 'Private' }
foreach ($name in $node.Keys) {
    $body = $node[$name].ToString()
    # Windows' commands have common parameters.
    if ($body -match '^\s*param') { $body = '[CmdletBinding()] ' + $body }
    elseif ($name -ne 'shutdown.exe' -and $body -notmatch '^\s*\[CmdletBinding') { $body = '[CmdletBinding()] param() ' + $body }
    $entry = [System.Management.Automation.Runspaces.SessionStateFunctionEntry]::new($name, $body)
    $entry.Visibility = 'Private'
    $state.Commands.Add($entry)
}
# The forms that a session of the type RestrictedRemoteServer has of some commands; functions of the module may meet them.
$usual = [System.Management.Automation.CommandMetadata]::GetRestrictedCommands([System.Management.Automation.SessionCapabilities]::RemoteServer)
foreach ($name in $usual.Keys) {
    $body = [System.Management.Automation.ProxyCommand]::Create($usual[$name])
    $state.Commands.Add([System.Management.Automation.Runspaces.SessionStateFunctionEntry]::new($name, $body))
}
$module = [System.IO.Path]::Combine($Folder, 'CauctlNode')
$state.ImportPSModule([System.IO.Path]::Combine($module, 'CauctlNode.psd1'))
$state.LanguageMode = 'NoLanguage'
$runspace = [runspacefactory]::CreateRunspace($state)
$runspace.Open()
$facts = @{ Files = @{}; Tasks = @{}; Done = [System.Collections.Generic.List[string]]::new(); Scheduled = $true }
foreach ($name in $facts.Keys) { $runspace.SessionStateProxy.SetVariable("global:$name", $facts[$name]) }

function Invoke-Call {
    param($Call)
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    if ($Call.Script -and $null -eq $script:told) {
        $script:told = @{ Files = $facts.Files.Clone(); Tasks = $facts.Tasks.Clone(); Done = [string[]] $facts.Done }
    }
    if ($Call.Script) { [void] $shell.AddScript($Call.Script) } else { [void] $shell.AddCommand($Call.Name) }
    foreach ($name in $Call.Parameters.Keys) { [void] $shell.AddParameter($name, $Call.Parameters[$name]) }
    $output = $id = $null
    try {
        $output = @($shell.Invoke())
        foreach ($record in $shell.Streams.Error) { $id = $record.FullyQualifiedErrorId }
    }
    catch { $id = $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId }
    return [pscustomobject] @{ Output = $output; Error = $id }
}

function Read-Habits {
    # Which functions with common parameters do not begin by making errors stop them; which commands are not told to stop;
    # what Windows PowerShell 5.1 cannot read.
    $tree = [System.Management.Automation.Language.Parser]::ParseFile([System.IO.Path]::Combine($module, 'CauctlNode.psm1'), [ref] $null, [ref] $null)
    $functions = $tree.FindAll({ param($node) $node -is [System.Management.Automation.Language.FunctionDefinitionAst] }, $true)
    $own = foreach ($function in $functions) { $function.Name }
    [pscustomobject] @{
        Late = [string[]] @(foreach ($function in $functions) {
                $first = $function.Body.EndBlock.Statements[0].Extent.Text
                if ($function.Body.ParamBlock.Attributes.Count -and $first -cne "`$ErrorActionPreference = 'Stop'") { $function.Name }
            })
        Newer = [string[]] @(foreach ($node in $tree.FindAll({ $true }, $true)) {
                $operator = [string] $node.Operator + [string] $node.TokenKind
                $kinds = 'TernaryExpressionAst', 'PipelineChainAst'
                if ($kinds -contains $node.GetType().Name -or $node.NullConditional -or $operator.StartsWith('QuestionQuestion')) { $node.Extent.Text }
            })
        Untold = [string[]] @(foreach ($command in $tree.FindAll({ param($node) $node -is [System.Management.Automation.Language.CommandAst] }, $true)) {
                $name = $command.GetCommandName()
                if ($own -notcontains $name -and -not $command.Extent.Text.Contains('-ErrorAction ')) { $name }
            })
    }
}

$made = foreach ($call in [System.Management.Automation.PSSerializer]::Deserialize([System.IO.File]::ReadAllText($Calls))) { Invoke-Call $call }
$common = [System.Management.Automation.Internal.CommonParameters].GetProperties().Name
$shown = @{}
foreach ($command in $runspace.SessionStateProxy.InvokeCommand.GetCommands('*', 'All', $true)) {
    if ($command.Visibility -eq 'Public' -and -not $usual.ContainsKey($command.Name)) { $shown[$command.Name] = [string[]] @(foreach ($name in $command.Parameters.Keys) { if ($common -notcontains $name) { $name } }) }
}
$result = [pscustomobject] @{
    Parsed = @{
        'psm1' = Read-Parsed ([System.IO.Path]::Combine($module, 'CauctlNode.psm1'))
        'psd1' = Read-Parsed ([System.IO.Path]::Combine($module, 'CauctlNode.psd1'))
        'psrc' = Read-Parsed ([System.IO.Path]::Combine($module, 'RoleCapabilities', 'CauctlOperator.psrc'))
        'pssc' = Read-Parsed ([System.IO.Path]::Combine($Folder, 'cauctl.pssc'))
    }
    Habits = Read-Habits
    Shown = $shown
    Usual = [string[]] $usual.Keys
    Made = $made
    Files = $told.Files
    Tasks = $told.Tasks
    Done = $told.Done
}
[System.IO.File]::WriteAllText($Answers, [System.Management.Automation.PSSerializer]::Serialize($result, 6))
