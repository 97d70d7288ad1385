"""Check CDA documents against the published XSD and Schematron rules of the CI-SIS (tests only).

A small compiler turns a Schematron schema whose queries are XPath 2 or 3 into one XSLT 3 stylesheet, run by Saxon:
includes, abstract patterns with their parameters, abstract rules, phases, lets, asserts and reports. The value sets
that the rules name are taken from the samples; a rule about a value set that is not there is left out.

    for finding in check_cda(content): print(finding)
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from tests.support.cda_samples import FOLDER

SCH = "{http://purl.oclc.org/dsdl/schematron}"
SVS = "{urn:ihe:iti:svs:2008}"
OURS = "urn:ambroise:test:schematron"
RULES = FOLDER / "ci-sis-schematron"
_VALUE_SETS = FOLDER / "tables/jdv"
# Schemas that concern every document: header and minimal structure, then shared content models.
COMMON = (
    "profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin.sch",
    "profils/CI-SIS_ModelesDeContenusCDA.sch",
    "profils/CI-SIS_Modeles_ANS.sch",
    "profils/IHE.sch",
)


@dataclass(frozen=True)
class Finding:
    """One rule that a document breaks; `role` is error, warning or info."""

    schema: str
    pattern: str
    location: str
    message: str
    role: str = "error"

    def __str__(self) -> str:
        return f"[{self.schema} {self.role}] {self.location}: {self.message}"


@dataclass
class Schematron:
    """A compiled schema."""

    name: str
    stylesheet: str
    executable: Any = field(repr=False)
    left_out: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Schematron":
        """Compile a schema with what it includes, in its default phase."""
        compiler = _Compiler(path)
        stylesheet = compiler.stylesheet()
        executable = _processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=stylesheet)
        return cls(path.stem, stylesheet, executable, tuple(compiler.left_out))

    def validate(self, content: bytes) -> list[Finding]:
        """The rules that a document breaks, in the order of the rules."""
        node = _processor().parse_xml(xml_text=_text(content))
        report = self.executable.transform_to_string(xdm_node=node)
        found = etree.fromstring(report.encode())
        return [
            Finding(
                self.name,
                item.get("pattern", ""),
                re.sub(r"Q\{[^}]*\}", "", item.get("location", "")),
                " ".join((item.text or "").split()),
                item.get("role") or "error",
            )
            for item in found
        ]


@cache
def schematron(name: str) -> Schematron:
    """One of the published schemas, by its path below the folder of rules; compiled once."""
    return Schematron.load(RULES / name)


def schema_of(content: bytes) -> str | None:
    """The published schema made for this type of document, named by the document itself, if any."""
    names = re.findall(rb'SCHSchema="[^"]*/([^/"]+\.sch)"', content)
    known = (name.decode() for name in names)
    return next((name for name in known if (RULES / name).is_file()), None)


def check_cda(content: bytes, schema: str | None = None, *, warnings: bool = False) -> list[Finding]:
    """Everything that the XSD and the Schematron rules find in a CDA document.

    `schema` adds the rules of one type of document (`CI-SIS_VAC_2023.01.sch`); without it the type that the document
    names in its own processing instructions is used, if any.
    """
    found = xsd_findings(content)
    for name in (*COMMON, schema or schema_of(content)):
        if name:
            found += schematron(name).validate(content)
    return [item for item in found if warnings or item.role == "error"]


def xsd_findings(content: bytes) -> list[Finding]:
    """What the extended CDA schema finds."""
    document = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    schema = cda_xsd()
    schema.validate(document)
    return [
        Finding("CDA_extended.xsd", "xsd", f"line {error.line}", error.message)
        for error in schema.error_log  # pyright: ignore[reportGeneralTypeIssues]
    ]


@cache
def cda_xsd() -> etree.XMLSchema:
    """The extended CDA schema, compiled once."""
    return etree.XMLSchema(etree.parse(FOLDER / "cda-xsd/CDA_extended.xsd"))


class _Compiler:
    """One schema on its way to a stylesheet."""

    def __init__(self, path: Path) -> None:
        self.left_out: list[str] = []
        self.extended: set[str] = set()
        self.schema = _included(path)
        self.abstract_patterns = {
            str(item.get("id")): item for item in self._patterns() if item.get("abstract") == "true"
        }
        self.abstract_rules = {
            str(rule.get("id")): rule for rule in self.schema.iter(f"{SCH}rule") if rule.get("abstract") == "true"
        }

    def stylesheet(self) -> str:
        """The XSLT text of the schema."""
        phase = self.schema.get("defaultPhase")
        active: set[str] | None = None
        for item in self.schema.iterfind(f"{SCH}phase"):
            if item.get("id") == phase:
                active = {str(part.get("pattern")) for part in item.iterfind(f"{SCH}active")}
        lets: dict[str, str] = {}
        modes: list[str] = []
        templates: list[str] = []
        for item in self.schema.iterfind(f"{SCH}let"):
            lets.setdefault(str(item.get("name")), _variable(item))
        for number, pattern in enumerate(self._concrete()):
            for item in pattern.iterfind(f"{SCH}let"):
                lets.setdefault(str(item.get("name")), _variable(item))
            if active is None or pattern.get("id") in active:
                mode = f"m{number}"
                modes.append(mode)
                templates += self._templates(pattern, mode)
        # What no rule extends is left alone: it may use prefixes that its schema does not declare.
        written: set[str] = set()
        while waiting := sorted(self.extended - written):
            for name in waiting:
                body = "".join(self._steps(self.abstract_rules[name], name))
                templates.append(f'<xsl:template name="{name}">{body}</xsl:template>')
            written.update(waiting)
        return self._sheet(lets, modes, templates)

    def _patterns(self) -> Iterator[etree._Element]:
        return self.schema.iter(f"{SCH}pattern")

    def _concrete(self) -> Iterator[etree._Element]:
        for pattern in self._patterns():
            if pattern.get("abstract") == "true":
                continue
            model = pattern.get("is-a")
            if model is None:
                yield pattern
            elif model in self.abstract_patterns:
                yield _instance(self.abstract_patterns[model], pattern)
            else:
                self.left_out.append(f"{pattern.get('id')}: no abstract pattern {model}")

    def _templates(self, pattern: etree._Element, mode: str) -> list[str]:
        rules = [rule for rule in pattern.iterfind(f"{SCH}rule") if rule.get("abstract") != "true"]
        written: list[str] = []
        for rank, rule in enumerate(rules):
            body = "".join(self._steps(rule, str(pattern.get("id"))))
            match = quoteattr(_rewritten(str(rule.get("context"))))
            written.append(
                f'<xsl:template match={match} mode="{mode}" priority="{len(rules) - rank}">{body}'
                f'<xsl:apply-templates select="@*|*" mode="{mode}"/></xsl:template>'
            )
        return written

    def _steps(self, rule: etree._Element, pattern: str) -> Iterator[str]:
        for item in rule.iterchildren(tag=etree.Element):
            if item.tag == f"{SCH}let":
                yield _variable(item)
            elif item.tag == f"{SCH}extends":
                base = str(item.get("rule"))
                if base in self.abstract_rules:
                    self.extended.add(base)
                    yield f'<xsl:call-template name="{base}"/>'
            elif item.tag in (f"{SCH}assert", f"{SCH}report"):
                test = str(item.get("test"))
                if missing := [name for name in _VOCABULARY.findall(test) if name not in _vocabularies()]:
                    self.left_out.append(f"{pattern}: no value set {missing[0]}")
                    continue
                asked = f"not({_rewritten(test)})" if item.tag == f"{SCH}assert" else _rewritten(test)
                yield (
                    f'<xsl:if test={quoteattr(asked)}><o:finding pattern={quoteattr(pattern)} location="{{path(.)}}" '
                    f"role={quoteattr(item.get('role') or 'error')}>{_message(item)}</o:finding></xsl:if>"
                )

    def _sheet(self, lets: dict[str, str], modes: list[str], templates: list[str]) -> str:
        names = {str(item.get("prefix")): str(item.get("uri")) for item in self.schema.iter(f"{SCH}ns")}
        names.pop("xml", None)
        declared = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in names.items())
        files = ", ".join(f"'{oid}': '{name}'" for oid, name in _vocabularies().items())
        return (
            f'<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:o="{OURS}" '
            f'{declared} exclude-result-prefixes="#all">'
            '<xsl:output method="xml" encoding="UTF-8"/>'
            f'<xsl:variable name="o:files" select="map {{ {files} }}"/>'
            f"{_FUNCTIONS}{''.join(lets.values())}"
            + "".join(f'<xsl:mode name="{mode}" on-no-match="shallow-skip"/>' for mode in modes)
            + '<xsl:template match="/"><o:findings>'
            + "".join(f'<xsl:apply-templates select="." mode="{mode}"/>' for mode in modes)
            + f"</o:findings></xsl:template>{''.join(templates)}</xsl:stylesheet>"
        )


# The rules name value sets by files that stand elsewhere here: one folder holds them all, by name or by OID.
_VOCABULARY = re.compile(r"voc-([\d.]+)-DYNAMIC\.xml")
_FUNCTIONS = f"""
<xsl:function name="o:document" as="document-node()?" cache="yes" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xsl:param name="path"/>
  <xsl:variable name="uri" select="'{_VALUE_SETS.as_uri()}/' || tokenize(string($path), '/')[last()]"/>
  <xsl:sequence select="if (doc-available($uri)) then doc($uri) else ()"/>
</xsl:function>
<xsl:function name="o:vocabulary" as="document-node()?" cache="yes">
  <xsl:param name="path"/>
  <xsl:variable name="oid" select="replace(string($path), '^.*voc-([0-9.]+)-DYNAMIC.xml$', '$1')"/>
  <xsl:variable name="found" select="o:document($o:files($oid))"/>
  <xsl:document><valueSets><valueSet><conceptList><xsl:for-each select="$found//*:Concept">
    <concept code="{{@code}}" codeSystem="{{@codeSystem}}" displayName="{{@displayName}}"/>
  </xsl:for-each></conceptList></valueSet></valueSets></xsl:document>
</xsl:function>
"""


def _rewritten(test: str) -> str:
    return re.sub(r"(?<![\w:-])doc\(", "o:vocabulary(", re.sub(r"(?<![\w:-])document\(", "o:document(", test))


@cache
def _vocabularies() -> dict[str, str]:
    """The OID of each value set, and its file name."""
    found: dict[str, str] = {}
    for path in sorted(_VALUE_SETS.glob("*.xml")):
        if path.stat().st_size:
            value_set = etree.parse(path).getroot().find(f"{SVS}ValueSet")
            if value_set is not None and value_set.get("id"):
                found.setdefault(str(value_set.get("id")), path.name)
    return found


def _included(path: Path) -> etree._Element:
    """A schema whose includes are replaced by what they name, whichever the depth."""
    root = etree.parse(path, etree.XMLParser(remove_comments=True, remove_pis=True)).getroot()
    for item in list(root.iter(f"{SCH}include")):
        parent = item.getparent()
        target = path.parent / str(item.get("href"))
        if parent is None:
            continue
        if target.is_file():
            replacement = _included(target)
            replacement.tail = item.tail
            parent.replace(item, replacement)
        else:
            parent.remove(item)
    return root


def _instance(model: etree._Element, pattern: etree._Element) -> etree._Element:
    """An abstract pattern with its parameters filled in, longest names first."""
    filled = deepcopy(model)
    del filled.attrib["abstract"]
    filled.set("id", str(pattern.get("id")))
    values = {str(item.get("name")): str(item.get("value")) for item in pattern.iterfind(f"{SCH}param")}
    if not values:
        return filled
    names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    wanted = re.compile(rf"\$({names})(?![\w.\-])")
    for element in filled.iter(tag=etree.Element):
        for name, text in element.attrib.items():
            element.set(name, wanted.sub(lambda match: values[match[1]], str(text)))
    return filled


def _variable(item: etree._Element) -> str:
    value = item.get("value")
    name = quoteattr(str(item.get("name")))
    if value is None:
        return f"<xsl:variable name={name}>{''.join(etree.tostring(part).decode() for part in item)}</xsl:variable>"
    return f"<xsl:variable name={name} select={quoteattr(_rewritten(value))}/>"


def _message(item: etree._Element) -> str:
    """The words of an assert as XSLT, with what it shows of the document."""
    parts = [_literal(item.text)]
    for part in item.iterchildren(tag=etree.Element):
        if part.tag == f"{SCH}value-of":
            parts.append(f"<xsl:value-of select={quoteattr(_rewritten(str(part.get('select'))))}/>")
        elif part.tag == f"{SCH}name":
            parts.append(f"<xsl:value-of select={quoteattr('name(' + (part.get('path') or '.') + ')')}/>")
        else:
            parts.append(_literal("".join(str(text) for text in part.itertext())))
        parts.append(_literal(part.tail))
    return "".join(parts)


def _literal(text: str | None) -> str:
    escaped = (text or "").replace("&", "&amp;").replace("<", "&lt;")
    return f"<xsl:text>{escaped}</xsl:text>" if escaped else ""


def _text(content: bytes) -> str:
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    return etree.tostring(root, encoding="unicode")


@cache
def _processor() -> Any:
    """Saxon, loaded when it is first needed."""
    import saxonche

    return saxonche.PySaxonProcessor(license=False)
