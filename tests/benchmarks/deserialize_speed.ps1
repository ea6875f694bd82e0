# Seconds that PSSerializer takes to read a CLIXML file, median of COUNT after WARM calls, measured inside the process.
param([string] $File, [int] $Warm = 10, [int] $Count = 11)
$text = [System.IO.File]::ReadAllText($File)
$watch = [System.Diagnostics.Stopwatch]::new()
$times = [System.Collections.Generic.List[double]]::new()
for ($i = 0; $i -lt $Warm + $Count; $i++) {
    [System.GC]::Collect()
    $watch.Restart()
    $null = [System.Management.Automation.PSSerializer]::Deserialize($text)
    if ($i -ge $Warm) { $times.Add($watch.Elapsed.TotalSeconds) }
}
$times.Sort()
[Console]::Out.WriteLine($times[[int][System.Math]::Floor($Count / 2)].ToString('R', [cultureinfo]::InvariantCulture))
