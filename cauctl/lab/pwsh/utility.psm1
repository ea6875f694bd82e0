# The utility commands that a node needs, for a PowerShell that comes without its module Microsoft.PowerShell.Utility.
#
# Binding is the cmdlets' own (assembly.ps1 makes them); here is what they do, as far as pipelines without script use
# them. A parameter that is not served is refused, never ignored.
# What a command writes by WriteError obeys this; whatever fails here itself is caught and thrown on.
$ErrorActionPreference = 'Continue'

function New-UtilityError {
    param([System.Exception] $Cause, [string] $Id, [string] $Category, $Target)
    return [System.Management.Automation.ErrorRecord]::new($Cause, $Id, $Category, $Target)
}

function Get-UtilityRefusal {
    # The error of a call with a parameter that is not served; null when there is none.
    param($Cmdlet, [string[]] $Served)
    $common = [System.Management.Automation.PSCmdlet]::CommonParameters
    foreach ($name in $Cmdlet.MyInvocation.BoundParameters.Keys) {
        if ($Served -notcontains $name -and -not $common.Contains($name)) {
            $text = 'The lab''s ' + $Cmdlet.MyInvocation.MyCommand.Name + ' does not serve the parameter ' + $name + '.'
            return New-UtilityError ([System.NotImplementedException]::new($text)) 'ParameterNotSupported' 'NotImplemented' $null
        }
    }
}

function Get-UtilityProperty {
    # The value of a property; null where there is none.
    param($Item, [string] $Name)
    if ($null -eq $Item) { return $null }
    $property = $Item.PSObject.Properties[$Name]
    if ($null -ne $property) { return , $property.Value }
    return $null
}

function Test-UtilitySame {
    param($Left, $Right)
    if ($Left -is [System.Management.Automation.PSCustomObject] -and $Right -is [System.Management.Automation.PSCustomObject]) {
        $mine, $theirs = @($Left.PSObject.Properties), @($Right.PSObject.Properties)
        if ($mine.Count -ne $theirs.Count) { return $false }
        foreach ($property in $mine) {
            $other = $Right.PSObject.Properties[$property.Name]
            if ($null -eq $other) { return $false }
            if (-not [System.Management.Automation.LanguagePrimitives]::Equals($property.Value, $other.Value)) { return $false }
        }
        return $true
    }
    return [System.Management.Automation.LanguagePrimitives]::Equals($Left, $Right)
}

# ---- Select-Object --------------------------------------------------------------------------------------------------------

function New-UtilitySelection {
    # What Select-Object -Property gives: notes under the name of the object's class.
    param($Item, [string[]] $Names)
    $chosen = [System.Collections.Specialized.OrderedDictionary]::new([System.StringComparer]::OrdinalIgnoreCase)
    foreach ($name in $Names) {
        if ([System.Management.Automation.WildcardPattern]::ContainsWildcardCharacters($name)) {
            $pattern = [System.Management.Automation.WildcardPattern]::new($name, 'IgnoreCase')
            foreach ($property in $Item.PSObject.Properties) {
                if ($pattern.IsMatch($property.Name) -and -not $chosen.Contains($property.Name)) { $chosen[$property.Name] = $property.Value }
            }
            continue
        }
        $property = $Item.PSObject.Properties[$name]
        if ($null -eq $property) { $chosen[$name] = $null } else { $chosen[$property.Name] = $property.Value }
    }
    $made = [pscustomobject] $chosen
    # A CIM instance has its class behind a sign in its type name.
    $made.PSObject.TypeNames.Insert(0, 'Selected.' + $Item.PSObject.TypeNames[0].Split('#')[0])
    return $made
}

function Write-UtilitySelection {
    param($Cmdlet, $Item)
    $state = $Cmdlet.State
    $found = $Item
    if ($state.Names.Count -gt 0) { $found = New-UtilitySelection $Item $state.Names }
    $values = [System.Collections.ArrayList]::new()
    if (-not $state.Expands) { [void] $values.Add($found) }
    else {
        $property = $Item.PSObject.Properties[$Cmdlet.ExpandProperty]
        if ($null -eq $property) {
            $cause = [System.Management.Automation.PSArgumentException]::new('Property "' + $Cmdlet.ExpandProperty + '" cannot be found.')
            $Cmdlet.WriteError((New-UtilityError $cause 'ExpandPropertyNotFound' 'InvalidArgument' $Item))
            return
        }
        $held = $property.Value
        $list = [System.Management.Automation.LanguagePrimitives]::GetEnumerable($held)
        if ($null -eq $list) { [void] $values.Add($held) }
        else { foreach ($one in $list) { [void] $values.Add($one) } }
    }
    foreach ($value in $values) {
        if ($Cmdlet.Unique) {
            $known = $false
            foreach ($other in $state.Seen) { if (Test-UtilitySame $value $other) { $known = $true; break } }
            if ($known) { continue }
            [void] $state.Seen.Add($value)
        }
        $Cmdlet.WriteObject($value, $false)
    }
}

function Invoke-UtilitySelect {
    param($Cmdlet, [string] $Method)
    $bound = $Cmdlet.MyInvocation.BoundParameters
    if ($Method -eq 'BeginProcessing') {
        $refusal = Get-UtilityRefusal $Cmdlet @('Property', 'ExpandProperty', 'First', 'Last', 'Skip', 'SkipLast', 'Unique', 'InputObject', 'Wait')
        if ($null -ne $refusal) { return $refusal }
        $Cmdlet.State = @{
            Names = [string[]] @($Cmdlet.Property | Where-Object { $null -ne $_ })
            Expands = $bound.ContainsKey('ExpandProperty')
            Holds = $bound.ContainsKey('Last') -or $bound.ContainsKey('SkipLast')
            First = $bound.ContainsKey('First')
            Held = [System.Collections.ArrayList]::new()
            Seen = [System.Collections.ArrayList]::new()
            Skipped = 0
            Written = 0
        }
        return
    }
    $state = $Cmdlet.State
    if ($Method -eq 'ProcessRecord') {
        $item = $Cmdlet.InputObject
        if ($null -eq $item) { return }
        if ($state.Holds) { [void] $state.Held.Add($item); return }
        if ($state.Skipped -lt $Cmdlet.Skip) { $state.Skipped += 1; return }
        if ($state.First -and $state.Written -ge $Cmdlet.First) { return }
        $state.Written += 1
        Write-UtilitySelection $Cmdlet $item
        return
    }
    if (-not $state.Holds) { return }
    $count = $state.Held.Count
    for ($at = 0; $at -lt $count; $at++) {
        if ($bound.ContainsKey('SkipLast')) { $taken = $at -lt $count - $Cmdlet.SkipLast }
        elseif ($state.First) {
            $left = $count - $Cmdlet.Skip
            $place = $at - $Cmdlet.Skip
            $taken = $place -ge 0 -and ($place -lt $Cmdlet.First -or $place -ge $left - $Cmdlet.Last)
        }
        else { $taken = $at -lt $count - $Cmdlet.Skip -and $at -ge $count - $Cmdlet.Skip - $Cmdlet.Last }
        if ($taken) { Write-UtilitySelection $Cmdlet $state.Held[$at] }
    }
}

# ---- Sort-Object, Measure-Object, Write-Output ------------------------------------------------------------------------------

function Compare-UtilityItem {
    param($Left, $Right, [string[]] $Names)
    if ($Names.Count -eq 0) { return Compare-UtilityValue $Left $Right }
    foreach ($name in $Names) {
        $order = Compare-UtilityValue (Get-UtilityProperty $Left $name) (Get-UtilityProperty $Right $name)
        if ($order -ne 0) { return $order }
    }
    return 0
}

function Compare-UtilityValue {
    param($Left, $Right)
    $order = 0
    if ([System.Management.Automation.LanguagePrimitives]::TryCompare($Left, $Right, $true, [cultureinfo]::InvariantCulture, [ref] $order)) { return $order }
    return [string]::Compare([string] $Left, [string] $Right, $true, [cultureinfo]::InvariantCulture)
}

function Invoke-UtilitySort {
    param($Cmdlet, [string] $Method)
    if ($Method -eq 'BeginProcessing') {
        $Cmdlet.State = [System.Collections.ArrayList]::new()
        return Get-UtilityRefusal $Cmdlet @('Property', 'Descending', 'Unique', 'InputObject')
    }
    if ($Method -eq 'ProcessRecord') { if ($null -ne $Cmdlet.InputObject) { [void] $Cmdlet.State.Add($Cmdlet.InputObject) }; return }
    $names = [string[]] @($Cmdlet.Property | Where-Object { $null -ne $_ })
    # Insertion keeps equals in their order.
    $sorted = [System.Collections.ArrayList]::new()
    foreach ($item in $Cmdlet.State) {
        $at = $sorted.Count
        while ($at -gt 0) {
            $order = Compare-UtilityItem $sorted[$at - 1] $item $names
            if ($Cmdlet.Descending) { $order = - $order }
            if ($order -le 0) { break }
            $at -= 1
        }
        $sorted.Insert($at, $item)
    }
    for ($at = 0; $at -lt $sorted.Count; $at++) {
        if ($Cmdlet.Unique -and $at -gt 0 -and (Compare-UtilityItem $sorted[$at - 1] $sorted[$at] $names) -eq 0) { continue }
        $Cmdlet.WriteObject($sorted[$at], $false)
    }
}

function New-UtilityMeasure {
    param($Cmdlet, $Values, [string] $Name)
    $type = [System.Management.Automation.PSTypeName]::new('Microsoft.PowerShell.Commands.GenericMeasureInfo').Type
    $made = [System.Activator]::CreateInstance($type)
    $made.SetText('Microsoft.PowerShell.Commands.GenericMeasureInfo')
    $made.Count = [int] $Values.Count
    if ($Name) { $made.Property = $Name }
    $sum = [double] 0
    $number = 0
    $least = $most = $null
    foreach ($value in $Values) {
        if ($value -is [System.ValueType] -and $value -isnot [bool] -and $value -isnot [datetime] -and $value -isnot [timespan] -and $value -isnot [enum]) {
            $sum += [double] $value
            $number += 1
        }
        if ($null -eq $least -or (Compare-UtilityValue $value $least) -lt 0) { $least = $value }
        if ($null -eq $most -or (Compare-UtilityValue $value $most) -ge 0) { $most = $value }
    }
    if ($Cmdlet.Sum) { $made.Sum = $sum }
    if ($Cmdlet.Average -and $number -gt 0) { $made.Average = $sum / $number }
    if ($Cmdlet.Maximum) { $made.Maximum = $most }
    if ($Cmdlet.Minimum) { $made.Minimum = $least }
    return $made
}

function Invoke-UtilityMeasure {
    param($Cmdlet, [string] $Method)
    if ($Method -eq 'BeginProcessing') {
        $Cmdlet.State = [System.Collections.ArrayList]::new()
        return Get-UtilityRefusal $Cmdlet @('Property', 'Sum', 'Average', 'Maximum', 'Minimum', 'InputObject')
    }
    if ($Method -eq 'ProcessRecord') { if ($null -ne $Cmdlet.InputObject) { [void] $Cmdlet.State.Add($Cmdlet.InputObject) }; return }
    $names = @($Cmdlet.Property | Where-Object { $null -ne $_ })
    if ($names.Count -eq 0) { $Cmdlet.WriteObject((New-UtilityMeasure $Cmdlet $Cmdlet.State ''), $false); return }
    foreach ($name in $names) {
        $values = [System.Collections.ArrayList]::new()
        foreach ($item in $Cmdlet.State) {
            $value = Get-UtilityProperty $item $name
            if ($null -ne $value) { [void] $values.Add($value) }
        }
        $Cmdlet.WriteObject((New-UtilityMeasure $Cmdlet $values $name), $false)
    }
}

function Invoke-UtilityWrite {
    param($Cmdlet, [string] $Method)
    if ($Method -ne 'ProcessRecord') { return }
    foreach ($item in $Cmdlet.InputObject) { $Cmdlet.WriteObject($item, -not $Cmdlet.NoEnumerate) }
}

$global:CauctlLocal = {
    param($Cmdlet, [string] $Method)
    try {
        switch ($Cmdlet.MyInvocation.MyCommand.Name) {
            'Select-Object' { return Invoke-UtilitySelect $Cmdlet $Method }
            'Sort-Object' { return Invoke-UtilitySort $Cmdlet $Method }
            'Measure-Object' { return Invoke-UtilityMeasure $Cmdlet $Method }
            'Write-Output' { return Invoke-UtilityWrite $Cmdlet $Method }
        }
    }
    catch { throw }
}
$variable = $ExecutionContext.SessionState.PSVariable.Get('global:CauctlLocal')
$variable.Options = 'ReadOnly, AllScope'
$variable.Visibility = 'Private'
Export-ModuleMember -Function @()
