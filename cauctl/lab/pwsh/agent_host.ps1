# Runs the node agent's script as a scheduled task of a lab's node does, with an update session that asks the lab's world.
#
# The script takes New-CauctlUpdateSession and New-CauctlUpdateCollection from functions of these names. The names of
# properties and methods are those of the Windows Update Agent's interfaces, as far as the script uses them.
param([string] $Agent, [string] $Folder, [int] $Heartbeat, [int] $Busy)
$ErrorActionPreference = 'Stop'
Import-Module ([System.IO.Path]::Combine($PSScriptRoot, 'bridge.psm1'))
Start-LabLifeline

function Add-LabMethod {
    param($Object, [string] $Name, [scriptblock] $Script)
    $Object.PSObject.Members.Add([System.Management.Automation.PSScriptMethod]::new($Name, $Script))
}

function Add-LabGetter {
    param($Object, [string] $Name, [scriptblock] $Script)
    $Object.PSObject.Members.Add([System.Management.Automation.PSScriptProperty]::new($Name, $Script))
}

function Get-LabKey {
    param($Update)
    return $Update.Identity.UpdateID + '/' + $Update.Identity.RevisionNumber
}

function Invoke-LabStep {
    # Downloads or installs the one update of a collection.
    param([string] $Name, $Updates)
    $outcome = Invoke-LabUpdate $Name @(Get-LabKey $Updates.Items[0])
    $result = [pscustomobject] @{ Outcome = $outcome }
    Add-LabMethod $result 'GetUpdateResult' { param($index) if ($index -ne 0) { throw 'one update, one result' }; $this.Outcome }
    return $result
}

function New-LabSearcher {
    $searcher = [pscustomobject] @{}
    Add-LabMethod $searcher 'Search' {
        param($criteria)
        $updates = @(Invoke-LabUpdate 'search' @($criteria))
        foreach ($update in $updates) {
            Add-LabMethod $update 'AcceptEula' { Invoke-LabUpdate 'accept-eula' @(Get-LabKey $this); $this.EulaAccepted = $true }
        }
        [pscustomobject] @{ ResultCode = 2; Warnings = @(); Updates = $updates }
    }
    return $searcher
}

function New-LabDownloader {
    $downloader = [pscustomobject] @{ Updates = $null }
    Add-LabMethod $downloader 'Download' { Invoke-LabStep 'download' $this.Updates }
    return $downloader
}

function New-LabInstaller {
    $installer = [pscustomobject] @{ Updates = $null; AllowSourcePrompts = $true }
    Add-LabGetter $installer 'IsBusy' { (Invoke-LabUpdate 'installer' @()).IsBusy }
    Add-LabGetter $installer 'RebootRequiredBeforeInstallation' { (Invoke-LabUpdate 'installer' @()).RebootRequired }
    Add-LabMethod $installer 'Install' { Invoke-LabStep 'install' $this.Updates }
    return $installer
}

function New-CauctlUpdateCollection {
    $collection = [pscustomobject] @{ Items = [System.Collections.ArrayList]::new() }
    Add-LabMethod $collection 'Add' { param($update) $this.Items.Add($update) }
    return , $collection
}

function New-CauctlUpdateSession {
    $session = [pscustomobject] @{ ClientApplicationID = '' }
    Add-LabMethod $session 'CreateUpdateSearcher' { New-LabSearcher }
    Add-LabMethod $session 'CreateUpdateDownloader' { New-LabDownloader }
    Add-LabMethod $session 'CreateUpdateInstaller' { New-LabInstaller }
    return $session
}

& $Agent -Folder $Folder -HeartbeatMilliseconds $Heartbeat -BusyMilliseconds $Busy
