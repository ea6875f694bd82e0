"""From a cmdlet's options to what decisions depend on; observations told by differences; checkpoints."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.coordinator.checkpoint import checkpoint_of, read_checkpoint
from cauctl.coordinator.events import ClusterChanged, ClusterObserved
from cauctl.coordinator.settings import DEFAULT_QUERY, Limits, Purpose, RunSettings, scan_settings, update_settings
from cauctl.coordinator.sight import came_up, completed, differing, told
from cauctl.coordinator.state import RunState
from cauctl.errors import InputError, StateError
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import GroupState, NodeState, Quorum
from cauctl.models.options import ScanOptions, UpdatingRunOptions
from tests.policy.facts import DOWN, NOON, PAUSED, UP, cluster, group, node
from tests.trial import Trial, scenario

# --- settings --------------------------------------------------------------------------------------------------------


def test_the_defaults_of_invoke_cau_run():
    assert update_settings(UpdatingRunOptions(cluster_name="FC1")) == RunSettings(
        max_retries_per_node=3, reboot_timeout=timedelta(minutes=15), failback_mode=FailbackType.IMMEDIATE
    )


def test_every_option_that_is_served_arrives():
    options = UpdatingRunOptions(
        cluster_name="FC1",
        max_failed_nodes=1,
        max_retries_per_node=0,
        node_order=("N2",),
        require_all_nodes_online=True,
        reboot_timeout_minutes=60,
        failback_mode="NoFailback",
        stop_after=timedelta(hours=4),
        warn_after=timedelta(hours=2),
        site_aware_updating_order=("Paris",),
        suspend_cluster_node_timeout_minutes=20,
        suspend_retries_per_node=5,
        wait_for_storage_repair_timeout_minutes=90,
        force_pause_drain_and_reboot=True,
        skip_update_checks=True,
        separate_reboots=True,
        cau_plugin_arguments=({"querystring": "Type='Driver'", "IncludeRecommendedUpdates": "True"},),
    )
    assert update_settings(options) == RunSettings(
        max_failed_nodes=1,
        max_retries_per_node=0,
        node_order=("N2",),
        require_all_nodes_online=True,
        reboot_timeout=timedelta(hours=1),
        failback_mode=FailbackType.NO_FAILBACK,
        stop_after=timedelta(hours=4),
        warn_after=timedelta(hours=2),
        site_order=("Paris",),
        suspend_retries=5,
        force_drain=True,
        always_restart=True,
        search_again=False,
        cautions=("separate_reboots has no effect: there is a single plug-in.",),
        limits=Limits(suspend_retry=timedelta(minutes=20), storage=timedelta(minutes=90)),
        query="Type='Driver'",
        include_recommended=True,
    )


def test_a_pause_without_a_drain_and_a_default_time():
    options = UpdatingRunOptions(cluster_name="FC1", force_pause_no_drain=True, suspend_cluster_node_timeout_minutes=-1)
    assert update_settings(options) == RunSettings(drain=False)


def test_a_scan_tries_each_node_once():
    settings = scan_settings(ScanOptions(cluster_name="FC1"))
    assert (settings.purpose, settings.max_retries_per_node, settings.query) == (Purpose.SCAN, 0, DEFAULT_QUERY)


@pytest.mark.parametrize(
    ("arguments", "told_of"),
    [
        ({"HotfixRootFolderPath": "x"}, "'HotfixRootFolderPath' is no argument"),
        ({"QueryString": ""}, "QueryString is no text"),
        ({"QueryString": 7}, "QueryString is no text"),
        ({"IncludeRecommendedUpdates": "maybe"}, "IncludeRecommendedUpdates is 'maybe'"),
    ],
)
def test_arguments_that_the_plugin_does_not_know_are_refused(arguments, told_of):
    with pytest.raises(InputError, match=told_of):
        scan_settings(ScanOptions(cluster_name="FC1", cau_plugin_arguments=(arguments,)))


# --- sight -----------------------------------------------------------------------------------------------------------

STATES = st.sampled_from([UP, DOWN, PAUSED, NodeState.JOINING])
CLUSTERS = st.builds(
    lambda states, owners, kinds, witness: cluster(
        *(node(f"N{i}", state) for i, state in enumerate(states)),
        groups=tuple(group(f"G{i}", f"N{o}", kind) for i, (o, kind) in enumerate(zip(owners, kinds, strict=True))),
        witness=witness,
    ),
    st.lists(STATES, min_size=3, max_size=3),
    st.lists(st.integers(0, 2), min_size=2, max_size=2),
    st.lists(st.sampled_from(list(GroupState)), min_size=2, max_size=2),
    st.sampled_from([None, 0, 1]),
)


@given(CLUSTERS, CLUSTERS)
def test_what_differs_is_enough(before, now):
    """Taking the difference that was told gives what was seen."""
    event = told(before, now, at=NOON, call=1, node=None)
    seen = event.facts if isinstance(event, ClusterObserved) else differing(before, event)
    assert (seen.nodes, seen.groups, seen.quorum) == (now.nodes, now.groups, now.quorum)


def test_a_look_that_finds_nothing_new_says_nothing():
    facts = cluster(node("N1"))
    assert told(facts, facts, at=NOON, call=1, node="N1") == ClusterChanged(NOON, call=1, node="N1")


def test_other_nodes_or_groups_are_told_whole():
    before, now = cluster(node("N1")), cluster(node("N1"), node("N2"))
    assert told(before, now, at=NOON, call=None, node=None) == ClusterObserved(NOON, facts=now)
    assert told(None, now, at=NOON, call=None, node=None) == ClusterObserved(NOON, facts=now)


def test_a_node_that_the_cluster_no_longer_names_is_kept_without_a_vote():
    facts = completed(cluster(node("N1")), {"N1": 1, "N2": 2})
    assert [(each.name, each.state, each.dynamic_weight) for each in facts.nodes] == [
        ("N1", UP, 1),
        ("N2", NodeState.UNKNOWN, 0),
    ]


def test_a_node_that_comes_up_is_noted_and_one_that_was_up_is_not():
    before = cluster(node("N1", DOWN), node("N2"), node("N3", PAUSED))
    assert came_up({}, before, (node("N1"), node("N2"), node("N3")), NOON) == {"N1": NOON, "N3": NOON}
    assert came_up({}, None, (node("N1"),), NOON) == {}


def test_a_lost_witness_is_a_difference():
    before = cluster(node("N1"), witness=1)
    now = evolve(before, quorum=evolve(before.quorum, witness_online=False))
    assert told(before, now, at=NOON, call=None, node=None).quorum == Quorum("Share", witness_weight=1)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_tells_where_every_node_is_at_every_moment():
    trial = Trial(scenario(nodes=2))
    sizes: list[int] = []

    def watch(_event: object, state: RunState) -> None:
        text = checkpoint_of(state)
        sizes.append(len(text))
        mark = read_checkpoint(text)
        assert mark.paused == state.unresumed
        assert [(each.name, each.phase, each.attempt) for each in mark.nodes] == [
            (each.name, each.phase, each.attempt) for each in state.nodes.values()
        ]

    trial.run(on_event=watch)
    assert max(sizes) < 4000


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"version":2}', '{"version":1,"run":"r"}', '{"version":1,"run":"r","started":"x"}', "null"],
)
def test_what_is_no_checkpoint_of_this_version_is_refused(text):
    with pytest.raises(StateError):
        read_checkpoint(text)
