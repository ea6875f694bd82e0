"""What ``cauctl jea export`` writes: from the list of functions, whole or not at all."""

from __future__ import annotations

import itertools
import re
from hashlib import sha256
from pathlib import Path

import pytest

from cauctl.errors import InputError, StateError
from cauctl.models.credential import PSCredential
from cauctl.psrp.agent_files import agent_file
from cauctl.psrp.clusters_file import ClustersFile
from cauctl.psrp.jea.export import export_endpoint
from cauctl.psrp.jea.files import exported_files, module_text
from cauctl.psrp.jea.functions import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
FILES = exported_files()
PARAMETERS = {known.name: list(known.parameters) for known in FUNCTIONS.values()}


def _shown(text: str) -> list[str]:
    return re.findall(r"^ +'(\w+-Cauctl\w+)'", text, re.MULTILINE)


@pytest.mark.parametrize("path", ["CauctlNode/CauctlNode.psd1", "CauctlNode/RoleCapabilities/CauctlOperator.psrc"])
def test_manifest_and_role_capability_show_the_list_and_nothing_else(path):
    assert list(FUNCTIONS) == _shown(FILES[path])
    assert [] == re.findall(r"\bVisible(?!Functions)\w+|\bCmdletsToExport = @\([^)]", FILES[path])


def test_the_session_has_no_language_and_runs_as_nobody_who_stays():
    text = FILES["cauctl.pssc"]
    assert ["'RestrictedRemoteServer'", "'NoLanguage'", "$true"] == [
        re.search(rf"{key} = (.+)", text)[1] for key in ("SessionType", "LanguageMode", "RunAsVirtualAccount")
    ]


def test_the_module_carries_this_versions_agent():
    text = FILES["CauctlNode/CauctlNode.psm1"]
    carried = text.partition("$script:Agent = @'\n")[2].partition("\n'@")[0]
    assert agent_file().text == carried
    assert f"$script:AgentHash = '{sha256(carried.encode()).hexdigest()}'" in text
    assert [] == re.findall("@@", module_text())


def test_everything_is_ascii_and_tells_its_functions():
    assert all(text.isascii() for text in FILES.values())
    assert [name for name in FUNCTIONS if f"| `{name}` |" not in FILES["README.md"]] == []


@pytest.mark.parametrize("text", [FILES["README.md"], (ROOT / "docs" / "jea.md").read_text(encoding="utf-8")])
def test_what_clusters_toml_is_to_say_can_be_read(text, tmp_path: Path):
    """As it stands in the how-to and on the page, it leads to our endpoint."""
    lines = text.partition("[clusters.")[2].splitlines()
    said = [line for line in itertools.takewhile(lambda line: line.strip(" `"), lines[1:]) if "=" in line]
    file = ClustersFile.parse("\n".join(["[clusters.C1]", *said]), path=tmp_path / "clusters.toml")
    connections = file.clusters[0].connections(PSCredential("somebody", "secret"))
    assert {(True, "cauctl")} == {(each.jea, each.configuration_name) for each in connections}


@pytest.mark.parametrize("group", ["", "operators", "A\\b'c", 'A\\"b', "A\\b\n", "A\\b\\c"])
def test_what_is_no_group_is_refused(group):
    with pytest.raises(InputError, match="group"):
        exported_files(operators=group)


def test_a_typographic_quote_ends_no_literal():
    """PowerShell takes these four for single quotes."""
    group = "CONTOSO\\a\u2018b\u2019c\u201ad\u201be"
    doubled = "CONTOSO\\a\u2018\u2018b\u2019\u2019c\u201a\u201ad\u201b\u201be"
    assert f"'{doubled}' = @{{" in exported_files(operators=group)["cauctl.pssc"]


def test_a_group_in_another_script_keeps_its_name(tmp_path: Path):
    """Windows PowerShell reads a text with a mark as UTF-8."""
    export_endpoint(tmp_path / "out", operators="CONTOSO\\Domänen-Admins")
    assert "'CONTOSO\\Domänen-Admins' = @{" in (tmp_path / "out/cauctl.pssc").read_text(encoding="utf-8-sig")
    assert (tmp_path / "out/cauctl.pssc").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_folder_is_made_with_windows_line_ends(tmp_path: Path):
    written = export_endpoint(tmp_path / "new" / "out")
    assert [tmp_path / "new" / "out" / path for path in FILES] == list(written)
    for path, text in FILES.items():
        assert text.replace("\n", "\r\n").encode() == (tmp_path / "new" / "out" / path).read_bytes()
    assert ["out"] == [path.name for path in (tmp_path / "new").iterdir()]


def test_an_earlier_export_is_replaced_only_when_told(tmp_path: Path):
    folder = tmp_path / "out"
    export_endpoint(folder)
    (folder / "cauctl.pssc").write_text("changed")
    with pytest.raises(InputError, match="--force"):
        export_endpoint(folder)
    assert "changed" == (folder / "cauctl.pssc").read_text()
    export_endpoint(folder, force=True)
    assert FILES["cauctl.pssc"] == (folder / "cauctl.pssc").read_text()
    assert ["out"] == [path.name for path in tmp_path.iterdir()]


def test_a_folder_with_anything_else_is_never_touched(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files, thesis\.txt"):
        export_endpoint(tmp_path, force=True)
    with pytest.raises(InputError, match="is no folder"):
        export_endpoint(tmp_path / "thesis.txt", force=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is no folder"):
        export_endpoint(tmp_path / "link", force=True)
    assert {"thesis.txt", "link"} == {path.name for path in tmp_path.iterdir()}


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be written"):
        export_endpoint(tmp_path / "file" / "out")
    assert ["file"] == [path.name for path in tmp_path.iterdir()]
