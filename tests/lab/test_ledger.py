"""The ledger: sums of what happened, as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from cauctl.lab.ledger import Installation, Ledger, Pause, Restart
from tests.lab.desk import quiet_world

START = datetime(2026, 3, 17, 21, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def kept() -> Ledger:
    ledger = Ledger(START)
    ledger.votes(2)
    ledger.pause(Pause(at(1), node="NODE1", by="alice", paused=True))
    ledger.role_offline(at(2), "SQL", "moves")
    ledger.role_offline(at(2.5), "SQL", "again")
    ledger.role_online(at(3), "SQL", "NODE2")
    ledger.role_offline(at(10), "SQL", "moves")
    ledger.node_down(at(4), "NODE1")
    ledger.node_down(at(5), "NODE2")
    ledger.node_up(at(6), "NODE1")
    ledger.votes(0)
    ledger.votes(1)
    ledger.restart(
        Restart(at(4), node="NODE1", by="alice", paused=True, roles=("VM1",), others_down=(), resyncing=False,
                vote_margin=0)
    )  # fmt: skip
    for hresult in (0, 0x80070643):
        ledger.installation(
            Installation(at(7), node="NODE1", update_id="x", title="T", hresult=hresult, offered=True, paused=True)
        )
    return ledger


def test_the_ledger_sums_up() -> None:
    report = kept().report(at(12))
    assert report.role_offline == {"SQL": timedelta(minutes=3)}
    assert report.role_longest == {"SQL": timedelta(minutes=2)}
    assert (report.most_nodes_down, report.least_vote_margin) == (2, 0)
    assert report.roles_restarted_under == (("VM1", "NODE1"),)
    assert report.paused_now == {"NODE1": "alice"}


def test_resuming_ends_a_pause() -> None:
    ledger = kept()
    ledger.pause(Pause(at(8), node="NODE1", by="bob", paused=False))
    assert ledger.report(at(9)).paused_now == {}


def test_the_report_reads_well() -> None:
    assert kept().report(at(12)).to_text() == (
        "Availability of the lab, 2026-03-17 21:00 to 2026-03-17 21:12 (lab time)\n"
        "  Most nodes down at once   2\n"
        "  Least vote margin         0\n"
        "  Restarts                  1\n"
        "  Roles restarted under     VM1 on NODE1\n"
        "  Storage put at risk       never\n"
        "  Installations             1, 1 failed\n"
        "  Nodes still paused        NODE1 (by alice)\n"
        "  Roles offline\n"
        "    SQL  3 min, at most 2 min at a time\n"
    )


def test_a_quiet_report_says_so() -> None:
    text = Ledger(START).report(at(1)).to_text()
    assert "  Roles offline             never\n" in text
    assert "  Least vote margin         not known\n" in text


def test_the_report_as_json_has_plain_values() -> None:
    document = json.loads(kept().report(at(12)).to_json())
    assert document["role_offline"] == {"SQL": 180.0}
    assert document["restarts"][0]["at"] == "2026-03-17T21:04:00+00:00"
    assert document["ends"] == "2026-03-17T21:12:00+00:00"


def test_a_world_that_nobody_touches_has_an_empty_ledger() -> None:
    world = quiet_world()
    world.advance(world.now + timedelta(days=1))
    report = world.ledger.report(world.now)
    assert (report.role_offline, report.restarts, report.installations, report.pauses) == ({}, (), (), ())
    assert (report.most_nodes_down, report.least_vote_margin) == (0, 2)
