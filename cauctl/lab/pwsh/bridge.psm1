# Hands the calls of a node's commands to the lab's world, and gives back what the world says: objects, errors, messages.
#
# A call is one connection to loopback: a frame with a token and the call as CLIXML, then frames with what comes of it.
# A frame is one letter, the length as four bytes (the highest first) and UTF-8. A pipeline that is stopped closes the
# connection, which ends the call in the world.
# What a command writes by WriteError obeys this; whatever fails here itself is caught and thrown on.
$ErrorActionPreference = 'Continue'
$script:address, $script:port, $script:token = [System.Environment]::GetEnvironmentVariable('CAUCTL_LAB_WORLD').Split(' ')
[System.Environment]::SetEnvironmentVariable('CAUCTL_LAB_WORLD', $null)
$script:assembly = $null
$script:types = @{}
$script:restored = [System.Collections.Generic.Dictionary[object, object]]::new([System.Collections.Generic.ReferenceEqualityComparer]::Instance)
$script:shapes = @{}
foreach ($line in [System.IO.File]::ReadAllLines([System.IO.Path]::Combine($PSScriptRoot, 'shapes.txt'))) {
    $typeName, $className = $line.Split(' ')
    $shapes[$typeName] = $className
}
$script:exceptions = @{}

function Send-LabFrame {
    param($Stream, [string] $Text)
    $body = [System.Text.Encoding]::UTF8.GetBytes($Text)
    $head = [System.BitConverter]::GetBytes([System.Net.IPAddress]::HostToNetworkOrder([int] $body.Length))
    $Stream.Write($head, 0, 4)
    $Stream.Write($body, 0, $body.Length)
}

function Read-LabBytes {
    # Waits in slices, so that a pipeline can be stopped while the world works.
    param($Stream, [int] $Count)
    $buffer = [byte[]]::new($Count)
    $at = 0
    while ($at -lt $Count) {
        $reading = $Stream.ReadAsync($buffer, $at, $Count - $at)
        while (-not $reading.Wait(50)) { }
        if ($reading.Result -eq 0) { throw [System.IO.EndOfStreamException]::new('the lab has ended') }
        $at += $reading.Result
    }
    return , $buffer
}

function Get-LabType {
    # A type by its name, .NET's own or one of the assembly; null where there is none.
    param([string] $Name)
    if (-not $types.ContainsKey($Name)) {
        $types[$Name] = [System.Management.Automation.PSTypeName]::new($Name).Type
    }
    return $types[$Name]
}

function Get-LabShape {
    # The class of a kind of answers; .NET may have another of the same name.
    param([string] $Name)
    if ($null -eq $script:assembly) {
        $script:assembly = (Get-LabType 'Cauctl.Lab.NodeCommand').Assembly
    }
    return $assembly.GetType($Name, $true)
}

function Restore-LabValue {
    # Makes what came over the wire what it was before. Who asks a primitive for its type names changes how it and, for
    # true and false, every other is written from then on: so they are left alone.
    param($Value)
    if ($null -eq $Value) { return $null }
    if ($Value -is [string] -or $Value -is [System.ValueType]) { return $Value }
    return , (Restore-LabObject $Value)
}

function Restore-LabObject {
    # An enum, an array, a dictionary, an object with properties of .NET.
    param($Value)
    # The same object may be held in several places.
    $known = $null
    if ($restored.TryGetValue($Value, [ref] $known)) { return , $known }
    $names = $Value.PSObject.TypeNames
    $base = $Value.PSObject.BaseObject
    if (-not $names[0].StartsWith('Deserialized.')) { return , $Value }
    $name = $names[0].Substring(13)
    if ($names.Contains('Deserialized.System.Enum')) {
        $type = Get-LabType $name
        if ($null -ne $type) { return [System.Enum]::ToObject($type, $base) }
    }
    if ($base -is [System.Collections.ArrayList]) { return , (Restore-LabList $base $name) }
    if ($base -is [System.Collections.IDictionary]) {
        Remove-LabPrefix $names
        foreach ($key in @($base.Keys)) { $base[$key] = Restore-LabValue $base[$key] }
        return , $Value
    }
    $adapted = @($Value.PSAdapted.PSObject.Properties)
    $notes = @(foreach ($property in $Value.PSObject.Properties) { if ($property.MemberType -eq 'NoteProperty') { $property } })
    foreach ($property in $adapted + $notes) {
        if ($property.TypeNameOfValue.StartsWith('Deserialized.')) { $property.Value = Restore-LabObject $property.Value }
    }
    if (-not $shapes.ContainsKey($name)) {
        Remove-LabPrefix $names
        return , $Value
    }
    $made = [System.Activator]::CreateInstance((Get-LabShape $shapes[$name]))
    $made.SetText([string] $Value)
    foreach ($property in $adapted) { $made.GetType().GetField($property.Name).SetValue($made, $property.Value) }
    $object = [psobject]::new($made)
    if ($shapes[$name] -cne $name) {
        $object.PSObject.TypeNames.Clear()
        foreach ($one in $names) { $object.PSObject.TypeNames.Add($one.Substring(13)) }
    }
    # Without a check: PowerShell's own type data may have a member of that name.
    foreach ($property in $notes) {
        $object.PSObject.Properties.Add([System.Management.Automation.PSNoteProperty]::new($property.Name, $property.Value), $true)
    }
    $restored[$Value] = $object
    return , $object
}

function Remove-LabPrefix {
    param($Names)
    for ($at = 0; $at -lt $Names.Count; $at++) {
        if ($Names[$at].StartsWith('Deserialized.')) { $Names[$at] = $Names[$at].Substring(13) }
    }
}

function Restore-LabList {
    param($List, [string] $Name)
    for ($at = 0; $at -lt $List.Count; $at++) { $List[$at] = Restore-LabValue $List[$at] }
    if ($Name -eq 'System.Collections.Specialized.StringCollection') {
        $strings = [System.Collections.Specialized.StringCollection]::new()
        foreach ($item in $List) { [void] $strings.Add($item) }
        return , $strings
    }
    $type = [System.Management.Automation.PSTypeName]::new($Name).Type
    if ($null -ne $type -and $type.IsArray) { return , ($List.ToArray($type.GetElementType())) }
    return , $List
}

function Get-LabException {
    # An exception of the first type of a chain; one that only Windows has is made, below the next that exists.
    param($Names, [string] $Message)
    $name = $Names[0]
    if (-not $exceptions.ContainsKey($name)) {
        $exceptions[$name] = [System.Management.Automation.PSTypeName]::new($name).Type
        if ($null -eq $exceptions[$name]) {
            $base = [System.Exception]
            foreach ($above in $Names) {
                $known = [System.Management.Automation.PSTypeName]::new($above).Type
                if ($null -ne $known) { $base = $known; break }
            }
            $exceptions[$name] = New-LabExceptionType $name $base
        }
    }
    return [System.Activator]::CreateInstance($exceptions[$name], [object[]] @($Message))
}

function New-LabExceptionType {
    param([string] $Name, [type] $Base)
    $assembly = [System.Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly(
        [System.Reflection.AssemblyName]::new('Cauctl.Lab.' + $Name), 'Run')
    $type = $assembly.DefineDynamicModule($Name).DefineType($Name, 'Public, Class', $Base)
    $signature = [type[]] @([string])
    $flags = [System.Reflection.BindingFlags] 'Instance, Public, NonPublic'
    $il = $type.DefineConstructor('Public', 'Standard', $signature).GetILGenerator()
    $il.Emit([System.Reflection.Emit.OpCodes]::Ldarg_0)
    $il.Emit([System.Reflection.Emit.OpCodes]::Ldarg_1)
    $il.Emit([System.Reflection.Emit.OpCodes]::Call, $Base.GetConstructor($flags, $null, $signature, $null))
    $il.Emit([System.Reflection.Emit.OpCodes]::Ret)
    return $type.CreateType()
}

function New-LabError {
    # The error record that the world describes.
    param($Told)
    $cause = Get-LabException $Told.ExceptionTypes $Told.Message
    if ($null -ne $Told.HResult) { $cause.HResult = [int] $Told.HResult }
    $target = Restore-LabValue $Told.Target
    $record = [System.Management.Automation.ErrorRecord]::new($cause, $Told.ErrorId, $Told.Category, $target)
    if ($Told.TargetType) { $record.CategoryInfo.TargetType = $Told.TargetType }
    return $record
}

function Invoke-LabCall {
    # Asks the world; writes what it gives through the cmdlet. What is given back is the error that ends the command.
    param($Cmdlet, [string] $Name, $Call)
    $client = [System.Net.Sockets.TcpClient]::new($address, [int] $port)
    try {
        $client.NoDelay = $true
        $stream = $client.GetStream()
        Send-LabFrame $stream ($token + [System.Management.Automation.PSSerializer]::Serialize($Call, 4))
        while ($true) {
            $head = Read-LabBytes $stream 5
            $length = [System.Net.IPAddress]::NetworkToHostOrder([System.BitConverter]::ToInt32($head, 1))
            $text = ''
            if ($length -gt 0) { $text = [System.Text.Encoding]::UTF8.GetString((Read-LabBytes $stream $length)) }
            switch -CaseSensitive ([char] $head[0]) {
                'D' { return $null }
                'O' {
                    $restored.Clear()
                    foreach ($value in [System.Management.Automation.PSSerializer]::DeserializeAsList($text)) {
                        $Cmdlet.WriteObject((Restore-LabValue $value), $false)
                    }
                }
                'E' { $Cmdlet.WriteError((New-LabError ([System.Management.Automation.PSSerializer]::Deserialize($text)))) }
                'X' { return New-LabError ([System.Management.Automation.PSSerializer]::Deserialize($text)) }
                'W' { $Cmdlet.WriteWarning($text) }
                'V' { $Cmdlet.WriteVerbose($text) }
                'I' { $Cmdlet.WriteInformation([System.Management.Automation.InformationRecord]::new($text, $Name)) }
                'P' {
                    $told = [System.Management.Automation.PSSerializer]::Deserialize($text)
                    $progress = [System.Management.Automation.ProgressRecord]::new(0, $told.Activity, $told.Status)
                    $progress.PercentComplete = $told.Percent
                    if ($told.Completed) { $progress.RecordType = 'Completed' }
                    $Cmdlet.WriteProgress($progress)
                }
            }
        }
    }
    catch { throw }
    finally { $client.Dispose() }
}

$global:CauctlAnswer = {
    param($Cmdlet)
    try { Invoke-LabAnswer $Cmdlet } catch { throw }
}

function Invoke-LabAnswer {
    param($Cmdlet)
    $invocation = $Cmdlet.MyInvocation
    $name = $invocation.MyCommand.Name
    $bound = @{}
    foreach ($entry in $invocation.BoundParameters.GetEnumerator()) { $bound[$entry.Key] = $entry.Value }
    if ($invocation.MyCommand.Parameters.ContainsKey('Confirm')) {
        $forced = $bound.ContainsKey('Force') -and $bound['Force'] -and -not $bound.ContainsKey('WhatIf')
        if (-not $forced -and -not $Cmdlet.ShouldProcess($name)) { return }
    }
    Invoke-LabCall $Cmdlet $name @{
        Command = $name
        ParameterSet = $Cmdlet.ParameterSetName
        Parameters = $bound
        Piped = $invocation.ExpectingInput
    }
}
$global:CauctlProgram = {
    param($Cmdlet, $Name, $Arguments)
    Invoke-LabCall $Cmdlet $Name @{ Command = $Name; Arguments = $Arguments }
}
foreach ($name in 'CauctlAnswer', 'CauctlProgram') {
    $variable = $ExecutionContext.SessionState.PSVariable.Get('global:' + $name)
    $variable.Options = 'ReadOnly, AllScope'
    $variable.Visibility = 'Private'
}

function Invoke-LabUpdate {
    # What the update session of a node asks the world; an error of the world is the exception that COM would throw.
    [CmdletBinding()]
    param([string] $Name, [object[]] $Arguments)
    $failure = Invoke-LabCall $PSCmdlet $Name @{ Command = $Name; Arguments = $Arguments }
    if ($null -ne $failure) { throw $failure.Exception }
}

function Start-LabLifeline {
    # Ends this process with the connection to the world: when the lab ends, however it ends.
    $watch = {
        param([string] $Address, [int] $Port, [string] $Token)
        try {
            $client = [System.Net.Sockets.TcpClient]::new($Address, $Port)
            $text = $Token + [System.Management.Automation.PSSerializer]::Serialize(@{ Command = 'lifeline' })
            $body = [System.Text.Encoding]::UTF8.GetBytes($text)
            $head = [System.BitConverter]::GetBytes([System.Net.IPAddress]::HostToNetworkOrder([int] $body.Length))
            $stream = $client.GetStream()
            $stream.Write($head, 0, 4)
            $stream.Write($body, 0, $body.Length)
            [void] $stream.ReadByte()
        }
        finally { [System.Environment]::Exit(1) }
    }
    $shell = [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    [void] $shell.AddScript($watch).AddArgument($address).AddArgument([int] $port).AddArgument($token).BeginInvoke()
}

Export-ModuleMember -Function 'Invoke-LabUpdate', 'Start-LabLifeline'
