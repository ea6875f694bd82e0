"""Nodes that restart, hang and break off at random under clients that work all the time: what a session promises holds.

``python -m tests.chaos --minutes 1 --seed 7`` prints what was done and every broken promise, and ends with 1 if there
was one. The seed gives the same calls and the same faults again; how they meet is the scheduler's.
"""
