"""The world as the product's models see it: facts about the cluster, and what a node says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.lab.world.machine import CLUSTER_SERVICE
from cauctl.lab.world.registry import AUTO_LOGON_CHECKED, CBS_REBOOT_PENDING, WU_REBOOT_REQUIRED
from cauctl.models.lock import fence_of
from cauctl.models.nodes import ClusterFacts, ClusterGroup, ClusterNode, NodeProbe, Quorum

if TYPE_CHECKING:
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.world import World

__all__ = ["cluster_facts", "node_probe"]


def cluster_facts(world: World) -> ClusterFacts:
    """Give one observation of the cluster; a coordinator's lock is no role."""
    cluster = world.cluster
    quorum = cluster.quorum
    return ClusterFacts(
        cluster.name,
        domain=world.scenario.domain,
        nodes=tuple(
            ClusterNode(
                member.name,
                state=member.state,
                drain_status=member.drain,
                node_weight=member.node_weight,
                dynamic_weight=member.dynamic_weight,
                status_information=member.status_information,
                fault_domain=member.site,
            )
            for member in cluster.members.values()
        ),
        groups=tuple(
            ClusterGroup(
                group.name,
                owner_node=group.owner,
                state=group.state,
                group_type=group.group_type,
                is_core_group=group.core,
                locked_from_moving=group.locked,
            )
            for group in cluster.roles
            if fence_of(group.name) is None
        ),
        quorum=Quorum(
            quorum.witness,
            witness_online=quorum.witness_online,
            witness_weight=quorum.witness_weight,
            dynamic=quorum.dynamic,
        ),
        s2d_enabled=bool(cluster.storage.disks),
        observed=world.now,
    )


def node_probe(machine: Machine) -> NodeProbe:
    """Give what a node says of its own operating system."""
    pending = [
        name
        for name, key in (("CBS RebootPending", CBS_REBOOT_PENDING), ("WU RebootRequired", WU_REBOOT_REQUIRED))
        if key in machine.registry
    ]
    return NodeProbe(
        machine.name,
        boot_time=machine.boot_time,
        uptime=machine.world.now - machine.boot_time,
        build=machine.build,
        reboot_pending=tuple(pending),
        servicing_in_progress=machine.servicing,
        boot_finished=AUTO_LOGON_CHECKED in machine.registry,
        cluster_service_running=machine.services[CLUSTER_SERVICE].running,
        stopped_services=tuple(
            service.name
            for service in machine.services.values()
            if service.start_mode == "Auto" and not service.delayed and not service.running
        ),
    )
