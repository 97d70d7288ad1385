"""The people one can be in the demonstration, and the public test identities that sample documents speak of.

Their names say that they do not exist. Their dates and places of birth are fixed, so that an INS written in a guide
stays right whatever the seed, the day and the size of the population.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.demonstration import keys
from ambroise.interfaces.demonstration.geography import TOWNS, Commune
from ambroise.interfaces.demonstration.model import (
    Address,
    Citizen,
    Course,
    Operator,
    Organization,
    Professional,
    Role,
    Territory,
)
from ambroise.interfaces.demonstration.professions import PROFESSIONS
from ambroise.interfaces.demonstration.territories import DirectoryBuilder

DESK = Operator("guichet", "Paul GUICHET", ("registration", "mediation", "identity", "support", "prevention"))

# The author of the published sample documents, under many names; its key is right all the same.
SAMPLE_AUTHOR_RPPS = "01234567897"
SAMPLE_AUTHOR_FINESS = "750803447"
PUBLIC_TEST_MATRICULE = "279035121518989"
PUBLIC_TEST_BIRTHPLACE = Commune("51215", "Dompremy", "51300")


class StarProfessionals(Struct, frozen=True):
    """The professionals one can be."""

    gp: Professional
    cardiologist: Professional
    pharmacist: Professional
    nurse: Professional
    stranger: Professional
    regulator: Professional
    sample_author: Professional

    def all(self) -> tuple[Professional, ...]:
        """All of them, in the order of the sign-in list."""
        return (
            self.gp,
            self.cardiologist,
            self.pharmacist,
            self.nurse,
            self.stranger,
            self.regulator,
            self.sample_author,
        )


def _place(territory: Territory, role: Role, facility: str | None = None) -> Organization:
    people = territory.professionals[role]
    return next(p.organization for p in people if facility is None or p.organization.facility == facility)


def star_professionals(builder: DirectoryBuilder, territories: tuple[Territory, ...]) -> StarProfessionals:
    """Add the known professionals to the first town; the one whom nobody authorised works in the second."""
    home, elsewhere = territories[0], territories[1]
    nurse = _place(home, Role.NURSE, "SA08")
    profession = PROFESSIONS[Role.GP]
    sample_cabinet = Organization(
        SAMPLE_AUTHOR_FINESS,
        "Cabinet médical des documents d'exemple",
        "SA07",
        "AMBULATOIRE",
        Address("25", "rue des Exemples", "35000", "Rennes"),
        "0199000001",
        "exemples@structure.example",
        test_identity=True,
    )
    sample_author = Professional(
        SAMPLE_AUTHOR_RPPS,
        "AUTEUR-EXEMPLE",
        "Charles",
        "M",
        Role.GP,
        profession.code,
        profession.system,
        profession.specialty,
        sample_cabinet,
        "0199000002",
        profession.title,
        "sample-author",
        test_identity=True,
    )
    add = builder.professional
    return StarProfessionals(
        add(Role.GP, _place(home, Role.GP), ("TEMOIN", "Camille", "F"), "gp"),
        add(Role.CARDIOLOGIST, _place(home, Role.CARDIOLOGIST), ("ECHANTILLON", "Victor", "M"), "cardiologist"),
        add(Role.PHARMACIST, _place(home, Role.PHARMACIST), ("MAQUETTE", "Sofia", "F"), "pharmacist"),
        add(Role.NURSE, nurse, ("ESSAI", "Julien", "M"), "nurse"),
        add(Role.DERMATOLOGIST, _place(elsewhere, Role.DERMATOLOGIST), ("PROTOTYPE", "Hugo", "M"), "stranger"),
        add(Role.REGULATOR, _place(home, Role.REGULATOR), ("SIMULATION", "Laure", "F"), "regulator"),
        sample_author,
    )


def _born(sex: str, day: date, place: Commune, order: int) -> dict[str, object]:
    return {
        "matricule": keys.matricule(sex, day, place, order),
        "sex": sex,
        "birth_date": day,
        "birthplace": place,
    }


def star_citizens(people: StarProfessionals) -> tuple[Citizen, ...]:
    """The known citizens, the public test identity first."""
    rennes, toulouse, lille = TOWNS[0], TOWNS[1], TOWNS[2]
    circle = (people.cardiologist, people.pharmacist, people.nurse)
    common = {"treating": people.gp, "circle": circle, "territory": 0}
    public = Citizen(
        matricule=PUBLIC_TEST_MATRICULE,
        birth_name="PAT-TROIS",
        birth_given=("DOMINIQUE", "MARIE-LOUISE"),
        sex="F",
        birth_date=date(1979, 3, 28),
        birthplace=PUBLIC_TEST_BIRTHPLACE,
        address=Address("28", "avenue des Identités de test", "35000", "Rennes"),
        phone="0639980000",
        email="pat-trois@courriel.example",
        treating=people.gp,
        circle=(people.sample_author, *circle),
        territory=0,
        courses=(Course.TEST_IDENTITY,),
        star="test-identity",
        test_identity=True,
    )
    nadia = _star(
        common, _born("F", date(1975, 4, 12), rennes, 951), "FICTIF", ("NADIA", "ANNE"), "diabetic", "EXEMPLE",
        Address("12", "rue de l'Exemple", "35000", "Rennes"), 1, (Course.DIABETES, Course.HYPERTENSION),
    )  # fmt: skip
    marcel = replace(
        _star(
            common, _born("M", date(1943, 11, 3), lille, 952), "FICTIF", ("MARCEL", "EMILE"), "elderly", None,
            Address("3", "place du Modèle", "35000", "Rennes"), 2, (Course.HEART_FAILURE, Course.EMERGENCY),
        ),
        carers=(nadia.matricule,),
    )  # fmt: skip
    home = Address("7", "allée des Spécimens", "35200", "Rennes")
    ines = _star(
        common, _born("F", date(1995, 6, 21), toulouse, 953), "SPECIMEN", ("INES", "LOUISE"), "pregnant", "MODELE",
        home, 3, (Course.PREGNANCY,),
    )  # fmt: skip
    karim = _star(
        common, _born("M", date(1993, 2, 9), rennes, 954), "MODELE", ("KARIM",), "father", None, home, 4,
        (Course.HEALTHY,),
    )  # fmt: skip
    leo = replace(
        _star(
            common, _born("M", date(2023, 1, 15), rennes, 955), "MODELE", ("LEO", "MARCEL"), "child", None, home, 5,
            (Course.CHILD,),
        ),
        mother=ines.matricule,
        father=karim.matricule,
    )  # fmt: skip
    # Of the age of a check-up (60 to 65), a screening and boosters, until the year 2029.
    alain = _star(
        common, _born("M", date(1964, 2, 18), toulouse, 956), "EXEMPLE", ("ALAIN", "PAUL"), "sixties", None,
        Address("21", "rue du Prototype", "35000", "Rennes"), 7, (Course.HYPERTENSION,),
    )  # fmt: skip
    return (public, nadia, leo, ines, marcel, karim, alain)


def _star(
    common: dict[str, object],
    born: dict[str, object],
    name: str,
    given: tuple[str, ...],
    star: str,
    used_name: str | None,
    address: Address,
    number: int,
    courses: tuple[Course, ...],
) -> Citizen:
    facts: dict[str, object] = {**common, **born}
    return Citizen(  # pyright: ignore[reportCallIssue]
        birth_name=name,
        birth_given=given,
        address=address,
        phone=f"063998{number:04}",
        email=f"{given[0].lower()}.{(used_name or name).lower()}@courriel.example",
        courses=courses,
        used_name=used_name,
        star=star,
        **facts,  # pyright: ignore[reportArgumentType]
    )
