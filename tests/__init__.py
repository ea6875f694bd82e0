"""The suite: tables, properties, the coordinator on the lab, PowerShell itself."""
