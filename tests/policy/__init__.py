"""Decisions, each by its table."""
