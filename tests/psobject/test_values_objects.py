"""Objects and containers: access as PowerShell has it, and their plain forms."""

from __future__ import annotations

import pytest

from cauctl.errors import InputError
from cauctl.psobject import (
    Int64,
    Members,
    MemberSet,
    PSDictionary,
    PSList,
    PSObject,
    array,
    custom_object,
    enum_value,
    hashtable,
    ordered_dictionary,
    read_clixml,
    to_python,
    write_clixml,
)


def bag() -> PSObject:
    return PSObject(
        type_names=("My.Type", "System.Object"), text="shown", adapted={"A": 1, "B": 2}, extended={"b": "note", "c": 3}
    )


def test_properties_are_found_in_any_case_notes_first():
    found = bag()

    assert (found["a"], found["B"], found["C"]) == (1, "note", 3)
    assert found.items() == found.properties.items()
    assert list(found.items()) == [("b", "note"), ("c", 3), ("A", 1)]
    assert found.keys() == list(found) == ["b", "c", "A"]
    assert ("a" in found, "x" in found, 1 in found) == (True, False, False)
    assert (found.get("x"), found.get("x", 5), found.get("A", 5)) == (None, 5, 1)
    with pytest.raises(KeyError):
        found["x"]


def test_a_property_is_set_where_it_stands():
    found = bag()
    found["a"], found["B"], found["New"] = 10, 20, 30

    assert found.adapted == {"a": 10, "B": 2}
    assert found.extended == {"B": 20, "c": 3, "New": 30}


def test_a_copy_has_member_groups_of_its_own():
    one = bag()
    other = one.copy()
    other["c"] = 9

    assert (one["c"], other["c"], other.text, other.type_names) == (3, 9, "shown", one.type_names)


def test_type_names_are_shown_as_powershell_shows_them():
    (read,) = read_clixml(write_clixml([bag()]))

    assert (bag().ps_type_names, read.type_names) == (("My.Type", "System.Object"), ("My.Type", "System.Object"))
    assert read.ps_type_names == ("Deserialized.My.Type", "Deserialized.System.Object")
    assert [read.is_a(name) for name in ("my.type", "Deserialized.My.Type", "Other")] == [True, True, False]


def test_containers_iterate_their_items_and_dictionaries_their_keys():
    assert (list(array([1, 2])), len(array([1, 2])), array([1, 2])[1], array([1, 2, 3])[1:]) == ([1, 2], 2, 2, [2, 3])
    assert (list(hashtable({"k": 1})), hashtable({"k": 1})["K"], "K" in hashtable({"k": 1})) == (["k"], 1, True)
    assert (bool(array()), bool(hashtable()), bool(custom_object()), bool(array([0]))) == (False, False, True, True)
    with pytest.raises(TypeError):
        len(custom_object())
    with pytest.raises(IndexError):
        array([1])[5]
    assert array([1]).get(5) is None


def test_a_dictionarys_key_comes_before_its_property():
    found = PSObject(PSDictionary([("Count", "key")]), adapted={"Count": 1, "Keys": 2})

    assert (found["count"], found["keys"]) == ("key", 2)


def test_a_dictionary_holds_what_documents_hold():
    """Keys of any type, twice too; text is found in any case, numbers by value, the first wins."""
    found = PSDictionary([("a", 1), ("A", 2), (Int64(1), 3), (True, 4)])

    assert (found["a"], found["A"], found[1], found[True], found.get("x", 9)) == (1, 1, 3, 4, 9)
    assert (len(found), list(found), 1 in found, "b" in found) == (4, ["a", "A", 1, True], True, False)
    assert found.items() == [("a", 1), ("A", 2), (1, 3), (True, 4)]
    assert repr(found) == "PSDictionary([('a', 1), ('A', 2), (Int64(1), 3), (True, 4)])"
    with pytest.raises(KeyError):
        found["x"]


def test_two_names_that_differ_in_case_are_one_member():
    found = Members({"a": 1, "b": 2})
    found["A"] = 3

    assert (list(found.items()), found["a"], "A" in found, found.get("B")) == ([("A", 3), ("b", 2)], 3, True, 2)
    assert Members.of({"a": 1, "A": 2, "b": 3}) == {"A": 2, "b": 3}
    del found["a"]
    assert dict(found) == {"b": 2}
    for missing in (lambda: found["x"], lambda: found.__delitem__("x")):
        with pytest.raises(KeyError):
            missing()


def test_member_sets_are_no_properties():
    found = PSObject(extended={"a": 1, "PSStandardMembers": MemberSet({"x": 1})})

    assert (found.keys(), found["PSStandardMembers"]) == (["a"], {"x": 1})


def test_plain_forms():
    value = custom_object(
        {
            "day": enum_value("System.DayOfWeek", "Monday", 1),
            "list": array([Int64(1), None]),
            "table": hashtable({"k": custom_object({"x": 1})}),
            "doubled": hashtable([("k", 1), ("k", 2)]),
            "odd": hashtable([(array([1]), 2)]),
            "boxed": PSObject("text", extended={"n": 1}),
        }
    )

    assert value.to_python() == {
        "day": 1,
        "list": [1, None],
        "table": {"k": {"x": 1}},
        "doubled": [("k", 1), ("k", 2)],
        "odd": [([1], 2)],
        "boxed": "text",
    }


def test_a_cycle_stays_a_cycle():
    table, items, objects = hashtable(), array(), custom_object()
    table.base.pairs.append(("self", table))
    items.base.append(items)
    objects["self"] = objects

    plain_table, plain_items, plain_objects = to_python(table), to_python(items), to_python(objects)

    assert plain_table["self"] is plain_table
    assert plain_items[0] is plain_items
    assert plain_objects["self"] is plain_objects


def test_unopened_members_open_when_they_are_changed():
    """Objects that were read hold their members closed until somebody needs more than to look."""
    (read,) = read_clixml(write_clixml([custom_object({"a": 1, "b": 2})]))

    assert (list(read.items()), read["A"], len(read.properties)) == ([("a", 1), ("b", 2)], 1, 2)
    read["c"] = 3
    read.extended = Members({**read.extended, "d": 4})
    read.adapted = Members({"e": 5})
    assert list(read.items()) == [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]


def test_what_an_object_is_shows_in_one_line():
    assert repr(bag()) == "<PSObject My.Type 'shown': b, c, A>"
    assert repr(array([1, 2])) == "<PSObject System.Object[], 2 items>"
    assert repr(PSObject()) == "<PSObject no type name: no properties>"
    assert repr(ordered_dictionary({"k": 1})).endswith("OrderedDictionary, 1 items>")


def test_an_object_holds_containers_and_primitives_and_no_objects():
    assert (PSObject([1]).base, PSObject((1, 2)).to_python(), PSObject({"k": 1})["K"]) == ([1], [1, 2], 1)
    assert isinstance(PSObject([1]).base, PSList)
    with pytest.raises(InputError, match="base value"):
        PSObject(PSObject(5))


def test_an_enum_has_a_whole_number():
    for number in ("1", 1.0, True):
        with pytest.raises(InputError, match="no number of an enum"):
            enum_value("A", "B", number)
