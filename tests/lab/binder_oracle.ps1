# Binds calls to stub modules of Windows' commands: a question is a document with Command and Parameters, the answer one
# with Error, or with Set and Bound, where values are texts, lists and dictionaries of texts.
$ErrorActionPreference = 'Stop'

function Show-Value {
    param($Value)
    if ($null -eq $Value) { return $null }
    $base = $Value
    if ($Value -is [psobject]) { $base = $Value.PSObject.BaseObject }
    if ($base -is [datetime]) { return $base.ToString('o', [cultureinfo]::InvariantCulture) }
    if ($base -is [System.Management.Automation.PSCredential]) { return $base.UserName }
    if ($base -is [System.Management.Automation.PSCustomObject]) { return '' }
    if ($base -is [System.Collections.IDictionary]) {
        $shown = @{}
        foreach ($key in $base.Keys) { $shown[[string] $key] = Show-Value $base[$key] }
        return $shown
    }
    if ($base -isnot [string] -and $base -isnot [xml] -and $base -is [System.Collections.IEnumerable]) {
        $shown = [System.Collections.ArrayList]::new()
        foreach ($item in $base) { [void] $shown.Add((Show-Value $item)) }
        return , $shown
    }
    return [System.Management.Automation.LanguagePrimitives]::ConvertTo($Value, [string], [cultureinfo]::InvariantCulture)
}

function Get-Binding {
    param($Call)
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    [void] $shell.AddCommand([string] $Call.Command)
    foreach ($parameter in $Call.Parameters) { [void] $shell.AddParameter([string] $parameter.Name, $parameter.Value) }
    try { $found = $shell.Invoke() }
    catch { return @{ Error = $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId } }
    foreach ($record in $shell.Streams.Error) { return @{ Error = $record.FullyQualifiedErrorId } }
    $bound = @{}
    foreach ($key in $found[0].BoundParameters.Keys) { $bound[$key] = Show-Value $found[0].BoundParameters[$key] }
    return @{ Set = $found[0].ParameterSet; Bound = $bound }
}

# A session without anybody to ask.
$runspace = [runspacefactory]::CreateRunspace([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
$runspace.Open()
while ($null -ne ($line = [System.Console]::In.ReadLine())) {
    $verb, $data = $line.Split(' ')
    try {
        $text = [System.Text.Encoding]::Unicode.GetString([System.Convert]::FromBase64String($data))
        $answer = Get-Binding ([System.Management.Automation.PSSerializer]::Deserialize($text))
        $state, $said = 'ok', [System.Management.Automation.PSSerializer]::Serialize($answer, 8)
    }
    catch { $state, $said = 'error', [string] $_ }
    [System.Console]::Out.WriteLine($state + ' ' + [System.Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($said)))
    [System.Console]::Out.Flush()
}
