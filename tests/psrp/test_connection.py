"""Connections: safe by default, checked when made, and silent about secrets."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.psrp.connection import Authentication, NodeConnection

ADMIN = PSCredential("CONTOSO\\admin", "hunter2")


def test_the_defaults_are_the_safe_ones():
    connection = NodeConnection("N1")
    assert connection.url == "https://N1:5986/wsman"
    assert connection.certificate_validation
    assert Authentication.NEGOTIATE is connection.authentication
    assert connection.proxy is None


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://N1:5985/wsman", {"tls": False}),
        ("https://n1.contoso.com:443/ps", {"address": "n1.contoso.com", "port": 443, "path": "ps"}),
        ("https://[fe80::1]:5986/wsman", {"address": "fe80::1"}),
        ("https://[fe80::1]:5986/wsman", {"address": "[fe80::1]"}),
    ],
)
def test_address_port_and_path_make_the_url(url, options):
    assert url == NodeConnection("N1", **options).url


@pytest.mark.parametrize("spelling", ["Kerberos", "kerberos", "KERBEROS", Authentication.KERBEROS])
def test_authentication_takes_powershells_spelling(spelling):
    assert Authentication.KERBEROS is NodeConnection("N1", authentication=spelling).authentication


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("needs tls", {"authentication": "basic", "tls": False, "credential": ADMIN}),
        ("needs a credential", {"authentication": "basic"}),
        ("needs a credential", {"authentication": "ntlm"}),
        ("need each other", {"authentication": "certificate"}),
        ("need each other", {"client_certificate": "me.pem"}),
        ("mean nothing without tls", {"tls": False, "ca_file": "ca.pem"}),
        ("port is 70000", {"port": 70000}),
        ("port is True", {"port": True}),
        ("address is 'a b'", {"address": "a b"}),
        ("address is 'evil/x'", {"address": "evil/x"}),
        ("address is 'u@h'", {"address": "u@h"}),
        ("path is 'a b'", {"path": "a b"}),
        ("configuration_name is", {"configuration_name": "../x"}),
        ("locale is", {"locale": "x"}),
        ("proxy is no URL", {"proxy": "proxy:3128"}),
        ("read_timeout must be longer", {"read_timeout": timedelta(seconds=20)}),
        ("operation_timeout is", {"operation_timeout": timedelta(milliseconds=10)}),
        ("idle_timeout is", {"idle_timeout": timedelta(seconds=10)}),
        ("tls is 1", {"tls": 1}),
        ("is no way to authenticate", {"authentication": "digest"}),
    ],
)
def test_what_cannot_work_or_is_not_safe_is_refused(fault, options):
    with pytest.raises(InputError, match=fault):
        NodeConnection("N1", **options)


def test_all_faults_are_named_at_once():
    with pytest.raises(InputError) as caught:
        NodeConnection("N1", authentication="basic", tls=False, path="a b")
    message = str(caught.value)
    assert all(part in message for part in ("connection to N1", "path", "needs tls", "needs a credential"))


@pytest.mark.parametrize(
    "options",
    [
        {"credential": ("admin", "hunter2")},
        {"credential": "hunter2"},
        {"credential": ADMIN, "port": "x"},
        {"proxy": "ftp://user:hunter2@proxy"},
        {"client_certificate": "me.pem", "client_certificate_password": "hunter2"},
    ],
)
def test_no_refusal_shows_a_secret(options):
    with pytest.raises(InputError) as caught:
        NodeConnection("N1", **options)
    assert "hunter2" not in str(caught.value)


def test_no_text_of_a_connection_shows_a_secret():
    connection = NodeConnection(
        "N1",
        authentication="certificate",
        credential=ADMIN,
        client_certificate="me.pem",
        client_certificate_password="hunter2",
        proxy="http://user:hunter2@proxy:3128",
    )
    assert Secret("hunter2") == connection.client_certificate_password
    assert "hunter2" not in repr(connection)


def test_connections_are_values():
    connection = NodeConnection("N1", ca_file="ca.pem", credential=ADMIN)
    assert Path("ca.pem") == connection.ca_file
    assert NodeConnection("N1", address="N1", port=5986, ca_file=Path("ca.pem"), credential=ADMIN) == connection
    assert connection == pickle.loads(pickle.dumps(connection))
    assert NodeConnection("N2", address="n2", ca_file="ca.pem") == connection.evolve(
        node="N2", address="n2", credential=None
    )
