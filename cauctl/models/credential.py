r"""Who we are to a node: a user name and a password, as PowerShell's ``PSCredential``.

Rules kept here:

* A secret shows in no ``repr``, ``str`` or ``format``, and in no error about it; it is asked for by name.
* Nothing here stores or reads a password; it comes from the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["PSCredential", "Secret"]


def _is_text(_: object, attribute: Attribute[str], value: object) -> None:
    """Check the type without attrs' message, which would print the value."""
    if not isinstance(value, str):
        raise InputError(f"is a {type(value).__name__}", where=attribute.name, expected="a str")


@frozen(repr=False)
class Secret:
    """A text that is never shown; it travels as a ``SecureString``, sealed with a session's key."""

    text: str = field(validator=_is_text)
    """The secret itself."""

    def __repr__(self) -> str:
        return "Secret('********')"


@frozen(repr=False)
class PSCredential:
    r"""A user name and a password: ``PSCredential("CONTOSO\\admin", password)``."""

    user_name: str = field(validator=_is_text)
    r"""``DOMAIN\user``, ``user@domain``, or the name of a local account."""
    password: str = field(validator=_is_text)
    """The password in clear; never written anywhere by this package."""

    @user_name.validator
    def _is_given(self, attribute: Attribute[str], value: str) -> None:
        if not value:
            raise InputError("is empty", where=attribute.name, expected="the name of an account")

    def __repr__(self) -> str:
        return f"PSCredential({self.user_name!r}, '********')"
