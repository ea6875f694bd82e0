"""The run: the machine, its driver, and whole runs on the lab in memory."""
