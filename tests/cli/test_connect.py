"""``cauctl connect``: every node's way, what fails, and what to change."""

from __future__ import annotations

import json

import pytest

from cauctl.cli.app import main
from cauctl.lab.jea import jea_lock
from cauctl.lab.server import Lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab of three nodes."""
    monkeypatch.setenv("CAUCTL_RUNTIME", str(tmp_path / "runtime"))
    with Lab(nodes=3, name="WAYS-FC1", time_scale=1) as started:
        yield started


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, list[tuple[str, bool]]]:
    """Steps by node, as the JSON says them."""
    document = json.loads(capsys.readouterr().out)
    return {each["node"]: [(step["step"], step["passed"]) for step in each["tried"]] for each in document["nodes"]}


def test_all_nodes_can_be_worked_with(lab, capsys):
    assert 0 == main(["connect", lab.name])
    out, err = capsys.readouterr()
    assert all(f"{node}: ready" in err for node in ("NODE1", "NODE2", "NODE3"))
    assert "failed" not in out


def test_a_node_that_is_away_is_named_with_what_to_do(lab, capsys):
    lab.world.machine("NODE2").lose_power()
    assert 3 == main(["connect", lab.name, "--output", "json"])
    steps = found(capsys)
    assert {"NODE2": ("TCP", False)} == {node: tried[-1] for node, tried in steps.items() if not tried[-1][1]}
    assert 3 == main(["connect", lab.name])
    assert "NODE2, TCP: Check that WinRM listens there" in " ".join(capsys.readouterr().out.split())


def test_the_other_nodes_are_learnt_from_the_cluster(lab, tmp_path, monkeypatch, capsys):
    """One entry node is enough; a node that the cluster names and nobody finds fails by its name."""
    node = lab.record.nodes[0]
    config = tmp_path / "clusters.toml"
    config.write_text(
        f"[clusters.WAYS-FC1]\nnodes = [{{ name = 'NODE1', address = '127.0.0.1', port = {node.port},"
        f" certificate_name = 'NODE1' }}]\nca_file = '{lab.record.ca_file}'\nauthentication = 'basic'\n"
        f"user_name = '{lab.record.user_name}'\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("CAUCTL_CONFIG", str(config))
    monkeypatch.setenv("CAUCTL_PASSWORD", lab.record.password)
    assert 3 == main(["connect", "WAYS-FC1", "--output", "json"])
    steps = found(capsys)
    assert ["NODE1", "NODE2", "NODE3"] == list(steps)
    assert steps["NODE1"][-1] == ("Commands", True)
    assert [("Name", False)] == steps["NODE2"] == steps["NODE3"]


def test_an_endpoint_of_ours_shows_its_module(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAUCTL_RUNTIME", str(tmp_path / "runtime"))
    with Lab(nodes=2, name="WAYS-FC2", lock=jea_lock()):
        assert 0 == main(["connect", "WAYS-FC2", "--output", "json"])
    assert {("Commands", True)} == {tried[-1] for tried in found(capsys).values()}


def test_where_no_entry_node_answers_nobody_else_is_known(monkeypatch, capsys):
    monkeypatch.setenv("CAUCTL_PASSWORD", "x")
    assert 1 == main(["connect", "NONE-FC1", "--entry-node", "nosuch.invalid", "--username", "kim"])
    out, err = capsys.readouterr()
    assert "nosuch.invalid, Name: Check the name in DNS" in " ".join(out.split())
    assert "The other nodes of the cluster are not known." in err


@pytest.mark.parametrize("options", [["--no-tls"], ["--authentication", "certificate"]])
def test_choices_that_do_not_fit_are_refused_before_anybody_is_asked(options, monkeypatch, capsys):
    monkeypatch.setenv("CAUCTL_PASSWORD", "x")
    basic = [] if "--authentication" in options else ["--authentication", "basic"]
    assert 2 == main(["connect", "FC1", "--entry-node", "n1", "--username", "kim", *basic, *options])
    assert "authentication" in capsys.readouterr().err
