"""Compile the R4 definitions of the npm package hl7.fhir.r4.examples into src/ambroise/fhir/definitions/r4.msgpack.

Run by hand when the sources or this file change: `python tools/compile_fhir.py [package.tgz]`. Without a path the
package is fetched with `npm pack`; either way its sha512 must be the pinned one. The result depends on nothing else
than the package, the two tables of tools/fhir and this code, so that anyone can check it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from ambroise.fhir.definitions.model import (
    UNBOUNDED,
    Component,
    Constraint,
    Container,
    Element,
    Index,
    Manifest,
    SearchParameter,
    Shape,
    TypeRef,
)

PACKAGE = "hl7.fhir.r4.examples"
VERSION = "4.0.1"
INTEGRITY = "sha512-DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw=="
PUBLISHED = "2026-04-06"

ROOT = Path(__file__).resolve().parent.parent
ARTEFACT = ROOT / "src/ambroise/fhir/definitions/r4.msgpack"
NUMBERS = ROOT / "tools/fhir/numbers.json"
EXTRAS = ROOT / "tools/fhir/extra_search_parameters.json"
CHECKSUM = ROOT / "tools/fhir/r4.msgpack.sha256"

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
# Bound as required, but their codes are a grammar or were not expanded by the publisher: not checked by list.
OPEN_VALUE_SETS = {
    "http://hl7.org/fhir/ValueSet/mimetypes",
    "http://hl7.org/fhir/ValueSet/ucum-units",
    "http://loinc.org/vs/LL379-9",
}
# Written by hand in the validator, because they hold on every element or need more than FHIRPath.
BUILT_IN_CONSTRAINTS = {"ele-1", "ext-1", "txt-1", "txt-2"}
# Full text and named queries have no path: they are no index of ours.
PARAMETERS_WITHOUT_PATH = {"_content", "_query", "_text"}

Json = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Compile, write the artefact, its checksum and the numbers that it gave out."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(arguments[0]) if arguments else fetch(Path(folder))
        check_integrity(archive)
        package = read_package(archive)
    numbers = Numbers(NUMBERS)
    container = compile_package(package, numbers)
    data = msgspec.msgpack.encode(container)
    ARTEFACT.write_bytes(data)
    CHECKSUM.write_text(f"{hashlib.sha256(data).hexdigest()}  {ARTEFACT.name}\n")
    numbers.save()
    print(f"{ARTEFACT.relative_to(ROOT)}: {len(data):,} bytes, {len(container.shapes)} groups of shapes")


def fetch(folder: Path) -> Path:
    """The package downloaded by npm into `folder`."""
    command = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder), "--silent"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / f"{PACKAGE}-{VERSION}.tgz"


def check_integrity(archive: Path) -> None:
    """Stop unless the archive is the pinned one."""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise SystemExit(f"{archive} is not {PACKAGE}@{VERSION}: its sha512 is {digest}")


def read_package(archive: Path) -> dict[str, list[Json]]:
    """The resources of the bundles that we compile, by bundle name, and the compartment definitions."""
    wanted = {
        f"package/Bundle-{name}.json": name for name in ("resources", "types", "searchParams", "valueset-expansions")
    }
    found: dict[str, list[Json]] = {"compartments": []}
    with tarfile.open(archive) as tar:
        for member in tar:
            source = tar.extractfile(member)
            if source is None:
                continue
            if name := wanted.get(member.name):
                found[name] = [entry["resource"] for entry in json.load(source)["entry"]]
            elif re.fullmatch(r"package/CompartmentDefinition-(?!example)\w+\.json", member.name):
                found["compartments"].append(json.load(source))
    return found


class Numbers:
    """The committed registry of numbers: a name keeps its number for ever, a new name gets the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        known = json.loads(path.read_text()) if path.exists() else {}
        self.types: dict[str, int] = known.get("types", {})
        self.parameters: dict[str, int] = known.get("parameters", {})

    def type(self, name: str) -> int:
        return self.types.setdefault(name, max(self.types.values(), default=0) + 1)

    def parameter(self, base: str, code: str) -> int:
        return self.parameters.setdefault(f"{base}.{code}", max(self.parameters.values(), default=0) + 1)

    def save(self) -> None:
        content = {
            "note": "Numbers stand in stored data: add, never change nor reuse. Written by tools/compile_fhir.py.",
            "types": self.types,
            "parameters": self.parameters,
        }
        self._path.write_text(json.dumps(content, indent=1) + "\n")


def compile_package(package: dict[str, list[Json]], numbers: Numbers) -> Container:
    """The whole artefact."""
    definitions = [
        resource
        for resource in package["types"] + package["resources"]
        if resource["resourceType"] == "StructureDefinition" and resource["kind"] != "logical"
    ]
    value_sets = {resource["url"]: expanded_codes(resource) for resource in package["valueset-expansions"]}
    constraints = Constraints(definitions)
    groups = {definition["name"]: compile_shapes(definition, value_sets, constraints) for definition in definitions}
    concrete = sorted(d["name"] for d in definitions if d["kind"] == "resource" and not d["abstract"])
    used = {element.binding for shapes in groups.values() for shape in shapes for element in shape.elements}
    index = Index(
        types={name: numbers.type(name) for name in concrete},
        data_types=tuple(sorted(d["name"] for d in definitions if d["kind"] != "resource" and not d["abstract"])),
        parameters=compile_parameters(package["searchParams"], concrete, numbers),
        compartments=compile_compartments(package["compartments"]),
    )
    return Container(
        manifest=Manifest(PACKAGE, VERSION, INTEGRITY, PUBLISHED, "CC0-1.0"),
        index=pack(index),
        shapes={name: pack(shapes) for name, shapes in sorted(groups.items())},
        constraints=pack(constraints.table()),
        value_sets=pack({url: value_sets[url] for url in sorted(filter(None, used))}),
    )


def pack(value: Any) -> bytes:
    return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(msgspec.msgpack.encode(value))


def expanded_codes(value_set: Json) -> list[tuple[str, tuple[str, ...]]]:
    """The selectable codes of an expansion, grouped by system."""
    by_system: dict[str, list[str]] = {}

    def visit(rows: Iterable[Json]) -> None:
        for row in rows:
            if "code" in row and not row.get("abstract"):
                by_system.setdefault(row.get("system", ""), []).append(row["code"])
            visit(row.get("contains", ()))

    visit(value_set["expansion"].get("contains", ()))
    return [(system, tuple(codes)) for system, codes in by_system.items()]


def compile_shapes(definition: Json, value_sets: Json, constraints: Constraints) -> list[Shape]:
    """The shape of a definition and those of its inline (backbone) elements, parents first."""
    elements: list[Json] = definition["snapshot"]["element"]
    children: dict[str, list[Json]] = {}
    for element in elements[1:]:
        children.setdefault(element["path"].rpartition(".")[0], []).append(element)
    root_type = definition["type"]
    kind = {"resource": "resource", "complex-type": "complex", "primitive-type": "primitive"}[definition["kind"]]
    shapes: list[Shape] = []
    for element in elements:
        path: str = element["path"]
        if path != root_type and path not in children:
            continue
        is_root = path == root_type
        name = definition["name"] + path.removeprefix(root_type)
        shapes.append(
            Shape(
                name=name,
                kind=kind if is_root else "backbone",
                base=base_of(definition) if is_root else element["type"][0]["code"],
                elements=tuple(
                    compile_element(child, value_sets, definition, children, constraints)
                    for child in children.get(path, ())
                    if child["max"] != "0" or definition.get("derivation") != "constraint"
                ),
                constraints=constraints.keys(element, definition),
                pattern=primitive_pattern(elements) if kind == "primitive" else None,
            )
        )
    return shapes


def base_of(definition: Json) -> str:
    return definition.get("baseDefinition", "").removeprefix(STRUCTURE)


def compile_element(
    element: Json, value_sets: Json, definition: Json, children: dict[str, list[Json]], constraints: Constraints
) -> Element:
    path: str = element["path"]
    name = path.rpartition(".")[2]
    own_shape = shape_of(element, definition, children)
    binding: str | None = None
    if (bound := element.get("binding", {})).get("strength") == "required" and "valueSet" in bound:
        binding = bound["valueSet"].split("|")[0]
        if binding in OPEN_VALUE_SETS or binding not in value_sets:
            binding = None
    return Element(
        name=name.removesuffix("[x]"),
        minimum=element["min"],
        maximum=UNBOUNDED if element["max"] == "*" else int(element["max"]),
        types=tuple(type_refs(element, definition)) or (TypeRef("BackboneElement"),),
        choice=name.endswith("[x]"),
        shape=own_shape,
        binding=binding,
        summary=element.get("isSummary", False),
        modifier=element.get("isModifier", False),
        # What constrains a backbone element stands on its shape, so that a content reference shares it.
        constraints=() if own_shape else constraints.keys(element, definition),
    )


def shape_of(element: Json, definition: Json, children: dict[str, list[Json]]) -> str | None:
    if reference := element.get("contentReference"):
        return reference.lstrip("#")
    return (
        definition["name"] + element["path"].removeprefix(definition["type"]) if element["path"] in children else None
    )


def type_refs(element: Json, definition: Json) -> Iterator[TypeRef]:
    for type_ref in element.get("type", ()):
        code: str = type_ref["code"]
        if code.startswith("http://hl7.org/fhirpath/System."):
            code = system_type(element, type_ref, definition)
        profiles = [profile.removeprefix(STRUCTURE) for profile in type_ref.get("profile", ())]
        if profiles in (["SimpleQuantity"], ["MoneyQuantity"]):
            code = profiles[0] if not element["path"].endswith("[x]") else code
        targets = tuple(target.removeprefix(STRUCTURE) for target in type_ref.get("targetProfile", ()))
        yield TypeRef(code, targets)


def system_type(element: Json, type_ref: Json, definition: Json) -> str:
    """The FHIR type behind a FHIRPath system type; the definitions call a resource's id a string."""
    if definition["kind"] == "resource" and element["path"].count(".") == 1 and element["path"].endswith(".id"):
        return "id"
    for extension in type_ref.get("extension", ()):
        if extension["url"].endswith("structuredefinition-fhir-type"):
            return extension["valueUrl"]
    return definition["name"]


def primitive_pattern(elements: list[Json]) -> str | None:
    for element in elements:
        for type_ref in element.get("type", ()):
            for extension in type_ref.get("extension", ()):
                if extension["url"] == "http://hl7.org/fhir/StructureDefinition/regex":
                    return extension["valueString"]
    return None


class Constraints:
    """Every invariant once; a key that two types use for two rules is qualified by its type (`Task:inv-1`)."""

    def __init__(self, definitions: list[Json]) -> None:
        rules: dict[str, set[str]] = {}
        for definition in definitions:
            for row in constraint_rows(definition):
                rules.setdefault(row["key"], set()).add(row["expression"])
        self._shared = {key for key, expressions in rules.items() if len(expressions) > 1}
        self._found: dict[str, Constraint] = {}
        for definition in definitions:
            for row in constraint_rows(definition):
                key = self._name(row["key"], definition)
                self._found[key] = Constraint(key, row["severity"], row["expression"], row["human"])

    def keys(self, element: Json, definition: Json) -> tuple[str, ...]:
        """The invariants that an element states, without those that the validator holds for every element."""
        rows = (row for row in element.get("constraint", ()) if row.get("expression"))
        return tuple(self._name(row["key"], definition) for row in rows if row["key"] not in BUILT_IN_CONSTRAINTS)

    def table(self) -> list[Constraint]:
        return [self._found[key] for key in sorted(self._found)]

    def _name(self, key: str, definition: Json) -> str:
        return f"{definition['name']}:{key}" if key in self._shared else key


def constraint_rows(definition: Json) -> Iterator[Json]:
    for element in definition["snapshot"]["element"]:
        yield from (row for row in element.get("constraint", ()) if row.get("expression"))


def compile_parameters(definitions: list[Json], concrete: list[str], numbers: Numbers) -> dict[str, msgspec.Raw]:
    """The parameters of each type, those of every resource under `Resource`."""
    by_url = {definition["url"]: definition for definition in definitions}
    rows: dict[str, list[SearchParameter]] = {"Resource": []}
    official = sorted(definitions, key=lambda definition: (definition["base"] != ["Resource"], definition["url"]))
    for definition in official:
        if definition["code"] in PARAMETERS_WITHOUT_PATH:
            continue
        components = tuple(
            Component(by_url[part["definition"]]["code"], part["expression"])
            for part in definition.get("component", ())
        )
        for base in sorted(definition["base"]):
            if base != "Resource" and base not in concrete:
                raise SystemExit(f"{definition['url']} is about {base}")
            parameter = SearchParameter(
                code=definition["code"],
                type=definition["type"],
                url=definition["url"],
                number=numbers.parameter(base, definition["code"]),
                expression=expression_for(base, definition["expression"]),
                targets=tuple(definition.get("target", ())),
                components=components,
            )
            rows.setdefault(base, []).append(parameter)
    for extra in json.loads(EXTRAS.read_text())["parameters"]:
        for base in extra["base"]:
            if any(row.code == extra["code"] for row in rows[base]):
                raise SystemExit(f"{base}.{extra['code']} is a parameter of R4 already")
            parameter = SearchParameter(
                code=extra["code"],
                type=extra["type"],
                url=extra["url"],
                number=numbers.parameter(base, extra["code"]),
                expression=extra["expression"].replace("{}", base),
                targets=tuple(extra.get("targets", ())),
                source=extra["source"],
            )
            rows[base].append(parameter)
    return {base: msgspec.Raw(msgspec.msgpack.encode(found)) for base, found in sorted(rows.items())}


def expression_for(base: str, expression: str) -> str:
    """The terms of a union that speak of `base`; a definition shared by several types lists them all."""
    terms = [term.strip() for term in re.split(r"\s\|\s(?![^(]*\))", expression)]
    own = [term for term in terms if re.match(rf"\(?{base}\b", term)]
    if not own and any("." in term for term in terms):
        raise SystemExit(f"nothing about {base} in {expression}")
    return " | ".join(own or [f"{base}.{term}" for term in terms])


def compile_compartments(definitions: list[Json]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        definition["code"]: {row["code"]: tuple(row["param"]) for row in definition["resource"] if row.get("param")}
        for definition in sorted(definitions, key=lambda definition: definition["code"])
    }


if __name__ == "__main__":
    main(sys.argv[1:])
