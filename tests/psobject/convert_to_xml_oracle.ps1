# Answers what ConvertTo-Xml prints, one line each: verb, blank, base64 of UTF-16LE text. Answers "ok" or "error", blank, base64.
#   can               "yes" where there is a ConvertTo-Xml
#   FORM.DEPTH TEXT   reads the CLIXML document and converts its values, each line of a Stream ended by U+0000
$ErrorActionPreference = 'Stop'
$unicode = [System.Text.Encoding]::Unicode

function Convert-Again([string] $verb, [string] $document) {
    if ($verb -eq 'can') { return [bool](Get-Command ConvertTo-Xml -ErrorAction Ignore) ? 'yes' : 'no' }
    $form, $depth = $verb.Split('.')
    $values = [System.Management.Automation.PSSerializer]::DeserializeAsList($document)
    $given = $values | ConvertTo-Xml -As $form -Depth ([int]$depth)
    if ($form -eq 'Document') { return $given.OuterXml }
    if ($form -eq 'Stream') { return -join ($given | ForEach-Object { $_ + [char]0 }) }
    return $given
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $verb, $data = $line.Split(' ')
    try {
        $bytes = [Convert]::FromBase64String($data)
        $units = [char[]]::new($bytes.Length / 2)
        [System.Buffer]::BlockCopy($bytes, 0, $units, 0, $bytes.Length)
        $answer = 'ok ' + [Convert]::ToBase64String($unicode.GetBytes((Convert-Again $verb ([string]::new($units)))))
    }
    catch {
        $reason = $_.Exception
        while ($null -ne $reason.InnerException) { $reason = $reason.InnerException }
        $answer = 'error ' + [Convert]::ToBase64String($unicode.GetBytes($reason.Message))
    }
    [Console]::Out.WriteLine($answer)
    [Console]::Out.Flush()
}
