"""What a declined question ends with, and what stands below the table of a result."""

from __future__ import annotations

import io
import sys

import pytest
from attrs import evolve

from cauctl.cli.app import main
from cauctl.cli.commands.run import print_result
from cauctl.operations import ExitCode
from tests.reports.sample_run import BAD_NODE, GOOD_NODE, LOCKED, REPORT


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        """There is."""
        return True


@pytest.mark.parametrize("command", [["run"], ["stop"], ["recover", "--abandon"]])
@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_declined_question_is_no_success(monkeypatch, capsys, command, answer):
    """Nobody is connected to: there is no such cluster, and nothing says so."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert ExitCode.FAILED == main([*command, "NONE-FC1"])
    assert "Nothing was done." in capsys.readouterr().err


def test_the_table_is_followed_by_what_to_do(capsys):
    """Once for all nodes that need the same."""
    other = evolve(BAD_NODE, node=evolve(BAD_NODE.node, node_name="NODE3"))
    print_result(evolve(REPORT.cluster_result, node_results=(GOOD_NODE, BAD_NODE, other)))
    assert f"NODE2, NODE3: {LOCKED.advice}" in capsys.readouterr().out
