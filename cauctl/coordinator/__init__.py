"""The run of an update: events in, instructions out, and the driver that performs them."""
