"""The schema of CLIXML: it accepts what PowerShell writes and reads, and refuses at the place what is none."""

from __future__ import annotations

import pytest

from cauctl.errors import InputError
from cauctl.models.schemas import schema
from cauctl.psobject import iter_clixml, write_clixml
from cauctl.psobject.documents import Schema, parse
from tests.psobject.clixml_records import records

NAME = "clixml.xsd"
SCHEMA = Schema(schema(NAME), NAME)

WRITTEN = [record for record in records("serialize") if record.get("clixml")]
ACCEPTED = [record for record in records("deserialize") if not record.get("error")]

REFUSED = {
    "frame-prefix-children-none": "a number in another namespace; PowerShell knows numbers by their local name",
    "props-same-name": "a property that stands twice",
    "ms-same-name": "a note that stands twice",
    "entity-control": "&#0;, which no XML parser accepts",
    "entity-fffe": "&#xFFFE;, which no XML parser accepts",
}
"""Documents that PowerShell reads and the schema refuses."""

DOCUMENT = """\
<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">
  <S S="Error">text</S>
  <Obj RefId="0">
    <TN RefId="0">
      <T>My.Type</T>
      <T>System.Object</T>
    </TN>
    <ToString>shown</ToString>
    <Props>
      <B N="b">true</B>
      <By N="by">255</By>
      <SB N="sb">-128</SB>
      <I16 N="i16">-32768</I16>
      <U16 N="u16">65535</U16>
      <I32 N="i32">-2147483648</I32>
      <U32 N="u32">4294967295</U32>
      <I64 N="i64">-9223372036854775808</I64>
      <U64 N="u64">18446744073709551615</U64>
      <Sg N="sg">1.5E+20</Sg>
      <Db N="db">-INF</Db>
      <D N="d">1.50</D>
      <C N="c">97</C>
      <DT N="dt">2026-11-22T15:40:01.1234567+01:00</DT>
      <TS N="ts">-P1DT2H3M4.5S</TS>
      <G N="g">e1af6d4c-1a2b-4c3d-8e9f-000102030405</G>
      <URI N="uri">http://example.com/</URI>
      <Version N="version">10.0.20348.1</Version>
      <BA N="ba">AQID</BA>
      <XD N="xd">&lt;a /&gt;</XD>
      <SBK N="sbk">1 + 1</SBK>
      <SS N="ss">61006200</SS>
      <Nil N="nil" />
    </Props>
    <MS>
      <Obj N="list" RefId="1">
        <LST>
          <I32>1</I32>
          <Nil />
        </LST>
      </Obj>
      <Obj N="table" RefId="2">
        <DCT>
          <En>
            <S N="Key">k</S>
            <I32 N="Value">1</I32>
          </En>
        </DCT>
      </Obj>
      <PR N="progress"><AV>a</AV><AI>1</AI><Nil /><PI>-1</PI><PC>-1</PC><T>Processing</T><SR>-1</SR><SD>s</SD></PR>
      <MS N="set">
        <S N="x">y</S>
      </MS>
      <Ref N="again" RefId="1" />
    </MS>
  </Obj>
</Objs>
"""

MUTATIONS = {
    "a version that is none": (' Version="1.1.0.1"', ' Version="2.0"'),
    "a root of another name": ("<Objs", "‸<Objects", "</Objs>", "</Objects>"),
    "a root of another namespace": ("powershell/2004/04", "powershell/2005/05"),
    "an unknown element at the top": ('<S S="Error">text</S>', "‸<X>text</X>"),
    "a list at the top": ('<S S="Error">text</S>', "‸<LST />"),
    "text at the top": ('<S S="Error">text</S>', "text"),
    "an element in a string": ("text</S>", "te<b/>xt</S>", '<S S="Error">', '‸<S S="Error">'),
    "a tag in lower case": ('<S S="Error">text</S>', "‸<s>text</s>"),
    "text in an object": ('<Obj RefId="0">', '‸<Obj RefId="0">text'),
    "an unknown part": ("<ToString>shown</ToString>", "‸<Text>shown</Text>"),
    "a null base value": ("<ToString>shown</ToString>", "‸<Nil />"),
    "a reference as base value": ("<ToString>shown</ToString>", '‸<Ref RefId="0" />'),
    "an unknown part of type names": ("<T>My.Type</T>", "‸<N>My.Type</N>"),
    "text among type names": ('<TN RefId="0">', '‸<TN RefId="0">A'),
    "an element in ToString": ("<ToString>shown</ToString>", "‸<ToString>sho<b/>wn</ToString>"),
    "type names without number": ('<TN RefId="0">', '‸<TNRef /><TN RefId="0">'),
    "a member without name": ('<B N="b">', "‸<B>"),
    "a member set among properties": ('<B N="b">true</B>', '‸<MS N="b" />'),
    "a boolean that is none": ('<B N="b">true</B>', '‸<B N="b">True</B>'),
    "a byte too large": ('<By N="by">255</By>', '‸<By N="by">256</By>'),
    "a byte with a sign": ('<By N="by">255</By>', '‸<By N="by">+5</By>'),
    "a signed byte too small": ('<SB N="sb">-128</SB>', '‸<SB N="sb">-129</SB>'),
    "a short too small": ('<I16 N="i16">-32768</I16>', '‸<I16 N="i16">-32769</I16>'),
    "an unsigned short below zero": ('<U16 N="u16">65535</U16>', '‸<U16 N="u16">-1</U16>'),
    "an integer too small": ('<I32 N="i32">-2147483648</I32>', '‸<I32 N="i32">-2147483649</I32>'),
    "an integer with a fraction": ('<I32 N="i32">-2147483648</I32>', '‸<I32 N="i32">1.0</I32>'),
    "an integer that is empty": ('<I32 N="i32">-2147483648</I32>', '‸<I32 N="i32" />'),
    "an unsigned integer too large": ('<U32 N="u32">4294967295</U32>', '‸<U32 N="u32">4294967296</U32>'),
    "a long too small": ('<I64 N="i64">-9223372036854775808</I64>', '‸<I64 N="i64">-9223372036854775809</I64>'),
    "an unsigned long too large": ("18446744073709551615", "18446744073709551616", "<U64 ", "‸<U64 "),
    "a single with a comma": ('<Sg N="sg">1.5E+20</Sg>', '‸<Sg N="sg">1,5</Sg>'),
    "a double that is none": ('<Db N="db">-INF</Db>', '‸<Db N="db">+INF</Db>'),
    "a decimal with an exponent": ('<D N="d">1.50</D>', '‸<D N="d">1E2</D>'),
    "a char that is a letter": ('<C N="c">97</C>', '‸<C N="c">a</C>'),
    "a date without T": ("2026-11-22T15", "2026-11-22 15", "<DT ", "‸<DT "),
    "a date at 24 hours": ("T15:40:01.1234567", "T24:00:00", "<DT ", "‸<DT "),
    "a month 13": ("2026-11-22", "2026-13-22", "<DT ", "‸<DT "),
    "a time span in weeks": ("-P1DT2H3M4.5S", "P1W", "<TS ", "‸<TS "),
    "a time span without parts": ("-P1DT2H3M4.5S", "PT", "<TS ", "‸<TS "),
    "a GUID too short": ("e1af6d4c-", "", "<G ", "‸<G "),
    "a GUID in unequal brackets": ("e1af6d4c-1a2b", "{e1af6d4c-1a2b", "<G ", "‸<G "),
    "a version of one part": ("10.0.20348.1", "10", "<Version ", "‸<Version "),
    "base64 without its end": ("AQID", "AQI", "<BA ", "‸<BA "),
    "a secret in letters": ("61006200", "secret", "<SS ", "‸<SS "),
    "an unknown item": ("<I32>1</I32>", "‸<X />"),
    "an entry without value": ('<I32 N="Value">1</I32>', "", "<En>", "‸<En>"),
    "an entry of three": ('<I32 N="Value">1</I32>', '<I32 N="Value">1</I32>‸<I32 N="Value">2</I32>'),
    "two keys": ('<I32 N="Value">1</I32>', '‸<I32 N="Key">1</I32>'),
    "a half of another name": ('<I32 N="Value">1</I32>', '‸<I32 N="Item">1</I32>'),
    "a half without name": ('<I32 N="Value">1</I32>', "‸<I32>1</I32>"),
    "an unknown part of a dictionary": ("<En>", "‸<Entry>", "</En>", "</Entry>"),
    "progress out of order": ("<AV>a</AV><AI>1</AI>", "‸<AI>1</AI><AV>a</AV>"),
    "progress cut short": ("<SD>s</SD></PR>", "</PR>", "<PR ", "‸<PR "),
    "progress beyond all": ("<PC>-1</PC>", "‸<PC>101</PC>"),
    "progress of an unknown kind": ("<T>Processing</T>", "‸<T>Waiting</T>"),
    "a set without name": ('<MS N="set">', "‸<MS>"),
    "a reference without RefId": ('<Ref N="again" RefId="1" />', '‸<Ref N="again" />'),
    "two notes of one name": ('<Ref N="again"', '‸<Ref N="list"'),
}  # fmt: skip
"""What is replaced by what. The mark ‸ stands where the refusal is expected; without one that is the root."""


def mutated(name: str) -> tuple[str, int, int]:
    """Give a mutation's document, and line and column of its mark."""
    text, changes = DOCUMENT, MUTATIONS[name]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text, (name, old)
        text = text.replace(old, new, -1 if old.startswith("</") else 1)
    mark = max(text.find("‸"), 0)
    line = text.count("\n", 0, mark) + 1
    return text.replace("‸", ""), line, mark - text.rfind("\n", 0, mark)


@pytest.mark.parametrize("record", [*WRITTEN, *ACCEPTED], ids=lambda record: record["name"])
def test_what_powershell_writes_and_reads_meets_the_schema(record):
    text = record["clixml"].replace('encoding="utf-16"', "")  # the text is no longer in UTF-16
    if record["name"] in REFUSED:
        with pytest.raises(InputError):
            parse(text.encode("utf-8"), source="a.clixml", schema=SCHEMA)
    else:
        parse(text.encode("utf-8"), source="a.clixml", schema=SCHEMA)


def test_the_document_of_the_mutations_meets_the_schema_and_is_read():
    parse(DOCUMENT.encode("utf-8"), source="a.clixml", schema=SCHEMA)
    values = list(iter_clixml(DOCUMENT))
    parse(write_clixml(values).encode("utf-8"), source="a.clixml", schema=SCHEMA)


def test_there_are_more_than_fifty_mutations():
    assert len(MUTATIONS) == len({mutated(name)[0] for name in MUTATIONS}) >= 50


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_refused_at_its_place(name):
    text, line, column = mutated(name)

    with pytest.raises(InputError) as refusal:
        parse(text.encode("utf-8"), source="a.clixml", schema=SCHEMA)

    assert (refusal.value.where, refusal.value.line, refusal.value.column) == ("a.clixml", line, column)
    assert refusal.value.expected == "what clixml.xsd says"


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - {"two notes of one name"}))
def test_the_reader_refuses_the_mutations_too(name):
    """But for a note that stands twice: the last one counts there, as for PowerShell."""
    with pytest.raises(InputError):
        list(iter_clixml(mutated(name)[0]))
