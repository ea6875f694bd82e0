# Answers what .NET prints, one line each: verb, blank, base64 of UTF-16LE text. Answers "ok" or "error", blank, base64.
#   double BITS   hexadecimal: ToString(), a line end, the text rounded as PowerShell rounds it
#   single BITS   the same
#   uri TEXT      ToString() of an absolute or relative Uri
#   local TICKS   ticks of the local time of a universal time
#   timespan TICKS, decimal TEXT, version TEXT   ToString()
$ErrorActionPreference = 'Stop'
$unicode = [System.Text.Encoding]::Unicode
$invariant = [cultureinfo]::InvariantCulture

function Get-Text([string] $verb, [string] $text) {
    switch ($verb) {
        'double' {
            $value = [BitConverter]::Int64BitsToDouble([Convert]::ToInt64($text, 16))
            return $value.ToString() + "`n" + $value.ToString('G15', $invariant)
        }
        'single' {
            $value = [BitConverter]::Int32BitsToSingle([Convert]::ToInt32($text, 16))
            return $value.ToString() + "`n" + $value.ToString('G7', $invariant)
        }
        'uri' { return [uri]::new($text, [System.UriKind]::RelativeOrAbsolute).ToString() }
        'local' { return [datetime]::new([long]$text, [System.DateTimeKind]::Utc).ToLocalTime().Ticks.ToString() }
        'timespan' { return [timespan]::new([long]$text).ToString() }
        'decimal' { return [decimal]::Parse($text, [System.Globalization.NumberStyles]::Float, $invariant).ToString($invariant) }
        'version' { return [version]::new($text).ToString() }
        default { throw "unknown: $verb" }
    }
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $verb, $data = $line.Split(' ')
    try {
        $bytes = [Convert]::FromBase64String($data)
        $units = [char[]]::new($bytes.Length / 2)
        [System.Buffer]::BlockCopy($bytes, 0, $units, 0, $bytes.Length)
        $answer = 'ok ' + [Convert]::ToBase64String($unicode.GetBytes((Get-Text $verb ([string]::new($units)))))
    }
    catch {
        $reason = $_.Exception
        while ($null -ne $reason.InnerException) { $reason = $reason.InnerException }
        $answer = 'error ' + [Convert]::ToBase64String($unicode.GetBytes($reason.Message))
    }
    [Console]::Out.WriteLine($answer)
    [Console]::Out.Flush()
}
