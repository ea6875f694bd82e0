# Plays Windows Update to the real agent script: one update session for each scenario, from CLIXML.
#
# A scenario: Query (text that the search must be given), Search (ResultCode, HResult to throw, Warnings), Busy (how often
# the installer says that it is busy), Patience (milliseconds that this is waited for), Pending (a restart is required
# before anything is installed), Blocks (it is after an installation that asks for one), Updates. An update: the
# properties of IUpdate, and Download and Install, each with Code, HResult, Reboot, Throw, Cancel (ask the agent to stop
# during this call), Hold (tell on standard output and wait).
param([string] $Agent, [string] $Folders, [int] $Heartbeat)
$ErrorActionPreference = 'Stop'

function Add-Method($Object, $Name, $Script) {
    $Object.PSObject.Members.Add([System.Management.Automation.PSScriptMethod]::new($Name, $Script))
}

function Add-Getter($Object, $Name, $Script) {
    $Object.PSObject.Members.Add([System.Management.Automation.PSScriptProperty]::new($Name, $Script))
}

function New-Failure($HResult) {
    $signed = [System.BitConverter]::ToInt32([System.BitConverter]::GetBytes([uint32] $HResult), 0)
    return [System.Runtime.InteropServices.COMException]::new('made to fail', $signed)
}

function Write-Call($Text) {
    [System.IO.File]::AppendAllText([System.IO.Path]::Combine($global:Folder, 'calls'), $Text + "`n")
}

function New-Outcome($Script) {
    $outcome = [pscustomobject] @{ ResultCode = [int] $Script.Code; HResult = 0; RebootRequired = [bool] $Script.Reboot }
    if ($Script.HResult) { $outcome.HResult = (New-Failure $Script.HResult).HResult }
    $result = [pscustomobject] @{ Outcome = $outcome }
    Add-Method $result 'GetUpdateResult' { param($index) if ($index -ne 0) { throw 'one update, one result' } $this.Outcome }
    return $result
}

function Invoke-Step($Verb, $Collection) {
    if ($Collection.Items.Count -ne 1) { throw 'each update is handled alone' }
    $update = $Collection.Items[0]
    Write-Call ($Verb + ' ' + $update.Identity.UpdateID)
    $script = $update.Source.$Verb
    if ($script.Hold) {
        [System.Console]::Out.WriteLine('holding')
        [System.Console]::Out.Flush()
        [System.Threading.Thread]::Sleep([int] $script.Hold)
    }
    if ($script.Cancel) { [System.IO.File]::WriteAllText([System.IO.Path]::Combine($global:Folder, 'cancel'), 'cancel') }
    if ($script.Throw) { throw (New-Failure $script.Throw) }
    if ($script.Reboot -and $global:Scenario.Blocks) { $global:Pending = $true }
    return New-Outcome $script
}

function New-Update($Source) {
    $update = [pscustomobject] @{
        Source = $Source
        Identity = [pscustomobject] @{ UpdateID = $Source.UpdateID; RevisionNumber = [int] $Source.RevisionNumber }
        Title = $Source.Title
        Description = $Source.Description
        KBArticleIDs = $Source.KBArticleIDs
        MsrcSeverity = $Source.MsrcSeverity
        MaxDownloadSize = $Source.MaxDownloadSize
        IsInstalled = [bool] $Source.IsInstalled
        IsDownloaded = [bool] $Source.IsDownloaded
        EulaAccepted = [bool] $Source.EulaAccepted
        SupportUrl = $Source.SupportUrl
        InstallationBehavior = [pscustomobject] @{
            RebootBehavior = $Source.RebootBehavior
            Impact = $Source.Impact
            CanRequestUserInput = [bool] $Source.CanRequestUserInput
        }
    }
    Add-Method $update 'AcceptEula' { Write-Call ('AcceptEula ' + $this.Identity.UpdateID); $this.EulaAccepted = $true }
    return $update
}

function New-Searcher {
    $searcher = [pscustomobject] @{}
    Add-Method $searcher 'Search' {
        param($criteria)
        Write-Call ('Search ' + $criteria)
        if ($global:Scenario.Query -cne $criteria) { throw (New-Failure 2149842994) }
        $search = $global:Scenario.Search
        if ($search.Throw) { throw (New-Failure $search.Throw) }
        $warnings = @(foreach ($code in $search.Warnings) { [pscustomobject] @{ HResult = (New-Failure $code).HResult } })
        $updates = @(foreach ($source in $global:Scenario.Updates) { New-Update $source })
        [pscustomobject] @{ ResultCode = [int] $search.ResultCode; Warnings = $warnings; Updates = $updates }
    }
    return $searcher
}

function New-Downloader {
    $downloader = [pscustomobject] @{ Updates = $null }
    Add-Method $downloader 'Download' { Invoke-Step 'Download' $this.Updates }
    return $downloader
}

function New-Installer {
    $installer = [pscustomobject] @{ Updates = $null; AllowSourcePrompts = $true }
    Add-Getter $installer 'IsBusy' { $global:BusyLeft -= 1; $global:BusyLeft -ge 0 }
    Add-Getter $installer 'RebootRequiredBeforeInstallation' { $global:Pending }
    Add-Method $installer 'Install' {
        if ($this.AllowSourcePrompts) { throw 'no prompts are allowed' }
        Invoke-Step 'Install' $this.Updates
    }
    return $installer
}

function New-CauctlUpdateCollection {
    $collection = [pscustomobject] @{ Items = [System.Collections.Generic.List[object]]::new() }
    Add-Method $collection 'Add' { param($update) $this.Items.Add($update); $this.Items.Count - 1 }
    return , $collection
}

function New-CauctlUpdateSession {
    $session = [pscustomobject] @{ ClientApplicationID = '' }
    Add-Method $session 'CreateUpdateSearcher' { New-Searcher }
    Add-Method $session 'CreateUpdateDownloader' { New-Downloader }
    Add-Method $session 'CreateUpdateInstaller' { New-Installer }
    return $session
}

foreach ($folder in $Folders.Split(';')) {
    $global:Folder = $folder
    $global:Scenario = [System.Management.Automation.PSSerializer]::Deserialize(
        [System.IO.File]::ReadAllText([System.IO.Path]::Combine($folder, 'scenario.clixml')))
    $global:Pending = [bool] $global:Scenario.Pending
    $global:BusyLeft = [int] $global:Scenario.Busy
    & $Agent -Folder $folder -HeartbeatMilliseconds $Heartbeat -BusyMilliseconds $global:Scenario.Patience
}
