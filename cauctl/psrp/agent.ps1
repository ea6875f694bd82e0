# The node agent of cauctl: searches, downloads and installs updates as SYSTEM, and tells what happens by numbered events.
#
# One constant script; what it reads, writes and promises is docs/agent-protocol.md of the project. Rules kept here:
#
# * Windows PowerShell 5.1 syntax, the language and .NET only: every command that is called is a function of this file.
# * Nothing that is read becomes code. No culture decides how anything is written.
# * Every way out is an event: Done, Cancelled, or Failed with an HRESULT. A second start does nothing.
# * Pure ASCII: the bytes of the file are the characters of the text.
param(
    # Folder of the request.
    [Parameter(Mandatory = $true)] [string] $Folder,
    # How often a Heartbeat is written.
    [int] $HeartbeatMilliseconds = 30000,
    # How long another installation on the node is waited for.
    [int] $BusyMilliseconds = 900000
)

$ErrorActionPreference = 'Stop'

# A test or a lab may have defined these two; otherwise they are Windows Update's.
if ($null -eq $ExecutionContext.InvokeCommand.GetCommand('New-CauctlUpdateSession', 'Function')) {
    function New-CauctlUpdateSession {
        return [System.Activator]::CreateInstance([type]::GetTypeFromProgID('Microsoft.Update.Session', $true))
    }
}
if ($null -eq $ExecutionContext.InvokeCommand.GetCommand('New-CauctlUpdateCollection', 'Function')) {
    function New-CauctlUpdateCollection {
        return , [System.Activator]::CreateInstance([type]::GetTypeFromProgID('Microsoft.Update.UpdateColl', $true))
    }
}

# ---- Values -------------------------------------------------------------------------------------------------------------

function ConvertTo-CauctlText {
    param($Value)
    if ($null -eq $Value) { return '' }
    # The two characters that CLIXML cannot hold.
    $text = [System.Text.RegularExpressions.Regex]::Replace([string] $Value, '[\uFFFE\uFFFF]', '?')
    if ($text.Length -gt 8000) { return $text.Substring(0, 8000) }
    return $text
}

function ConvertTo-CauctlUnsigned {
    param($Value)
    # COM gives HRESULTs as signed numbers.
    $number = [long] $Value
    if ($number -lt 0) { $number += 4294967296 }
    return [uint32] $number
}

function Get-CauctlCause {
    param($ErrorRecord)
    # PowerShell wraps what a call throws; the code of Windows Update is the innermost one's.
    $cause = $ErrorRecord.Exception
    while ($null -ne $cause.InnerException) { $cause = $cause.InnerException }
    return $cause
}

function New-CauctlError {
    param([string] $Message, [string] $HResult)
    return [System.Runtime.InteropServices.COMException]::new($Message, [System.Convert]::ToInt32($HResult, 16))
}

function Get-CauctlKey {
    param($Update)
    $identity = $Update.Identity
    return ([string] $identity.UpdateID).ToLowerInvariant() + '/' + [string] [int] $identity.RevisionNumber
}

# ---- Events -------------------------------------------------------------------------------------------------------------

function Open-CauctlChannel {
    param([string] $Path)
    try {
        $stream = [System.IO.FileStream]::new(
            $Path, [System.IO.FileMode]::CreateNew, [System.IO.FileAccess]::Write, [System.IO.FileShare] 'Read, Delete')
    }
    catch {
        # The request was worked on before, or is now.
        if ([System.IO.File]::Exists($Path)) { return $null }
        throw
    }
    return [hashtable]::Synchronized(@{
            Stream = $stream
            Sequence = 0
            Ended = $false
            Doing = 'starting'
            Session = $null
            RebootRequired = $false
            Stop = [System.Threading.ManualResetEvent]::new($false)
        })
}

function Write-CauctlEvent {
    param($Channel, [string] $Kind, $Fields)
    [System.Threading.Monitor]::Enter($Channel.Stream)
    try {
        if ($Channel.Ended) { return }
        $record = [ordered] @{ Sequence = [int] ($Channel.Sequence + 1); Kind = $Kind; At = [datetime]::UtcNow }
        if ($null -ne $Fields) { foreach ($name in $Fields.Keys) { $record[$name] = $Fields[$name] } }
        $document = [System.Management.Automation.PSSerializer]::Serialize([pscustomobject] $record, 2)
        # Line breaks within values are escaped by the serializer; those left are its indentation.
        $line = [System.Text.RegularExpressions.Regex]::Replace($document, '\r?\n *', '') + "`n"
        $bytes = [System.Text.UTF8Encoding]::new($false).GetBytes($line)
        $start = $Channel.Stream.Position
        try {
            $Channel.Stream.Write($bytes, 0, $bytes.Length)
            $Channel.Stream.Flush($true)
        }
        catch {
            # A full disk: take the half line back, so that the next one does not run into it.
            $Channel.Stream.SetLength($start)
            [void] $Channel.Stream.Seek($start, [System.IO.SeekOrigin]::Begin)
            throw
        }
        $Channel.Sequence = $record.Sequence
        $Channel.Ended = $Kind -ceq 'Done' -or $Kind -ceq 'Failed' -or $Kind -ceq 'Cancelled'
    }
    finally {
        [System.Threading.Monitor]::Exit($Channel.Stream)
    }
}

function Write-CauctlUpdateEvent {
    param($Channel, [string] $Kind, [string] $Key)
    $slash = $Key.LastIndexOf('/')
    Write-CauctlEvent $Channel $Kind ([ordered] @{
            UpdateId = $Key.Substring(0, $slash)
            RevisionNumber = [int]::Parse($Key.Substring($slash + 1), [cultureinfo]::InvariantCulture)
        })
}

function Write-CauctlOutcome {
    param($Channel, [string] $Kind, $Update, $ResultCode, $HResult, $RebootRequired)
    if ([bool] $RebootRequired) { $Channel.RebootRequired = $true }
    Write-CauctlEvent $Channel $Kind ([ordered] @{
            UpdateId = ([string] $Update.Identity.UpdateID).ToLowerInvariant()
            RevisionNumber = [int] $Update.Identity.RevisionNumber
            ResultCode = [int] $ResultCode
            HResult = ConvertTo-CauctlUnsigned $HResult
            RebootRequired = [bool] $RebootRequired
        })
}

function Write-CauctlFound {
    param($Channel, $Update)
    $behaviour = $Update.InstallationBehavior
    $reboot = $behaviour.RebootBehavior
    if ($null -eq $reboot) { $reboot = 2 }
    $size = [System.Math]::Min([decimal] $Update.MaxDownloadSize, [decimal] [long]::MaxValue)
    Write-CauctlEvent $Channel 'Found' ([ordered] @{
            UpdateId = ([string] $Update.Identity.UpdateID).ToLowerInvariant()
            RevisionNumber = [int] $Update.Identity.RevisionNumber
            Title = ConvertTo-CauctlText $Update.Title
            Description = ConvertTo-CauctlText $Update.Description
            KBArticleIDs = [string[]] @(foreach ($article in $Update.KBArticleIDs) { ConvertTo-CauctlText $article })
            MsrcSeverity = ConvertTo-CauctlText $Update.MsrcSeverity
            MaxDownloadSize = [long] $size
            IsDownloaded = [bool] $Update.IsDownloaded
            EulaAccepted = [bool] $Update.EulaAccepted
            CanRequestUserInput = [bool] $behaviour.CanRequestUserInput
            RebootBehavior = [int] $reboot
            Exclusive = [int] $behaviour.Impact -eq 2
            SupportUrl = ConvertTo-CauctlText $Update.SupportUrl
        })
}

# ---- Heartbeat: a second runspace, since the calls of Windows Update block this one -----------------------------------------

function Invoke-CauctlHeartbeat {
    param($Channel, [int] $Milliseconds)
    while (-not $Channel.Stop.WaitOne($Milliseconds)) {
        Write-CauctlEvent $Channel 'Heartbeat' @{ Message = [string] $Channel.Doing }
    }
}

function Start-CauctlHeartbeat {
    param($Channel, [int] $Milliseconds)
    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
    foreach ($name in 'Write-CauctlEvent', 'Invoke-CauctlHeartbeat') {
        $body = $ExecutionContext.InvokeCommand.GetCommand($name, 'Function').Definition
        $state.Commands.Add([System.Management.Automation.Runspaces.SessionStateFunctionEntry]::new($name, $body))
    }
    $shell = [powershell]::Create($state)
    [void] $shell.AddCommand('Invoke-CauctlHeartbeat').AddParameter('Channel', $Channel).AddParameter('Milliseconds', $Milliseconds)
    return @{ Shell = $shell; Running = $shell.BeginInvoke() }
}

function Stop-CauctlHeartbeat {
    param($Channel, $Heartbeat)
    [void] $Channel.Stop.Set()
    # A heartbeat that could not be written (a full disk) has nothing to add.
    try { [void] $Heartbeat.Shell.EndInvoke($Heartbeat.Running) } catch { [void] $_ }
    $Heartbeat.Shell.Dispose()
}

# ---- Work ---------------------------------------------------------------------------------------------------------------

function Assert-CauctlNotCancelled {
    if ([System.IO.File]::Exists([System.IO.Path]::Combine($Folder, 'cancel'))) {
        throw [System.OperationCanceledException]::new('cancelled')
    }
}

function Find-CauctlUpdate {
    param($Channel, $Session, [string] $Query)
    Assert-CauctlNotCancelled
    $Channel.Doing = 'searching for updates'
    $result = $Session.CreateUpdateSearcher().Search($Query)
    $code = [int] $result.ResultCode
    if ($code -ne 2 -and $code -ne 3) {
        $hresult = '80240FFF'
        foreach ($warning in $result.Warnings) {
            $hresult = (ConvertTo-CauctlUnsigned $warning.HResult).ToString('X8', [cultureinfo]::InvariantCulture)
            break
        }
        throw (New-CauctlError ('the search ended with result code ' + [string] $code) $hresult)
    }
    foreach ($update in $result.Updates) { if (-not [bool] $update.IsInstalled) { $update } }
}

function Select-CauctlUpdate {
    # The updates asked for, in the order asked; each that is not offered is told.
    param($Channel, $Offered, $Keys)
    $byKey = @{}
    foreach ($update in $Offered) { $byKey[(Get-CauctlKey $update)] = $update }
    $seen = @{}
    foreach ($entry in $Keys) {
        $key = ([string] $entry).ToLowerInvariant()
        if ($seen.ContainsKey($key)) { continue }
        $seen[$key] = $true
        if ($byKey.ContainsKey($key)) { $byKey[$key] } else { Write-CauctlUpdateEvent $Channel 'NotOffered' $key }
    }
}

function Test-CauctlFatal {
    # Whether Windows Update as a whole cannot work now, so that trying the next update makes no sense.
    param([uint32] $HResult)
    $codes = '80070005', '8007045B', '800706BA', '800706BE', '80240009', '8024001E'
    return $codes -contains $HResult.ToString('X8', [cultureinfo]::InvariantCulture)
}

function Invoke-CauctlCall {
    # Downloads or installs one update alone. What the call throws is this update's failure, or everybody's.
    param($Channel, [string] $Kind, $Update, $Worker, [string] $Method)
    try {
        $alone = New-CauctlUpdateCollection
        [void] $alone.Add($Update)
        $Worker.Updates = $alone
        if ($Method -ceq 'Install') { $result = $Worker.Install() } else { $result = $Worker.Download() }
        $own = $result.GetUpdateResult(0)
        $outcome = @{ ResultCode = [int] $own.ResultCode; HResult = ConvertTo-CauctlUnsigned $own.HResult; RebootRequired = $false }
        if ($Method -ceq 'Install') { $outcome.RebootRequired = [bool] $own.RebootRequired }
    }
    catch {
        $cause = Get-CauctlCause $_
        $outcome = @{ ResultCode = 4; HResult = ConvertTo-CauctlUnsigned $cause.HResult; RebootRequired = $false }
        if (Test-CauctlFatal $outcome.HResult) {
            Write-CauctlOutcome $Channel $Kind $Update 4 $outcome.HResult $false
            throw
        }
    }
    Write-CauctlOutcome $Channel $Kind $Update $outcome.ResultCode $outcome.HResult $outcome.RebootRequired
    return $outcome
}

function Wait-CauctlInstaller {
    param($Channel, $Installer)
    $Channel.Doing = 'waiting for another installation'
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ([bool] $Installer.IsBusy) {
        Assert-CauctlNotCancelled
        if ($clock.ElapsedMilliseconds -ge $BusyMilliseconds) {
            throw (New-CauctlError 'another installation does not end' '80240009')
        }
        [System.Threading.Thread]::Sleep([int] [System.Math]::Min(1000, $BusyMilliseconds / 10 + 1))
    }
}

function Test-CauctlUnattended {
    # Whether the update can go on without a person; licences are accepted here where the request allows it.
    param($Channel, [string] $Kind, $Update, [bool] $AcceptEulas)
    if ([bool] $Update.InstallationBehavior.CanRequestUserInput) {
        Write-CauctlOutcome $Channel $Kind $Update 0 ([System.Convert]::ToUInt32('80240020', 16)) $false
        return $false
    }
    if ([bool] $Update.EulaAccepted) { return $true }
    if (-not $AcceptEulas) {
        Write-CauctlOutcome $Channel $Kind $Update 0 ([System.Convert]::ToUInt32('80240023', 16)) $false
        return $false
    }
    [void] $Update.AcceptEula()
    Write-CauctlUpdateEvent $Channel 'EulaAccepted' (Get-CauctlKey $Update)
    return $true
}

function Save-CauctlUpdate {
    # Downloads one update where that is needed; whether it is there afterwards.
    param($Channel, [string] $Kind, $Update, $Session)
    if ([bool] $Update.IsDownloaded) {
        if ($Kind -ceq 'Downloaded') { Write-CauctlOutcome $Channel 'Downloaded' $Update 2 0 $false }
        return $true
    }
    $Channel.Doing = 'downloading ' + (ConvertTo-CauctlText $Update.Title)
    Write-CauctlUpdateEvent $Channel 'Downloading' (Get-CauctlKey $Update)
    $outcome = Invoke-CauctlCall $Channel 'Downloaded' $Update $Session.CreateUpdateDownloader() 'Download'
    if ($outcome.ResultCode -eq 2 -or $outcome.ResultCode -eq 3) { return $true }
    if ($Kind -ceq 'Installed') { Write-CauctlOutcome $Channel 'Installed' $Update $outcome.ResultCode $outcome.HResult $false }
    return $false
}

function Test-CauctlRestartPending {
    param($Session)
    return [bool] $Session.CreateUpdateInstaller().RebootRequiredBeforeInstallation
}

function Install-CauctlUpdate {
    param($Channel, $Update, $Session)
    if (-not (Test-CauctlRestartPending $Session)) {
        $installer = $Session.CreateUpdateInstaller()
        Wait-CauctlInstaller $Channel $installer
        $installer.AllowSourcePrompts = $false
        $Channel.Doing = 'installing ' + (ConvertTo-CauctlText $Update.Title)
        Write-CauctlUpdateEvent $Channel 'Installing' (Get-CauctlKey $Update)
        [void] (Invoke-CauctlCall $Channel 'Installed' $Update $installer 'Install')
    }
    else {
        $Channel.RebootRequired = $true
        Write-CauctlOutcome $Channel 'Installed' $Update 0 ([System.Convert]::ToUInt32('80240016', 16)) $false
    }
}

function Invoke-CauctlRequest {
    param($Channel)
    $path = [System.IO.Path]::Combine($Folder, 'request.clixml')
    $request = [System.Management.Automation.PSSerializer]::Deserialize([System.IO.File]::ReadAllText($path))
    if ([int] $request.Protocol -ne 1) {
        throw (New-CauctlError 'the request is of another protocol version' '80070032')
    }
    $kinds = @{ Scan = 'Found'; Stage = 'Downloaded'; Install = 'Installed' }
    $kind = $kinds[[string] $request.Operation]
    if ($null -eq $kind) { throw (New-CauctlError 'the request asks for an unknown operation' '80070057') }
    $session = New-CauctlUpdateSession
    $session.ClientApplicationID = 'cauctl'
    $Channel.Session = $session
    $offered = @(Find-CauctlUpdate $Channel $session ([string] $request.Query))
    if ($kind -ceq 'Found') {
        foreach ($update in $offered) { Write-CauctlFound $Channel $update }
    }
    else {
        $chosen = @(Select-CauctlUpdate $Channel $offered $request.Updates)
        if ($kind -ceq 'Installed') {
            $chosen = @(foreach ($alone in $true, $false) {
                    foreach ($update in $chosen) {
                        if (([int] $update.InstallationBehavior.Impact -eq 2) -eq $alone) { $update }
                    }
                })
        }
        foreach ($update in $chosen) {
            Assert-CauctlNotCancelled
            if (-not (Test-CauctlUnattended $Channel $kind $update ([bool] $request.AcceptEulas))) { continue }
            $ready = Save-CauctlUpdate $Channel $kind $update $session
            if ($ready -and $kind -ceq 'Installed') { Install-CauctlUpdate $Channel $update $session }
        }
    }
    if (Test-CauctlRestartPending $session) { $Channel.RebootRequired = $true }
}

function Stop-CauctlRequest {
    # The last word where the work ended before its end.
    param($Channel, $Cause)
    $pending = [bool] $Channel.RebootRequired
    if (-not $pending -and $null -ne $Channel.Session) {
        # What failed may fail here too; the cause is what must be told.
        try { $pending = Test-CauctlRestartPending $Channel.Session } catch { [void] $_ }
    }
    if ($Cause -is [System.OperationCanceledException]) {
        Write-CauctlEvent $Channel 'Cancelled' @{ RebootRequired = $pending }
        return
    }
    Write-CauctlEvent $Channel 'Failed' ([ordered] @{
            HResult = ConvertTo-CauctlUnsigned $Cause.HResult
            Message = ConvertTo-CauctlText $Cause.Message
            RebootRequired = $pending
        })
}

# ---- Main ---------------------------------------------------------------------------------------------------------------

$channel = Open-CauctlChannel ([System.IO.Path]::Combine($Folder, 'events.clixml'))
if ($null -eq $channel) { return }
try {
    Write-CauctlEvent $channel 'Started' $null
    $heartbeat = $null
    try {
        $heartbeat = Start-CauctlHeartbeat $channel $HeartbeatMilliseconds
        Invoke-CauctlRequest $channel
        Write-CauctlEvent $channel 'Done' @{ RebootRequired = [bool] $channel.RebootRequired }
    }
    catch {
        Stop-CauctlRequest $channel (Get-CauctlCause $_)
    }
    finally {
        if ($null -ne $heartbeat) { Stop-CauctlHeartbeat $channel $heartbeat }
    }
}
finally {
    $channel.Stream.Dispose()
}
