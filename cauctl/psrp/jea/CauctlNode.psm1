# Functions of cauctl for nodes that are reached through an endpoint without language (JEA).
#
# Written by "cauctl jea export". Rules kept here:
#
# * Windows PowerShell 5.1 syntax. No parameter becomes code, a path outside the folder of cauctl, or a name that was not
#   looked up on this cluster first.
# * Each function does one thing that updating this cluster needs. None takes a computer, a cluster, a path or a script.
# * The first statement of each function that is shown makes errors stop it: with -ErrorAction SilentlyContinue of the caller
#   even "throw" would go on.
# * Each command is told to stop at errors: those of other modules do not see what this module prefers.
# * What a session configuration puts in the place of commands (Select-Object, Get-Command ...) is not called here.
# * Pure ASCII.

$ErrorActionPreference = 'Stop'

$script:ModuleVersion = '@@MODULE_VERSION@@'
$script:LockGroups = @@LOCK_GROUPS@@
$script:LockFields = @@LOCK_FIELDS@@
$script:RunMark = '@@RUN_MARK@@'
$script:TaskPath = '@@TASK_PATH@@'
$script:NeverRan = @@NEVER_RAN@@
$script:Protocol = @@PROTOCOL@@
$script:Signals = @@SIGNALS@@
$script:BootMark = @@BOOT_MARK@@
$script:CurrentVersion = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$script:Servicing = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface'
$script:AgentHash = '@@AGENT_HASH@@'

# ---- Inside ------------------------------------------------------------------------------------------------------------

function New-CauctlError {
    param([string] $Id, [System.Management.Automation.ErrorCategory] $Category, [string] $Message, $Target)
    return [System.Management.Automation.ErrorRecord]::new([System.InvalidOperationException]::new($Message), $Id, $Category, $Target)
}

function Select-CauctlNamed {
    # Those of the items whose property is exactly this text, but for upper and lower case: no wildcards.
    param($Items, [string] $Property, [string] $Value)
    foreach ($item in $Items) { if ([string]::Equals([string] $item.$Property, $Value, 'OrdinalIgnoreCase')) { $item } }
}

function ConvertTo-CauctlFact {
    # Only these properties of each item.
    param($Items, [string[]] $Names)
    foreach ($item in $Items) {
        if ($null -eq $item) { continue }
        $facts = [ordered] @{}
        foreach ($name in $Names) { $facts[$name] = $item.$name }
        [pscustomobject] $facts
    }
}

function Get-CauctlMember {
    # The name of a node of this cluster, as the cluster spells it.
    param([string] $Name)
    foreach ($node in Select-CauctlNamed (Get-ClusterNode -ErrorAction Stop) 'Name' $Name) { return [string] $node.Name }
    throw (New-CauctlError 'CauctlNoSuchNode' 'ObjectNotFound' "This cluster has no node '$Name'." $Name)
}

function Get-CauctlPlace {
    # Paths of one work; everything lies below the system folder, where only administrators may write.
    param([string] $Name)
    $root = [string] (Get-ItemProperty -ErrorAction Stop -LiteralPath $script:CurrentVersion).SystemRoot
    if (-not [System.Text.RegularExpressions.Regex]::IsMatch($root, '^[A-Za-z]:\\[A-Za-z0-9_ .()\\-]*[A-Za-z0-9_]\z')) {
        throw (New-CauctlError 'CauctlSystemFolder' 'InvalidData' "The system folder is said to be '$root'." $root)
    }
    $folder = $root + '\cauctl\runs\' + $Name
    return @{
        PowerShell = $root + '\System32\WindowsPowerShell\v1.0\powershell.exe'
        Agents = $root + '\cauctl\agent'
        Agent = $root + '\cauctl\agent\' + $script:AgentHash + '.ps1'
        Runs = $root + '\cauctl\runs'
        Folder = $folder
        Request = $folder + '\request.clixml'
        Events = $folder + '\events.clixml'
        Cancel = $folder + '\cancel'
    }
}

function Get-CauctlTask {
    # The task of a work, or all our tasks; nothing when there is none.
    param([string] $Name)
    try {
        if ($Name) { Get-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $Name }
        else { Get-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath }
    }
    catch {
        if (-not $_.FullyQualifiedErrorId.StartsWith('CmdletizationQuery_NotFound')) { throw }
    }
}

function Test-CauctlName {
    # Whether a task or a folder is named as ours are: run id, dot, request id.
    param([string] $Name)
    $ids = $Name.Split([char[]] '.', 2)
    if ($ids.Count -ne 2) { return $false }
    foreach ($id in $ids) { if ($id -cnotmatch '@@ID@@') { return $false } }
    return $true
}

function Test-CauctlTaskWorks {
    param($Task)
    return $null -ne $Task -and @('Queued', 'Running') -contains [string] $Task.State
}

function Get-CauctlTaskResult {
    # Nothing for a task that somebody has just removed.
    param([string] $Name)
    try { return [long] (Get-ScheduledTaskInfo -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $Name).LastTaskResult }
    catch { if ($null -ne (Get-CauctlTask $Name)) { throw } }
}

function Get-CauctlLine {
    # The lines of an events file as plain texts; none where there is no file, or none any more.
    param([string] $Path)
    if (-not (Test-Path -ErrorAction Stop -LiteralPath $Path -PathType Leaf)) { return }
    try { foreach ($line in Get-Content -ErrorAction Stop -LiteralPath $Path -Encoding UTF8) { $line.ToString() } }
    catch { if (Test-Path -ErrorAction Stop -LiteralPath $Path -PathType Leaf) { throw } }
}

function Install-CauctlAgent {
    # Puts the agent where the task starts it; whoever changed it in the meantime is found out by its hash.
    param($Place)
    foreach ($attempt in 1, 2) {
        if (Test-Path -ErrorAction Stop -LiteralPath $Place.Agent -PathType Leaf) {
            $hash = [string] (Get-FileHash -ErrorAction Stop -LiteralPath $Place.Agent -Algorithm SHA256).Hash
            if ($hash -eq $script:AgentHash) { return }
        }
        if ($attempt -eq 1) {
            $null = New-Item -ErrorAction Stop -Path $Place.Agents -ItemType Directory -Force
            Set-Content -ErrorAction Stop -LiteralPath $Place.Agent -Value $script:Agent -Encoding Ascii -NoNewline -Force
        }
    }
    throw (New-CauctlError 'AgentFileChanged' 'SecurityError' "The agent file $($Place.Agent) is not the one of this module." $Place.Agent)
}

function Remove-CauctlTrace {
    # Task and folder of a work; what is missing already is fine.
    param([string] $Name)
    if ($null -ne (Get-CauctlTask $Name)) {
        Unregister-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $Name -Confirm:$false
    }
    $folder = (Get-CauctlPlace $Name).Folder
    if (Test-Path -ErrorAction Stop -LiteralPath $folder) {
        Remove-Item -ErrorAction Stop -LiteralPath $folder -Recurse -Force -Confirm:$false
    }
}

function Invoke-CauctlShutdown {
    # Runs shutdown.exe on this node; the code stands in brackets in what it complains about, in any language.
    param([string[]] $Arguments)
    $ErrorActionPreference = 'Continue'
    $told = foreach ($line in shutdown.exe @Arguments 2>&1) { [string] $line }
    $text = [string] [string]::Join(' ', [string[]] @($told))
    $code = 0
    if ($text.Trim()) {
        $found = [System.Text.RegularExpressions.Regex]::Match($text, '\(([0-9]{1,5})\)')
        $code = -1
        if ($found.Success) { $code = [int] $found.Groups[1].Value }
    }
    return [pscustomobject] [ordered] @{ Code = $code; Message = $text }
}

# ---- The cluster -------------------------------------------------------------------------------------------------------

function Get-CauctlIdentity {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    $system = Get-CimInstance -ErrorAction Stop -ClassName Win32_OperatingSystem -Property CSName -OperationTimeoutSec 30
    [pscustomobject] [ordered] @{
        CSName = [string] $system.CSName
        ModuleVersion = $script:ModuleVersion
        AgentHash = $script:AgentHash
    }
}

function Get-CauctlCluster {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    ConvertTo-CauctlFact (Get-Cluster -ErrorAction Stop) @@CLUSTER@@
}

function Get-CauctlClusterNode {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    ConvertTo-CauctlFact (Get-ClusterNode -ErrorAction Stop) @@NODES@@
}

function Get-CauctlClusterGroup {
    [CmdletBinding()]
    param(
        [ValidateLength(1, 255)] [string] $Name
    )
    $ErrorActionPreference = 'Stop'
    $groups = Get-ClusterGroup -ErrorAction Stop
    if ($Name) { $groups = Select-CauctlNamed $groups 'Name' $Name }
    ConvertTo-CauctlFact $groups @@GROUPS@@
}

function Get-CauctlClusterResource {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Group
    )
    $ErrorActionPreference = 'Stop'
    foreach ($found in Select-CauctlNamed (Get-ClusterGroup -ErrorAction Stop) 'Name' $Group) {
        ConvertTo-CauctlFact ($found | Get-ClusterResource -ErrorAction Stop) @@RESOURCES@@
    }
}

function Get-CauctlClusterQuorum {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    ConvertTo-CauctlFact (Get-ClusterQuorum -ErrorAction Stop) @@QUORUM@@
}

function Get-CauctlStorageJob {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    ConvertTo-CauctlFact (Get-StorageJob -ErrorAction Stop) @@STORAGE_JOBS@@
}

function Get-CauctlVirtualDisk {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    ConvertTo-CauctlFact (Get-VirtualDisk -ErrorAction Stop) @@VIRTUAL_DISKS@@
}

function Get-CauctlUpdatingRun {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    $runs = Get-CimInstance -ErrorAction Stop -Namespace root/Microsoft/Windows/ClusterUpdate -ClassName MSFT_CAURun -OperationTimeoutSec 30
    ConvertTo-CauctlFact $runs @@UPDATING_RUNS@@
}

function Test-CauctlQuorumLoss {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Node
    )
    $ErrorActionPreference = 'Stop'
    $nodes = Get-CimInstance -ErrorAction Stop -Namespace root/MSCluster -ClassName MSCluster_Node -OperationTimeoutSec 30
    foreach ($found in Select-CauctlNamed $nodes 'Name' $Node) {
        ConvertTo-CauctlFact ($found | Invoke-CimMethod -ErrorAction Stop -MethodName WillOfflineLoseQuorum) 'ReturnValue'
    }
}

function Repair-CauctlVirtualDisk {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $FriendlyName
    )
    $ErrorActionPreference = 'Stop'
    foreach ($disk in Select-CauctlNamed (Get-VirtualDisk -ErrorAction Stop) 'FriendlyName' $FriendlyName) {
        $null = $disk | Repair-VirtualDisk -ErrorAction Stop -AsJob
    }
}

function Suspend-CauctlClusterNode {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Name,
        [switch] $Drain,
        [switch] $ForceDrain
    )
    $ErrorActionPreference = 'Stop'
    $switches = @{}
    if ($Drain) { $switches['Drain'] = $true }
    if ($ForceDrain) { $switches['ForceDrain'] = $true }
    $null = Suspend-ClusterNode -ErrorAction Stop -Name (Get-CauctlMember $Name) @switches
}

function Resume-CauctlClusterNode {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Name,
        [Parameter(Mandatory = $true)] [ValidateSet('NoFailback', 'Immediate', 'Policy')] [string] $Failback
    )
    $ErrorActionPreference = 'Stop'
    $null = Resume-ClusterNode -ErrorAction Stop -Name (Get-CauctlMember $Name) -Failback $Failback
}

function Move-CauctlClusterGroup {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Name,
        [Parameter(Mandatory = $true)] [ValidateLength(1, 255)] [string] $Node
    )
    $ErrorActionPreference = 'Stop'
    $member = Get-CauctlMember $Node
    foreach ($group in Select-CauctlNamed (Get-ClusterGroup -ErrorAction Stop) 'Name' $Name) {
        $null = $group | Move-ClusterGroup -ErrorAction Stop -Node $member -Wait 0
    }
}

# ---- The lock: empty groups of fixed names -------------------------------------------------------------------------------

function Get-CauctlLockGroup {
    param([string] $Name)
    # By their characters: what PowerShell compares, a character that shows nothing does not change.
    foreach ($known in $script:LockGroups) { if ([string]::Equals($known, $Name, 'Ordinal')) { return $known } }
    throw (New-CauctlError 'CauctlLockName' 'InvalidArgument' "No group of the lock has the name '$Name'." $Name)
}

function Get-CauctlLock {
    [CmdletBinding()]
    param([string] $Name = $script:LockGroups[0])
    $ErrorActionPreference = 'Stop'
    $group = Get-ClusterGroup -ErrorAction Stop -Name (Get-CauctlLockGroup $Name)
    ConvertTo-CauctlFact ($group | Get-ClusterParameter -ErrorAction Stop) @@LOCK@@
}

function Add-CauctlLock {
    [CmdletBinding()]
    param([string] $Name = $script:LockGroups[0])
    $ErrorActionPreference = 'Stop'
    $null = Add-ClusterGroup -ErrorAction Stop -Name (Get-CauctlLockGroup $Name)
}

function Set-CauctlLock {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Property,
        [switch] $Create,
        [string] $Name = $script:LockGroups[0]
    )
    $ErrorActionPreference = 'Stop'
    $values = @{}
    foreach ($field in $Property.Keys) {
        if (-not $script:LockFields.Contains([string] $field) -and ([string] $field -cnotmatch $script:RunMark)) {
            throw (New-CauctlError 'CauctlLockField' 'InvalidArgument' "The lock has no property '$field'." $field)
        }
        $value = [string] $Property[$field]
        if ($value.Length -gt 32768) {
            throw (New-CauctlError 'CauctlLockField' 'InvalidArgument' "The property '$field' is too long." $field)
        }
        $values[[string] $field] = $value
    }
    $group = Get-ClusterGroup -ErrorAction Stop -Name (Get-CauctlLockGroup $Name)
    if ($Create) { $group | Set-ClusterParameter -ErrorAction Stop -Multiple $values -Create }
    else { $group | Set-ClusterParameter -ErrorAction Stop -Multiple $values }
}

function Remove-CauctlLock {
    [CmdletBinding()]
    param([string] $Name = $script:LockGroups[0])
    $ErrorActionPreference = 'Stop'
    Remove-ClusterGroup -ErrorAction Stop -Name (Get-CauctlLockGroup $Name) -Force
}

# ---- This node -----------------------------------------------------------------------------------------------------------

function Get-CauctlNodeState {
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    $system = Get-CimInstance -ErrorAction Stop -ClassName Win32_OperatingSystem -Property CSName, LastBootUpTime, LocalDateTime -OperationTimeoutSec 30
    $build = Get-ItemProperty -ErrorAction Stop -LiteralPath $script:CurrentVersion
    $busy = $false
    if (Test-Path -ErrorAction Stop -LiteralPath $script:Servicing) {
        $busy = [int] (Get-ItemProperty -ErrorAction Stop -LiteralPath $script:Servicing).ServicingInProgress -eq 2
    }
    foreach ($worker in Get-Process -Name TiWorker, TrustedInstaller -ErrorAction SilentlyContinue) { $busy = $true }
    $services = Get-CimInstance -ErrorAction Stop -ClassName Win32_Service -Property Name, State, StartMode, DelayedAutoStart -OperationTimeoutSec 30
    $stopped = foreach ($service in $services) {
        if ([string] $service.StartMode -ne 'Auto' -or [string] $service.State -eq 'Running') { continue }
        if ([bool] $service.DelayedAutoStart) { continue }
        $trigger = 'HKLM:\SYSTEM\CurrentControlSet\Services\' + [string] $service.Name + '\TriggerInfo'
        if (-not (Test-Path -ErrorAction Stop -LiteralPath $trigger)) { [string] $service.Name }
    }
    [pscustomobject] [ordered] @{
        CSName = [string] $system.CSName
        LastBootUpTime = $system.LastBootUpTime
        LocalDateTime = $system.LocalDateTime
        CurrentBuild = [string] $build.CurrentBuild
        UBR = [int] $build.UBR
        RebootPending = [string[]] @(foreach ($name in $script:Signals.Keys) {
                if (Test-Path -ErrorAction Stop -LiteralPath $script:Signals[$name]) { $name }
            })
        BootFinished = [bool] (Test-Path -ErrorAction Stop -LiteralPath $script:BootMark)
        ServicingInProgress = $busy
        ClusterServiceRunning = [string] (Get-Service -ErrorAction Stop -Name ClusSvc).Status -eq 'Running'
        StoppedServices = [string[]] @($stopped)
    }
}

function Restart-CauctlNode {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidateLength(1, 400)] [ValidatePattern('@@REASON@@', Options = 'None')] [string] $Reason
    )
    $ErrorActionPreference = 'Stop'
    $arguments = @('/r', '/t', '2', '/d', 'p:2:17', '/c', ('cauctl: ' + $Reason))
    $answer = Invoke-CauctlShutdown $arguments
    if ($answer.Code -eq 1190) {
        # A restart that somebody scheduled for later is replaced by ours.
        $null = Invoke-CauctlShutdown '/a'
        $answer = Invoke-CauctlShutdown $arguments
    }
    $answer
}

# ---- Windows Update: work of the agent, which a task runs as SYSTEM ---------------------------------------------------------

function Start-CauctlWork {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RunId,
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RequestId,
        [Parameter(Mandatory = $true)] [ValidateSet('Scan', 'Stage', 'Install')] [string] $Operation,
        [Parameter(Mandatory = $true)] [ValidateLength(1, 4000)] [ValidatePattern('@@QUERY@@', Options = 'None')] [string] $Query,
        [ValidateCount(0, 1000)] [ValidatePattern('@@UPDATE@@', Options = 'None')] [string[]] $Updates = @(),
        [switch] $IncludeRecommended,
        [switch] $AcceptEulas
    )
    $ErrorActionPreference = 'Stop'
    $name = $RunId + '.' + $RequestId
    $place = Get-CauctlPlace $name
    $task = Get-CauctlTask $name
    if ($null -eq $task) {
        # Begun before: its task is gone already.
        if (Test-Path -ErrorAction Stop -LiteralPath $place.Events -PathType Leaf) { return }
        Install-CauctlAgent $place
        $null = New-Item -ErrorAction Stop -Path $place.Folder -ItemType Directory -Force
        $request = [pscustomobject] [ordered] @{
            Protocol = [int] $script:Protocol
            RunId = $RunId
            RequestId = $RequestId
            Operation = $Operation
            Query = $Query
            IncludeRecommended = [bool] $IncludeRecommended
            AcceptEulas = [bool] $AcceptEulas
            Updates = [string[]] @(foreach ($update in $Updates) { $update.ToLowerInvariant() })
        }
        $document = [System.Management.Automation.PSSerializer]::Serialize($request, 2)
        Set-Content -ErrorAction Stop -LiteralPath $place.Request -Value $document -Encoding Ascii -NoNewline -Force
        $xml = $script:TaskXml.Replace('{powershell}', $place.PowerShell).Replace('{agent}', $place.Agent).Replace('{folder}', $place.Folder)
        try {
            $null = Register-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $name -Xml $xml
        }
        catch {
            # Another coordinator may have registered the same task a moment ago.
            if ($null -eq (Get-CauctlTask $name)) { throw }
        }
    }
    elseif ((Test-CauctlTaskWorks $task) -or (Get-CauctlTaskResult $name) -ne $script:NeverRan) {
        return
    }
    Start-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $name
}

function Get-CauctlWork {
    # First one object about the task, then a text for each event from number After on.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RunId,
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RequestId,
        [ValidateRange(0, 2147483647)] [int] $After = 0
    )
    $ErrorActionPreference = 'Stop'
    $name = $RunId + '.' + $RequestId
    $task = Get-CauctlTask $name
    $result = $null
    if ($null -ne $task -and -not (Test-CauctlTaskWorks $task)) { $result = Get-CauctlTaskResult $name }
    $state = $null
    if ($null -ne $task) { $state = [string] $task.State }
    [pscustomobject] [ordered] @{ TaskName = $name; State = $state; LastTaskResult = $result }
    $number = 0
    foreach ($line in Get-CauctlLine (Get-CauctlPlace $name).Events) {
        $number += 1
        if ($number -ge $After) { $line }
    }
}

function Stop-CauctlWork {
    # Asks the agent to stop; work that is gone already needs no asking.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RunId,
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RequestId
    )
    $ErrorActionPreference = 'Stop'
    $place = Get-CauctlPlace ($RunId + '.' + $RequestId)
    if (Test-Path -ErrorAction Stop -LiteralPath $place.Folder) {
        Set-Content -ErrorAction Stop -LiteralPath $place.Cancel -Value 'cancel' -Encoding Ascii
    }
}

function Remove-CauctlWork {
    # Refused while the agent is at work, since its events are its only trace.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RunId,
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RequestId
    )
    $ErrorActionPreference = 'Stop'
    $name = $RunId + '.' + $RequestId
    if (Test-CauctlTaskWorks (Get-CauctlTask $name)) {
        $ended = $false
        foreach ($line in Get-CauctlLine (Get-CauctlPlace $name).Events) {
            if ($line -cmatch '<S N="Kind">(?:Done|Failed|Cancelled)</S>') { $ended = $true }
        }
        if (-not $ended) {
            throw (New-CauctlError 'CauctlWorkGoesOn' 'ResourceBusy' "The agent is still at work on $RequestId." $name)
        }
    }
    Remove-CauctlTrace $name
}

function Find-CauctlWork {
    # Names of all works that left a task or a folder: run id, dot, request id.
    [CmdletBinding()]
    param()
    $ErrorActionPreference = 'Stop'
    $runs = (Get-CauctlPlace '').Runs
    $names = @(foreach ($task in Get-CauctlTask) { [string] $task.TaskName })
    if (Test-Path -ErrorAction Stop -LiteralPath $runs) {
        $names += @(foreach ($folder in Get-ChildItem -ErrorAction Stop -LiteralPath $runs -Directory) { [string] $folder.Name })
    }
    $seen = @{}
    foreach ($name in $names) {
        if ($seen.ContainsKey($name) -or -not (Test-CauctlName $name)) { continue }
        $seen[$name] = $true
        $name
    }
}

function Clear-CauctlWork {
    # Ends and removes all that a dead run left.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('@@ID@@', Options = 'None')] [string] $RunId
    )
    $ErrorActionPreference = 'Stop'
    foreach ($name in Find-CauctlWork) {
        if ($name.Substring(0, $name.IndexOf('.')) -ne $RunId) { continue }
        if (Test-CauctlTaskWorks (Get-CauctlTask $name)) {
            Stop-ScheduledTask -ErrorAction Stop -TaskPath $script:TaskPath -TaskName $name
        }
        Remove-CauctlTrace $name
    }
}

# ---- What the task is and runs ---------------------------------------------------------------------------------------------

$script:TaskXml = @'
@@TASK_XML@@
'@

$script:Agent = @'
@@AGENT@@
'@.Replace("`r`n", "`n")

Export-ModuleMember -Function @@FUNCTIONS@@
