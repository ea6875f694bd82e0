"""Mutations of recorded CLIXML documents: of their bytes, and of their tags, attributes and texts."""

from __future__ import annotations

import random
import re

from tests.psobject.clixml_records import records

TAGS = (
    *("S", "I32", "B", "By", "SB", "I16", "U16", "U32", "I64", "U64", "Sg", "Db", "D", "C", "DT", "TS", "G", "URI"),
    *("Version", "BA", "XD", "SBK", "SS", "PR", "Nil", "Obj", "Ref", "MS", "Props", "TN", "TNRef", "T", "ToString"),
    *("LST", "STK", "QUE", "IE", "DCT", "En", "Objs", "AV", "X"),
)
TEXTS = (
    *(
        "",
        "0",
        "1",
        "-1",
        "true",
        "x",
        " ",
        "1.5",
        "&lt;",
        "&#65;",
        "&#1;",
        "&x;",
        "]]>",
        "\x01",
        "_x0041_",
        "\r",
        "\n",
    ),
    *(
        "\r",
        "\n",
        "2026-11-22",
        "PT1S",
        "a:b",
        "AQID",
        "610062",
        "<!-- c -->",
        "<?p?>",
        "<![CDATA[1]]>",
        "<S>a</S>",
        "<Nil />",
    ),
    *('<Obj RefId="0" />', '<Ref RefId="0" />', '<TNRef RefId="0" />', "<T>A</T>", '<TN RefId="0"><T>B</T></TN>'),
    *("<MS />", "<Props />", "<LST />", "<DCT />", '<En><S N="Key">k</S><S N="Value">v</S></En>', "9" * 400),
    *("9999-12-31T23:59:59.9999999+99:99", "0001-01-01T00:00:00-99:99", "1e999", "\ufffe", "\U0001f600", "_xD83D_"),
)
ATTRIBUTES = (
    *('N="a"', 'N="A"', "RefId='1'", 'RefId="0"', 'N=""', 'S="x"', 'N="Key"', 'N="Value"', 'xmlns="urn:x"'),
    *('xmlns:p="urn:p"', 'p:N="b"', 'Version="1.0"', 'N="_x0041_"', 'N="&#65;"', 'N="a', "=", 'xmlns=""'),
)
_PARTS = re.compile(r"<[^>]*>|[^<]+")
_LONGEST = 20_000


def documents() -> list[str]:
    """Give the recorded documents that are short enough, and lists of many like objects."""
    found = [
        record["clixml"] for name in ("serialize", "deserialize") for record in records(name) if record.get("clixml")
    ]
    return [text for text in found if len(text) < 3000] + [many(text) for text in found if 300 < len(text) < 900]


def many(text: str) -> str:
    """Repeat what stands in a document, so that shapes are learnt."""
    start, _, end = text.partition(">")
    inner, _, close = end.rpartition("</Objs>")
    again = re.sub(r'<TN RefId="(\d+)">.*?</TN>', r'<TNRef RefId="\1" />', inner, flags=re.DOTALL)
    repeats = "".join(re.sub(r'(<Obj[^>]*RefId=")', rf"\g<1>{number}_", again) for number in range(24))
    return f'{start}><Obj RefId="l"><LST>{inner}{repeats}</LST></Obj></Objs>{close}'


def mutate(text: str, source: random.Random) -> bytes:
    """Give a mutation of a document."""
    parts = _PARTS.findall(text) or ["x"]
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        source.choice((_delete, _repeat, _swap, _insert, _rename, _label, _unlabel, _copy))(parts, source)
        parts = parts or ["x"]
    encoding = source.choice(("utf-8",) * 8 + ("utf-16", "utf-16-be", "utf-8-sig"))
    data = bytearray("".join(parts)[:_LONGEST].encode(encoding, "surrogatepass"))
    if source.random() < 0.2 and data:
        data[source.randrange(len(data))] = source.randrange(256)
    if source.random() < 0.1:
        del data[source.randrange(len(data) + 1) :]
    return bytes(data)


def _delete(parts: list[str], source: random.Random) -> None:
    del parts[source.randrange(len(parts))]


def _repeat(parts: list[str], source: random.Random) -> None:
    parts.insert(source.randrange(len(parts)), source.choice(parts))


def _swap(parts: list[str], source: random.Random) -> None:
    one, other = source.randrange(len(parts)), source.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]


def _insert(parts: list[str], source: random.Random) -> None:
    parts.insert(source.randrange(len(parts) + 1), source.choice(TEXTS))


def _rename(parts: list[str], source: random.Random) -> None:
    index = source.randrange(len(parts))
    parts[index] = re.sub(r"(?<=<)\w+", source.choice(TAGS), parts[index], count=1)


def _label(parts: list[str], source: random.Random) -> None:
    index = source.randrange(len(parts))
    parts[index] = re.sub(r"(?= ?/?>$)", f" {source.choice(ATTRIBUTES)}", parts[index], count=1)


def _unlabel(parts: list[str], source: random.Random) -> None:
    index = source.randrange(len(parts))
    parts[index] = re.sub(r' \w+="[^"]*"', "", parts[index], count=1)


def _copy(parts: list[str], source: random.Random) -> None:
    start = source.randrange(len(parts))
    place = source.randrange(len(parts))
    parts[place:place] = parts[start : start + source.randrange(1, 8)]
