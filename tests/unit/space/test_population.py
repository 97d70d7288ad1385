"""The lines of an insurer's file: who is taken, and why the others are not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.ins import TEST_OID, nir_key
from ambroise.modules.space.population.model import Channel, Person, Reader, Refused
from ambroise.modules.space.population.resources import patient_of

HEADER = "matricule;nom_naissance;premier_prenom;date_naissance;sexe;lieu_naissance;courriel;adresse;commune"
DIGITS = "2800275000001"
GOOD = {
    "matricule": f"{DIGITS}{nir_key(DIGITS):02}",
    "nom_naissance": "Fictif",
    "premier_prenom": "Zoé",
    "date_naissance": "1980-02-29",
    "sexe": "F",
    "lieu_naissance": "2A004",
    "courriel": "zoe@exemple.fr",
    "adresse": "",
    "commune": "",
}
READER = Reader(HEADER, oid=TEST_OID, demonstration=True)


def read(**changed: str) -> Person | Refused:
    return READER.read(7, ";".join((GOOD | changed).values()))


def test_a_good_line_is_a_person() -> None:
    person = read()
    assert isinstance(person, Person)
    assert person.traits.birth_name == "FICTIF"
    assert person.traits.first_given == "ZOE"
    assert person.traits.birth_date == date(1980, 2, 29)
    assert person.channel is Channel.MAIL


@pytest.mark.parametrize(
    ("changed", "code", "element"),
    [
        ({"matricule": f"{DIGITS}99"}, "INS_INVALID", "matricule"),
        ({"matricule": ""}, "INS_INVALID", "matricule"),
        ({"nom_naissance": "F1CTIF"}, "NAME_INVALID", "nom_naissance"),
        ({"premier_prenom": ""}, "NAME_INVALID", "premier_prenom"),
        ({"date_naissance": "31/02/1980"}, "BIRTH_DATE_INVALID", "date_naissance"),
        ({"sexe": "X"}, "SEX_INVALID", "sexe"),
        ({"lieu_naissance": "Tours"}, "BIRTH_PLACE_INVALID", "lieu_naissance"),
        ({"courriel": "zoe"}, "MAIL_INVALID", "courriel"),
        ({"courriel": ""}, "CONTACT_MISSING", "courriel"),
        ({"courriel": "", "adresse": "1 rue Fictive"}, "CONTACT_MISSING", "courriel"),
    ],
)
def test_a_wrong_line_says_its_column(changed: dict[str, str], code: str, element: str) -> None:
    assert read(**changed) == Refused(7, code, element)


def test_without_mail_the_notice_goes_by_post() -> None:
    person = read(courriel="", adresse="1 rue Fictive", commune="Tours")
    assert isinstance(person, Person)
    assert person.channel is Channel.POST


def test_columns_come_in_any_order_and_quotes_are_read() -> None:
    names = list(reversed(GOOD))
    values = [f'"{GOOD[name]}"' for name in names]
    found = Reader("\ufeff" + ";".join(names), oid=TEST_OID, demonstration=True).read(2, ";".join(values))
    assert found == read()


def test_a_file_without_a_column_is_refused_whole() -> None:
    with pytest.raises(Refusal) as refused:
        Reader(HEADER.replace("sexe", "genre"), oid=TEST_OID, demonstration=True)
    assert refused.value.data["missing"] == ["sexe"]


@given(st.text(max_size=200))
def test_whatever_a_line_holds_it_is_read_or_refused(text: str) -> None:
    assert isinstance(READER.read(3, text.replace("\n", " ")), Person | Refused)


def test_the_patient_holds_the_identity_and_the_contacts() -> None:
    person = read()
    assert isinstance(person, Person)
    patient = patient_of(person)
    assert patient["identifier"][0]["system"] == f"urn:oid:{TEST_OID}"
    assert patient["gender"] == "female"
    assert patient["telecom"] == [{"system": "email", "value": "zoe@exemple.fr", "use": "home"}]
    assert "address" not in patient
