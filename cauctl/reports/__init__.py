"""Reports of finished runs: kept, found again, shown to people."""
