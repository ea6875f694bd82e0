"""PowerShell objects: what they are, how they are written, how they are read."""
