"""A real MIT Kerberos realm on loopback: one user, one node's service, a KDC of its own, gone with its folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

REALM: Final = "LAB.TEST"
USER: Final = f"operator@{REALM}"
PASSWORD: Final = "correct horse"
SERVICE_HOST: Final = "n1.lab.test"
PROGRAMS: Final = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/heimdal-servers"))


def program(name: str) -> str | None:
    """Find a program of the KDC."""
    return shutil.which(name, path=_PLACES)


@frozen
class Realm:
    """A realm that runs."""

    folder: Path
    """Where its files are."""
    port: int
    """Port of the KDC on loopback."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process of the realm is told; the keytab serves the node, the cache the user."""
        return {
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5_KTNAME": f"FILE:{self.folder / 'node.keytab'}",
            "KRB5CCNAME": f"FILE:{self.folder / 'cache'}",
            "KRB5RCACHETYPE": "none",
        }

    def call(self, *arguments: str, given: str = "") -> None:
        """Run a program of the realm."""
        command = [program(arguments[0]) or arguments[0], *arguments[1:]]
        done = subprocess.run(
            command, input=given, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def sign_in(self) -> None:
        """Get the user a ticket."""
        self.call("kinit", USER, given=f"{PASSWORD}\n")

    def sign_out(self) -> None:
        """Drop the ticket."""
        (self.folder / "cache").unlink(missing_ok=True)


@contextmanager
def running(folder: Path) -> Iterator[Realm]:
    """Run a realm until the context is left."""
    realm = Realm(folder, _free_port())
    _configure(realm)
    realm.call("kdb5_util", "create", "-s", "-P", "master")
    realm.call("kadmin.local", "addprinc", "-pw", PASSWORD, USER)
    realm.call("kadmin.local", "addprinc", "-randkey", f"host/{SERVICE_HOST}")
    realm.call("kadmin.local", "ktadd", "-k", str(folder / "node.keytab"), f"host/{SERVICE_HOST}")
    log = (folder / "kdc.out").open("wb")
    kdc = subprocess.Popen(
        [program("krb5kdc") or "krb5kdc", "-n"], env={**os.environ, **realm.environment}, stdout=log, stderr=log
    )
    try:
        _await(realm.port, kdc)
        yield realm
    finally:
        kdc.terminate()
        kdc.wait(10)
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, kdc: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert kdc.poll() is None, "the KDC ended"
            assert time.monotonic() < until, "the KDC does not answer"
            time.sleep(0.02)
        else:
            return


def _configure(realm: Realm) -> None:
    folder, port = realm.folder, realm.port
    (folder / "krb5.conf").write_text(
        f"""[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .lab.test = {REALM}
""",
        encoding="utf-8",
    )
    (folder / "kdc.conf").write_text(
        f"""[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {REALM} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        max_life = 1h
    }}
""",
        encoding="utf-8",
    )
