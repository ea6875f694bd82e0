# Times PSSerializer inside one long-lived process. A line "read" or "write" works once on the file's first value and
# answers the seconds it took.
param([string] $File, [int] $Depth = 2)
$text = [System.IO.File]::ReadAllText($File)
$value = [System.Management.Automation.PSSerializer]::Deserialize($text)
$watch = [System.Diagnostics.Stopwatch]::new()
while ($null -ne ($line = [Console]::In.ReadLine())) {
    [System.GC]::Collect()
    $watch.Restart()
    if ($line -eq 'read') { $null = [System.Management.Automation.PSSerializer]::Deserialize($text) }
    else { $null = [System.Management.Automation.PSSerializer]::Serialize($value, $Depth) }
    [Console]::Out.WriteLine($watch.Elapsed.TotalSeconds.ToString('R', [cultureinfo]::InvariantCulture))
    [Console]::Out.Flush()
}
