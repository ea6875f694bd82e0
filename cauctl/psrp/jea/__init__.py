"""Nodes behind an endpoint without language (JEA): functions of ours, installed beforehand, are all that it shows.

:mod:`~cauctl.psrp.jea.functions` lists them, ``CauctlNode.psm1`` beside it is what they do on the node, and
:mod:`~cauctl.psrp.jea.files` writes module, role capability and session configuration from both.
"""
