"""How to reach a cluster and who to be there: options that commands share, and questions on the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from attrs import frozen
from cyclopts import Parameter as Option

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential
from cauctl.operations.access import ConnectionChoice

__all__ = ["PASSWORD_VARIABLE", "REACHING", "Reaching", "ask_password", "confirm"]

PASSWORD_VARIABLE = "CAUCTL_PASSWORD"  # noqa: S105  the name of a variable, not a password


@frozen(kw_only=True)
class Reaching:
    """Options that say how to reach a cluster; what is not given comes from ``clusters.toml``."""

    entry_node: Annotated[tuple[str, ...], Option(help="Node to connect to first; repeat it for alternates.")] = ()
    username: Annotated[
        str | None, Option(help=f"Account on the nodes; its password comes from {PASSWORD_VARIABLE} or a prompt.")
    ] = None
    port: Annotated[int | None, Option(help="TCP port of the nodes. [default: 5986]")] = None
    authentication: Annotated[
        Literal["negotiate", "kerberos", "ntlm", "basic", "certificate", "credssp"] | None,
        Option(help="How to authenticate; credssp hands the password to the node. [default: negotiate]"),
    ] = None
    tls: Annotated[
        bool | None, Option(negative="--no-tls", help="HTTPS, or HTTP with encrypted messages. [default: HTTPS]")
    ] = None
    ca_file: Annotated[
        Path | None, Option(help="PEM file of the authorities to trust for the nodes' certificates.")
    ] = None
    client_certificate: Annotated[
        Path | None, Option(help="PEM file of our own certificate, for --authentication certificate.")
    ] = None
    client_certificate_key: Annotated[
        Path | None, Option(help="PEM file of its key, when it is not in the same file.")
    ] = None
    session_configuration: Annotated[
        str | None,
        Option(help="Session configuration on the nodes. [default: Microsoft.PowerShell; cauctl with --jea]"),
    ] = None
    jea: Annotated[
        bool | None,
        Option(negative="--no-jea", help="The nodes show only the functions of cauctl jea export. [default: no]"),
    ] = None
    proxy: Annotated[str | None, Option(help="URL of an HTTP proxy to the nodes.")] = None

    def for_operations(self) -> dict[str, Any]:
        """Keyword arguments that every operation takes."""
        choice = ConnectionChoice(
            entry_nodes=self.entry_node,
            username=self.username,
            port=self.port,
            authentication=self.authentication,
            tls=self.tls,
            ca_file=self.ca_file,
            client_certificate=self.client_certificate,
            client_certificate_key=self.client_certificate_key,
            configuration_name=self.session_configuration,
            jea=self.jea,
            proxy=self.proxy,
        )
        return {"connection": choice, "ask_password": ask_password}


REACHING = Annotated[Reaching, Option(name="*")]


def ask_password(username: str) -> PSCredential:
    """Take the password of ``username`` from the environment, else ask for it on the terminal."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            raise InputError(
                f"no password for {username}",
                where="--username",
                expected=f"the variable {PASSWORD_VARIABLE}, or a terminal to ask on",
            )
        password = getpass.getpass(f"Password of {username}: ")
    return PSCredential(username, password)


def confirm(question: str) -> bool:
    """Ask a yes-or-no question on the terminal; refuses to guess where there is none."""
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to ask on", where="confirmation", expected="--force, or a terminal")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}
