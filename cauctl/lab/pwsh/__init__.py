"""Real PowerShell behind the nodes of a lab: each shell is a process of its own, its commands ask the lab's world."""
