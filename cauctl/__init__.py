"""Cluster-Aware Updating for Windows failover clusters, coordinated from Python.

``cauctl`` works: it decides, talks to nodes, remembers and reports. Programs use the cmdlets in :mod:`cmdlets`;
people use the command ``cauctl``. What stands in ``__all__`` of this package and of :mod:`cauctl.operations`,
:mod:`cauctl.models`, :mod:`cauctl.psobject` and :mod:`cauctl.errors` is public, the rest is private.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
