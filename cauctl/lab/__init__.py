"""The embedded failover cluster: a world, its nodes' commands and a PSRP endpoint for each node. Loopback only."""
