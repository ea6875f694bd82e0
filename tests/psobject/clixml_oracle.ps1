# Answers questions about CLIXML, one line each: verb, blank, base64 of UTF-16LE text. Answers "ok" or "error", blank, base64.
#   again TEXT    reads the document and writes each of its values, as property v of a property bag, to one document
#   meant SCRIPT  runs the script, writes and reads what it gives, and goes on as above
$ErrorActionPreference = 'Stop'
$unicode = [System.Text.Encoding]::Unicode

function Write-Again([string] $document) {
    $bags = [System.Collections.Generic.List[object]]::new()
    foreach ($value in [System.Management.Automation.PSSerializer]::DeserializeAsList($document)) {
        $bags.Add([pscustomobject]@{ v = $value })
    }
    [System.Management.Automation.PSSerializer]::Serialize($bags.ToArray(), 3)
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $verb, $data = $line.Split(' ')
    try {
        $bytes = [Convert]::FromBase64String($data)
        $units = [char[]]::new($bytes.Length / 2)
        [System.Buffer]::BlockCopy($bytes, 0, $units, 0, $bytes.Length)
        $text = [string]::new($units)
        if ($verb -eq 'meant') {
            $value = & ([scriptblock]::Create($text))
            $text = [System.Management.Automation.PSSerializer]::Serialize($value, 5)
        }
        $answer = 'ok ' + [Convert]::ToBase64String($unicode.GetBytes((Write-Again $text)))
    }
    catch {
        $reason = $_.Exception
        while ($null -ne $reason.InnerException) { $reason = $reason.InnerException }
        $answer = 'error ' + [Convert]::ToBase64String($unicode.GetBytes($reason.Message))
    }
    [Console]::Out.WriteLine($answer)
    [Console]::Out.Flush()
}
