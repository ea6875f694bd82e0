"""Nodes over PowerShell remoting: the one home of pypsrp.

:mod:`~cauctl.psrp.connection` says how to reach a node, :mod:`~cauctl.psrp.pipeline` what to ask of it,
:mod:`~cauctl.psrp.session` asks. pypsrp itself is imported when the first session opens, so importing this is cheap.
"""

from __future__ import annotations

from cauctl.models.credential import PSCredential, Secret
from cauctl.psrp.connection import Authentication, NodeConnection
from cauctl.psrp.pipeline import Command, ErrorRecord, Pipeline, PipelineResult, command, native, script
from cauctl.psrp.session import NodeSession

__all__ = [
    "Authentication",
    "Command",
    "ErrorRecord",
    "NodeConnection",
    "NodeSession",
    "PSCredential",
    "Pipeline",
    "PipelineResult",
    "Secret",
    "command",
    "native",
    "script",
]
