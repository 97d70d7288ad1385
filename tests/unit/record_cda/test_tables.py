"""The French code tables."""

import pytest

from ambroise.modules.record import tables
from tests.support.cda_samples import FOLDER, needs_samples
from tools.compile_code_tables import DATA, SOURCES, check_classes, compiled


def test_every_published_type_has_a_class_and_the_class_a_label():
    for entry in tables.table("document_type").entries:
        code = tables.class_of_type(entry.code)
        assert code is not None, entry.code
        assert tables.class_label(code)


def test_a_code_is_found_under_any_name_of_its_system():
    for system in ("2.16.840.1.113883.6.1", "urn:oid:2.16.840.1.113883.6.1", "http://loinc.org"):
        assert tables.contains("document_type", "11502-2", system)
    assert not tables.contains("document_type", "11502-2", "http://snomed.info/sct")
    assert not tables.contains("document_type", "no such code")


def test_each_table_says_its_source_its_date_and_its_oid():
    for name in tables.names():
        table = tables.table(name)
        assert table.source
        assert table.date
        assert table.entries, name


def test_a_system_without_url_is_named_by_its_oid():
    assert tables.system_url("1.2.250.1.213.2.3.1") == "urn:oid:1.2.250.1.213.2.3.1"
    assert tables.system_oid("urn:oid:1.2.250.1.213.2.3.1") == "1.2.250.1.213.2.3.1"
    assert tables.system_url("2.16.840.1.113883.6.8") == "http://unitsofmeasure.org"


def test_the_most_specific_template_gives_the_format():
    children = ["1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.5", "1.2.250.1.213.1.1.1.5.1"]
    assert tables.format_of_templates(children) == "urn:asip:ci-sis:cse-cs8:2017"
    assert tables.format_of_templates(["1.3.6.1.4.1.19376.1.3.3"]) == "urn:ihe:lab:xd-lab:2008"
    assert tables.format_of_templates(["1.2.3"]) is None
    assert tables.format_of_media("application/pdf") == "urn:ihe:iti:xds-sd:pdf:2008"


def test_an_unknown_table_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        tables.table("no such table")


@needs_samples
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_committed_table_is_what_its_source_compiles_to(name: str):
    assert compiled(FOLDER / "tables" / SOURCES[name]) == (DATA / f"{name}.tsv").read_text(encoding="utf-8")


def test_the_class_table_covers_the_types():
    assert check_classes() == 0
