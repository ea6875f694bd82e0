"""Who we are to a node: a user name and a password, as PowerShell's ``PSCredential``.

Rules kept here:

* A secret shows in no ``repr``, ``str``, ``format`` or traceback of values; it is asked for by name.
* Nothing here stores or reads a password; it comes from the caller.
"""

from __future__ import annotations

from attrs import field, frozen, validators

__all__ = ["PSCredential", "SecureString"]


@frozen(repr=False, str=False)
class SecureString:
    """A text that must not be shown, as .NET's ``SecureString``; on the wire it is encrypted with the session's key."""

    text: str = field(validator=validators.instance_of(str))
    """The secret itself."""

    def __repr__(self) -> str:
        return "SecureString('********')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)


@frozen(repr=False)
class PSCredential:
    r"""A user name and a password.

    ``PSCredential("CONTOSO\\admin", "…")`` or ``PSCredential("admin@contoso.com", "…")``.
    """

    user_name: str = field(validator=[validators.instance_of(str), validators.min_len(1)])
    r"""``DOMAIN\user``, ``user@domain``, or the name of a local account."""
    password: str = field(validator=validators.instance_of(str))
    """The password in clear; never written anywhere by this package."""

    def __repr__(self) -> str:
        return f"PSCredential({self.user_name!r}, '********')"
