"""clusters.toml: what a user writes is understood, or named with line and key; no password is ever kept."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential
from cauctl.models.schemas import schema
from cauctl.psrp.cluster_keys import CLUSTER_KEYS, NODE_KEYS
from cauctl.psrp.clusters_file import ClustersFile, clusters_path
from cauctl.psrp.connection import Authentication, NodeConnection
from cauctl.psrp.toml_lines import key_lines

PATH = Path("/etc/cauctl/clusters.toml")
EXAMPLE = r"""
[defaults]
user_name = 'CONTOSO\admin'
read_timeout = "45s"

[clusters.CONTOSO-FC1]
domain = "contoso.com"
nodes = ["N1", "N2"]
ca_file = "contoso-ca.pem"
read_timeout = "1m"

[clusters.BRANCH-FC2]
nodes = [
    { name = "B1", address = "10.0.0.1", certificate_name = "b1.branch.local" },
    { name = "B2", address = "10.0.0.2", port = 15986 },
]
authentication = "Kerberos"
"""


def read(text: str) -> ClustersFile:
    return ClustersFile.parse(text, path=PATH)


def fault(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(text)
    return str(caught.value)


def test_each_entry_node_becomes_a_connection():
    credential = PSCredential("CONTOSO\\admin", "hunter2")
    first, second = read(EXAMPLE).clusters
    assert (
        NodeConnection(
            "N1",
            address="N1.contoso.com",
            credential=credential,
            ca_file="/etc/cauctl/contoso-ca.pem",
            read_timeout=timedelta(minutes=1),
        ),
        NodeConnection(
            "N2",
            address="N2.contoso.com",
            credential=credential,
            ca_file="/etc/cauctl/contoso-ca.pem",
            read_timeout=timedelta(minutes=1),
        ),
    ) == first.connections(credential)
    common = {"authentication": Authentication.KERBEROS, "read_timeout": timedelta(seconds=45)}
    assert (
        NodeConnection("B1", address="10.0.0.1", certificate_name="b1.branch.local", **common),
        NodeConnection("B2", address="10.0.0.2", port=15986, **common),
    ) == second.connections()


@pytest.mark.parametrize("name", ["CONTOSO-FC1", "contoso-fc1", "Contoso-FC1.contoso.com"])
def test_a_cluster_is_found_in_any_case_with_or_without_its_domain(name):
    file = read(EXAMPLE)
    assert file.clusters[0] == file.find(name)


def test_an_unknown_cluster_is_not_found():
    assert read(EXAMPLE).find("OTHER") is None


def test_a_file_that_is_not_there_names_no_clusters(tmp_path):
    assert ClustersFile(tmp_path / "clusters.toml") == ClustersFile.load(tmp_path / "clusters.toml")


def test_the_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    """Windows' editors write one."""
    path = tmp_path / "clusters.toml"
    path.write_text("\ufeff" + EXAMPLE, encoding="utf-8")
    assert ["CONTOSO-FC1", "BRANCH-FC2"] == [entry.name for entry in ClustersFile.load(path).clusters]


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "clusters.toml"
    path.write_text(EXAMPLE, encoding="utf-16")
    with pytest.raises(InputError, match="a TOML file in UTF-8"):
        ClustersFile.load(path)


def test_an_environment_variable_names_another_file(tmp_path):
    assert tmp_path / "my.toml" == clusters_path({"CAUCTL_CONFIG": str(tmp_path / "my.toml")})
    assert clusters_path({}).name == "clusters.toml"
    assert clusters_path({}).parent.name == "cauctl"


# Passwords


def test_the_password_comes_from_the_environment_before_anyone_is_asked():
    entry = read(EXAMPLE).clusters[0]
    assert PSCredential("CONTOSO\\admin", "hunter2") == entry.credential(environ={"CAUCTL_PASSWORD": "hunter2"})


def test_another_variable_can_hold_the_password():
    entry = read(EXAMPLE.replace("domain =", 'password_variable = "FC1_SECRET"\ndomain =')).clusters[0]
    environ = {"CAUCTL_PASSWORD": "wrong", "FC1_SECRET": "hunter2"}
    assert PSCredential("CONTOSO\\admin", "hunter2") == entry.credential(environ=environ)


def test_who_asks_is_asked_last():
    entry = read(EXAMPLE).clusters[0]
    asked = entry.credential(environ={}, ask=lambda user_name: PSCredential(user_name, "typed"))
    assert PSCredential("CONTOSO\\admin", "typed") == asked


def test_no_password_anywhere_says_where_it_could_come_from():
    with pytest.raises(InputError, match="environment variable CAUCTL_PASSWORD"):
        read(EXAMPLE).clusters[0].credential(environ={})


def test_without_a_user_name_the_current_user_is_meant():
    assert read('[clusters.A]\nnodes = ["N1"]').clusters[0].credential(environ={"CAUCTL_PASSWORD": "x"}) is None


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        'passwd = "hunter2"',
        'credential = "hunter2"',
        'client_certificate_password = "hunter2"',
        'proxy = "http://me:hunter2@proxy:3128"',
    ],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(line):
    message = fault(f'[clusters.A]\nnodes = ["N1"]\n{line}\n')
    assert message.startswith(f"{PATH}, line 3: clusters.A.{line.split()[0]} is ")
    assert "hunter2" not in message


# Faults


NODE = '[clusters.A]\nnodes = ["N1"]\n'


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("line 3: clusters.A.proxy is wrong, expected a URL", NODE + 'proxy = "http://proxy:99999"'),
        ("line 3: clusters.A.port is 99999, expected a number from 1 to 65535.", NODE + "port = 99999"),
        ("line 3: clusters.A.tsl is no key of this table, expected tls?.", NODE + "tsl = true"),
        ("line 2: defaults.tls is 'no', expected true or false.", "[defaults]\ntls = 'no'"),
        ("defaults.read_timeout is 45, expected a duration such as 30s, 5m or 2h.", "[defaults]\nread_timeout = 45"),
        ("line 1: clusters.A names no nodes, expected nodes = [", "[clusters.A]\ntls = true"),
        ("line 2: clusters.A.nodes is [], expected a list of at least one node", "[clusters.A]\nnodes = []"),
        ("line 2: clusters.A.nodes.2.port is 'x'", '[clusters.A]\nnodes = ["N1",\n{name = "N2", port = "x"}]'),
        ("line 2: clusters.A.nodes.1 has no name", '[clusters.A]\nnodes = [{address = "n1"}]'),
        ("nodes.1.adress is no key of this table, expected address?", '[clusters.A]\nnodes = [{name="N", adress="n"}]'),
        ("line 2: cluster is no key of this file, expected clusters and defaults", "\ncluster = 1"),
        ("line 1: clusters is no table", "clusters = 1"),
        ("line 2: clusters.A is no table", "[clusters]\nA = 1"),
        ("line 2: defaults.nodes cannot be common to clusters", '[defaults]\nnodes = ["N1"]'),
        (
            "line 1: clusters.A connection to N1: authentication basic needs tls",
            NODE + 'authentication="basic"\ntls=false',
        ),
        ("line 3: clusters.A.authentication is 'digest', expected negotiate or", NODE + 'authentication = "digest"'),
        ("line 2, column 8: ", "[clusters.A]\nnodes =\n"),
        ("expected a TOML document", "[clusters.A"),
    ],
)
def test_each_fault_names_line_key_and_what_is_accepted(expected, text):
    assert expected in fault(text)


def test_all_faults_are_named_at_once_in_the_order_of_the_file():
    message = fault('[defaults]\ntls = 1\n\n# a comment\n[clusters.A]\nnodes = ["N1"]\nport = 0\n')
    assert message == (
        f"{PATH}, line 2: defaults.tls is 1, expected true or false; "
        "line 7: clusters.A.port is 0, expected a number from 1 to 65535."
    )


def test_lines_are_found_in_multi_line_values_and_after_comments():
    text = 'a = 1\n\n# c\nb = [\n  1,\n  2,\n]\ntext = """\nx = 1\n"""\n[t.u]\nv = 1\n[[w]]\nz = 1\n[[w]]\nz = 2\n'
    assert {
        ("a",): 1,
        ("b",): 4,
        ("b", "1"): 4,
        ("b", "2"): 4,
        ("text",): 8,
        ("t",): 11,
        ("t", "u"): 11,
        ("t", "u", "v"): 12,
        ("w",): 13,
        ("w", "1"): 13,
        ("w", "1", "z"): 14,
        ("w", "2"): 15,
        ("w", "2", "z"): 16,
    } == key_lines(text)


# The schema


def test_the_schema_promises_the_keys_that_are_read():
    """Editors complete and check the same keys that the reader knows."""
    document = json.loads(schema("clusters.schema.json"))
    definitions = document["$defs"]
    assert set(CLUSTER_KEYS) == {*definitions["options"]["properties"], "nodes"}
    assert set(NODE_KEYS) == set(definitions["nodes"]["items"]["oneOf"][1]["properties"])
    assert {"clusters", "defaults"} == set(document["properties"])
    assert [way.value for way in Authentication] == definitions["options"]["properties"]["authentication"]["enum"]


def test_the_schemas_defaults_are_those_of_a_connection():
    options = json.loads(schema("clusters.schema.json"))["$defs"]["options"]["properties"]
    defaults = {name: option["default"] for name, option in options.items() if "default" in option}
    written = "".join(f"{name} = {json.dumps(value)}\n" for name, value in defaults.items())
    assert {} != defaults
    assert read(f'[clusters.A]\nnodes = ["N1"]\n{written}').clusters[0].connections() == (NodeConnection("N1"),)


def test_the_example_of_the_documentation_is_a_valid_file():
    """The block in docs/connections.md is read as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "connections.md").read_text(encoding="utf-8")
    (block,) = [part.partition("```")[0] for part in page.split("```toml\n")[1:]]
    assert tomllib.loads(block)["clusters"].keys() == {entry.name for entry in read(block).clusters}
