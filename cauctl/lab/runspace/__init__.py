"""The lab's own engine: a runspace pool that speaks PSRP and runs a node's commands in Python."""
