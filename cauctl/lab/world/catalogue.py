"""What an update of a lab's catalogue is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.models.agent import FoundUpdate, UpdateKey

if TYPE_CHECKING:
    from cauctl.lab.world.criteria import Facts

__all__ = ["MEBIBYTE", "CatalogueUpdate"]

MEBIBYTE: Final = 1 << 20


@frozen
class CatalogueUpdate:
    """One update that Windows Update may offer to nodes."""

    update_id: str
    """GUID in lower case."""
    title: str = field(kw_only=True)
    """Title as Windows Update shows it."""
    description: str = field(default="", kw_only=True)
    """A sentence or two."""
    revision: int = field(default=200, kw_only=True)
    """``RevisionNumber``."""
    kb: str = field(default="", kw_only=True)
    """Article number without ``KB``; empty for drivers."""
    severity: str = field(default="", kw_only=True)
    """``MsrcSeverity``; empty for most."""
    size: int = field(default=MEBIBYTE, kw_only=True)
    """Bytes to download."""
    update_type: str = field(default="Software", kw_only=True)
    """Software or Driver."""
    category: str = field(default="0fa1201d-4330-4fa8-8ae9-b877473b6441", kw_only=True)
    """Category id; security updates when not told otherwise."""
    assigned: bool = field(default=True, kw_only=True)
    """``IsAssigned``: Automatic Updates would install it."""
    browse_only: bool = field(default=False, kw_only=True)
    """``BrowseOnly``: optional."""
    deployment_action: str = field(default="Installation", kw_only=True)
    """Installation or OptionalInstallation."""
    products: frozenset[str] = field(default=frozenset({"WindowsServer2022"}), kw_only=True)
    """A node that has one of these products is offered the update."""
    requires: tuple[str, ...] = field(default=(), kw_only=True)
    """Update ids that must be installed, restart included, before this one is offered."""
    superseded_by: tuple[str, ...] = field(default=(), kw_only=True)
    """Update ids that hide this one as soon as the node is offered or has them."""
    duration: timedelta = field(default=timedelta(seconds=40), kw_only=True)
    """How long the installation takes."""
    reboot_behavior: int = field(default=0, kw_only=True)
    """``RebootBehavior``: 0 never, 1 always, 2 may ask. 1 and 2 ask here."""
    servicing: bool = field(default=False, kw_only=True)
    """Goes through component-based servicing: works on after the restart."""
    exclusive: bool = field(default=False, kw_only=True)
    """``Impact`` 2: must be installed alone."""
    eula: str = field(default="", kw_only=True)
    """Licence that must be accepted first."""
    user_input: bool = field(default=False, kw_only=True)
    """``CanRequestUserInput``."""
    hidden: bool = field(default=False, kw_only=True)
    """An administrator has hidden it on all nodes."""
    build: int | None = field(default=None, kw_only=True)
    """Update build revision (UBR) of the node once it is installed."""
    fails_with: int | None = field(default=None, kw_only=True)
    """HRESULT with which each installation fails."""
    rolls_back: bool = field(default=False, kw_only=True)
    """The restart undoes it, and it is offered again."""
    released: timedelta = field(default=timedelta(days=7), kw_only=True)
    """How long before the beginning of the world it was published."""

    @property
    def key(self) -> UpdateKey:
        """Identity of the update."""
        return UpdateKey(self.update_id, self.revision)

    @property
    def asks_for_restart(self) -> bool:
        """Whether the installation is complete only after a restart."""
        return self.reboot_behavior != 0

    @property
    def support_url(self) -> str:
        """Address of the article."""
        return f"https://support.microsoft.com/help/{self.kb}" if self.kb else ""

    def facts(self, *, installed: bool, hidden: bool, present: bool, reboot_required: bool) -> Facts:
        """Give what search criteria ask about the update on one node."""
        return {
            "type": self.update_type.lower(),
            "deploymentaction": self.deployment_action.lower(),
            "updateid": self.update_id,
            "revisionnumber": self.revision,
            "categoryids": frozenset({self.category}),
            "isassigned": int(self.assigned),
            "browseonly": int(self.browse_only),
            "autoselectonwebsites": int(self.assigned),
            "isinstalled": int(installed),
            "ishidden": int(hidden),
            "ispresent": int(present),
            "rebootrequired": int(reboot_required),
        }

    def found(self, *, downloaded: bool, eula_accepted: bool) -> FoundUpdate:
        """Give the update as an agent reports it."""
        return FoundUpdate(
            self.key,
            title=self.title,
            description=self.description,
            kb_article_ids=(self.kb,) if self.kb else (),
            msrc_severity=self.severity,
            max_download_size=self.size,
            is_downloaded=downloaded,
            eula_accepted=eula_accepted or not self.eula,
            can_request_user_input=self.user_input,
            reboot_behavior=self.reboot_behavior,
            exclusive=self.exclusive,
            support_url=self.support_url,
        )
