# Makes the compiled commands of a lab's nodes: real cmdlets, their enums and the classes of
# their answers, by Reflection.Emit, from a description.
#
# Used twice: where .NET can save what it emits (9 and later) once a lab, into a file that each shell loads; else in each
# shell. The language and .NET only; names and values are data, never code.
param([string] $Description, [string] $Save)
$ErrorActionPreference = 'Stop'
$emit = [System.Reflection.Emit.OpCodes]
$cmdlet = [System.Management.Automation.PSCmdlet]

function Get-LabType {
    # A type of .NET or of this assembly.
    param([string] $Name)
    $found = $types[$Name]
    if ($null -ne $found) { return $found }
    if ($Name.EndsWith('[]')) { $found = (Get-LabType $Name.Substring(0, $Name.Length - 2)).MakeArrayType() }
    elseif ($Name -match '^(.+`1)\[(.+)\]$') {
        $generic = [System.Management.Automation.PSTypeName]::new($Matches[1]).Type
        $found = $generic.MakeGenericType((Get-LabType $Matches[2]))
    }
    else { $found = [System.Management.Automation.PSTypeName]::new($Name).Type }
    if ($null -eq $found) { throw ('no type ' + $Name) }
    $types[$Name] = $found
    return $found
}

function New-LabAttribute {
    # An attribute with constructor arguments and named properties.
    param([type] $Type, $Signature = @(), $Arguments = @(), $Properties = @{})
    $constructor = $Type.GetConstructor([type[]] $Signature)
    $names = [System.Reflection.PropertyInfo[]] @(foreach ($key in $Properties.Keys) { $Type.GetProperty($key) })
    # Values must have the very type of their property: an enum is no text, and nothing may be wrapped.
    $values = [object[]]::new($names.Length)
    for ($at = 0; $at -lt $names.Length; $at++) {
        $wanted = $names[$at].PropertyType
        $values[$at] = [System.Management.Automation.LanguagePrimitives]::ConvertTo($Properties[$names[$at].Name], $wanted)
    }
    return [System.Reflection.Emit.CustomAttributeBuilder]::new($constructor, [object[]] $Arguments, $names, $values)
}

function Add-LabEnum {
    # The enums that .NET lacks; those within a class first get the class.
    param($Module, $Enums)
    $outers = @{}
    $made = @(foreach ($enum in $Enums) {
            if ($null -ne [System.Management.Automation.PSTypeName]::new($enum.Name).Type) { continue }
            $outerName, $innerName = $enum.Name.Split('+')
            if ($null -eq $innerName) { $type = $Module.DefineType($enum.Name, 'Public, Sealed', [enum]) }
            else {
                if ($null -eq $outers[$outerName]) { $outers[$outerName] = $Module.DefineType($outerName, 'Public, Class, Abstract') }
                $type = $outers[$outerName].DefineNestedType($innerName, 'NestedPublic, Sealed', [enum])
            }
            $underlying = [type] $enum.Underlying
            [void] $type.DefineField('value__', $underlying, 'Public, SpecialName, RTSpecialName')
            foreach ($name in $enum.Values.Keys) {
                $value = [System.Convert]::ChangeType($enum.Values[$name], $underlying)
                $type.DefineField($name, $type, 'Public, Static, Literal').SetConstant($value)
            }
            if ($enum.Flags) { $type.SetCustomAttribute((New-LabAttribute ([System.FlagsAttribute]))) }
            @{ Name = $enum.Name; Type = $type }
        })
    foreach ($outer in $outers.Values) { [void] $outer.CreateType() }
    foreach ($one in $made) { $types[$one.Name] = $one.Type.CreateType() }
}

function Add-LabShape {
    # The class of one kind of answers: a field for each property, and the text that ToString gives.
    param($Module, $Shape)
    $base = [object]
    foreach ($name in $Shape.Bases) {
        if ($null -eq $shapeBases[$name]) {
            $made = $Module.DefineType($name, 'Public, Class, Abstract', $base)
            [void] $made.DefineDefaultConstructor('Family')
            $shapeBases[$name] = $made.CreateType()
        }
        $base = $shapeBases[$name]
    }
    $type = $Module.DefineType($Shape.Class, 'Public, Class, Sealed', $base)
    foreach ($name in $Shape.Properties) { [void] $type.DefineField($name, [object], 'Public') }
    $text = $type.DefineField('_text', [string], 'Private')
    $il = $type.DefineMethod('SetText', 'Public, HideBySig', [void], [type[]] @([string])).GetILGenerator()
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Ldarg_1)
    $il.Emit($emit::Stfld, $text)
    $il.Emit($emit::Ret)
    $il = $type.DefineMethod('ToString', 'Public, Virtual, HideBySig', [string], [type[]] @()).GetILGenerator()
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Ldfld, $text)
    $il.Emit($emit::Ret)
    [void] $type.DefineDefaultConstructor('Public')
    [void] $type.CreateType()
}

function Add-LabOverride {
    # A method of a cmdlet that calls a script block of the session, and throws the error record that comes back.
    param($Type, [string] $Method, [string] $Variable)
    $il = $Type.DefineMethod($Method, 'Family, Virtual, HideBySig', [void], [type[]] @()).GetILGenerator()
    $bare, $end = $il.DefineLabel(), $il.DefineLabel()
    $record = [System.Management.Automation.ErrorRecord]
    [void] $il.DeclareLocal($record)
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Call, $cmdlet.GetProperty('SessionState').GetGetMethod())
    $il.Emit($emit::Callvirt, [System.Management.Automation.SessionState].GetProperty('PSVariable').GetGetMethod())
    $il.Emit($emit::Ldstr, 'global:' + $Variable)
    $il.Emit($emit::Callvirt, [System.Management.Automation.PSVariableIntrinsics].GetMethod('GetValue', [type[]] @([string])))
    $il.Emit($emit::Castclass, [scriptblock])
    $il.Emit($emit::Ldc_I4_2)
    $il.Emit($emit::Newarr, [object])
    $il.Emit($emit::Dup)
    $il.Emit($emit::Ldc_I4_0)
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Stelem_Ref)
    $il.Emit($emit::Dup)
    $il.Emit($emit::Ldc_I4_1)
    $il.Emit($emit::Ldstr, $Method)
    $il.Emit($emit::Stelem_Ref)
    $il.Emit($emit::Callvirt, [scriptblock].GetMethod('InvokeReturnAsIs', [type[]] @([object[]])))
    $il.Emit($emit::Dup)
    $il.Emit($emit::Isinst, [psobject])
    $il.Emit($emit::Brfalse, $bare)
    $il.Emit($emit::Castclass, [psobject])
    $il.Emit($emit::Callvirt, [psobject].GetProperty('BaseObject').GetGetMethod())
    $il.MarkLabel($bare)
    $il.Emit($emit::Isinst, $record)
    $il.Emit($emit::Stloc_0)
    $il.Emit($emit::Ldloc_0)
    $il.Emit($emit::Brfalse, $end)
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Ldloc_0)
    $il.Emit($emit::Call, [System.Management.Automation.Cmdlet].GetMethod('ThrowTerminatingError'))
    $il.MarkLabel($end)
    $il.Emit($emit::Ret)
}

function New-LabCommandBase {
    # What all commands of a kind inherit: those that ask the world record by record, and those that work in the session.
    param($Module, [string] $Name, [string] $Variable, [string[]] $Methods)
    $type = $Module.DefineType($Name, 'Public, Class, Abstract', $cmdlet)
    [void] $type.DefineField('State', [object], 'Public')
    foreach ($method in $Methods) { Add-LabOverride $type $method $Variable }
    [void] $type.DefineDefaultConstructor('Family')
    return $type.CreateType()
}

function Add-LabParameter {
    param($Type, $Parameter)
    $kind = Get-LabType $Parameter.Type
    $field = $Type.DefineField('_' + $Parameter.Name, $kind, 'Private')
    $property = $Type.DefineProperty($Parameter.Name, 'None', $kind, $null)
    $getter = $Type.DefineMethod('get_' + $Parameter.Name, 'Public, HideBySig, SpecialName', $kind, [type[]] @())
    $il = $getter.GetILGenerator()
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Ldfld, $field)
    $il.Emit($emit::Ret)
    $setter = $Type.DefineMethod('set_' + $Parameter.Name, 'Public, HideBySig, SpecialName', [void], [type[]] @($kind))
    $il = $setter.GetILGenerator()
    $il.Emit($emit::Ldarg_0)
    $il.Emit($emit::Ldarg_1)
    $il.Emit($emit::Stfld, $field)
    $il.Emit($emit::Ret)
    $property.SetGetMethod($getter)
    $property.SetSetMethod($setter)
    foreach ($set in $Parameter.Sets) {
        $property.SetCustomAttribute((New-LabAttribute ([System.Management.Automation.ParameterAttribute]) @() @() $set))
    }
    foreach ($one in $Parameter.Attributes) {
        $attribute = [System.Management.Automation.PSTypeName]::new('System.Management.Automation.' + $one.Name + 'Attribute').Type
        $given = @($one.Arguments)
        if ($one.Name -eq 'Alias' -or $one.Name -eq 'ValidateSet') {
            $built = New-LabAttribute $attribute @([string[]]) @(, [string[]] $given)
        }
        elseif ($one.Name -eq 'ValidateRange') { $built = New-LabAttribute $attribute @([object], [object]) $given }
        elseif ($given.Count) { $built = New-LabAttribute $attribute @([string]) $given }
        else { $built = New-LabAttribute $attribute }
        $property.SetCustomAttribute($built)
    }
}

function Add-LabCommand {
    param($Module, $Command)
    $base = $world
    if ($Command.Local) { $base = $local }
    $type = $Module.DefineType($Command.Class, 'Public, Class, Sealed', $base)
    $verb, $noun = $Command.Name.Split('-')
    $attribute = [System.Management.Automation.CmdletAttribute]
    $type.SetCustomAttribute((New-LabAttribute $attribute @([string], [string]) @($verb, $noun) $Command.Binding))
    if ($Command.Aliases.Count) {
        $type.SetCustomAttribute((New-LabAttribute ([System.Management.Automation.AliasAttribute]) @([string[]]) @(, [string[]] $Command.Aliases)))
    }
    foreach ($parameter in $Command.Parameters) { Add-LabParameter $type $parameter }
    [void] $type.DefineDefaultConstructor('Public')
    [void] $type.CreateType()
}

$name = [System.Reflection.AssemblyName]::new('Cauctl.Lab')
$told = [System.Management.Automation.PSSerializer]::Deserialize([System.IO.File]::ReadAllText($Description))
$persisted = [System.Management.Automation.PSTypeName]::new('System.Reflection.Emit.PersistedAssemblyBuilder').Type
if ($Save) {
    if ($null -eq $persisted) { return }
    $assembly = $persisted::new($name, [object].Assembly)
}
else { $assembly = [System.Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, 'Run') }
$module = $assembly.DefineDynamicModule('Cauctl.Lab')
$types = @{}
$shapeBases = @{ 'System.MarshalByRefObject' = [System.MarshalByRefObject] }
Add-LabEnum $module $told.Enums
foreach ($shape in $told.Shapes) { Add-LabShape $module $shape }
$world = New-LabCommandBase $module 'Cauctl.Lab.NodeCommand' 'CauctlAnswer' @('ProcessRecord')
$local = New-LabCommandBase $module 'Cauctl.Lab.LocalCommand' 'CauctlLocal' @('BeginProcessing', 'ProcessRecord', 'EndProcessing')
# A complete PowerShell has the utility commands by itself.
$complete = [System.IO.Directory]::Exists([System.IO.Path]::Combine($PSHOME, 'Modules', 'Microsoft.PowerShell.Utility'))
foreach ($command in $told.Commands) { if (-not ($complete -and $command.Local)) { Add-LabCommand $module $command } }
if ($Save) { $assembly.Save($Save) } else { $world.Assembly }
