"""Secrets: who holds one shows it to nobody who did not ask for it by name."""

from __future__ import annotations

import pytest

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret


@pytest.mark.parametrize("show", [repr, str, format, "{0!r} {0}".format, lambda value: f"{[value]}"])
@pytest.mark.parametrize("value", [PSCredential("CONTOSO\\admin", "hunter2"), Secret("hunter2")])
def test_no_way_to_show_a_credential_shows_its_password(value, show):
    assert "hunter2" not in show(value)


def test_a_credential_shows_who_it_is():
    assert repr(PSCredential("CONTOSO\\admin", "hunter2")) == "PSCredential('CONTOSO\\\\admin', '********')"


def test_a_credential_knows_its_password():
    assert PSCredential("admin", "hunter2").password == "hunter2"


def test_a_password_of_the_wrong_type_is_refused_without_being_shown():
    with pytest.raises(InputError) as caught:
        PSCredential("admin", b"hunter2")
    assert str(caught.value) == "password: is a bytes; expected a str."


def test_an_empty_user_name_is_refused():
    with pytest.raises(InputError) as caught:
        PSCredential("", "hunter2")
    assert str(caught.value) == "user_name: is empty; expected the name of an account."
