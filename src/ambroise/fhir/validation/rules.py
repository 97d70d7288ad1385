"""What generated validators call for what is not plain: the walk of the rest, siblings, codes, references, roots."""

import re
from collections.abc import Iterable
from typing import Any, Final, cast

from ambroise.fhir import definitions, terminology
from ambroise.fhir.validation import findings, narrative
from ambroise.fhir.validation.compiled import function
from ambroise.fhir.validation.context import Context
from ambroise.fhir.validation.findings import Issues, Place
from ambroise.fhir.validation.generator import CodedRule, PrimitiveRule, WalkRule, WalkTable
from ambroise.fhir.validation.primitives import PRIMITIVES, is_id

_RELATIVE: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?\S+=\S*")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


def walk(o: dict[str, Any], p: Place, i: Issues, c: Context, table: WalkTable) -> None:
    """Check what remains: ids, extensions, choices, siblings; and name what does not belong."""
    chosen: dict[str, str] = {}
    inline, rules = table.inline, table.rules
    for key, value in o.items():
        if key in inline:
            continue
        rule = rules.get(key)
        if rule is not None:
            if rule.choice is not None:
                _choose(chosen, rule.choice, key, p, i)
            _walk_element(value, key, rule, p, i, c, table)
        elif key in table.siblings:
            stem, repeats, choice = table.siblings[key]
            if choice is not None:
                _choose(chosen, choice, stem, p, i)
            _sibling(value, key, stem, repeats, o, p, i, c)
        elif not (key == "resourceType" and table.is_resource):
            known = [*inline, *rules, *table.siblings]
            findings.unknown(i, p, key, table.shape, known)
    if len(o) == 1 and "id" in o and not table.is_resource:
        findings.empty_object(i, p)


def _choose(chosen: dict[str, str], stem: str, key: str, p: Place, i: Issues) -> None:
    first = chosen.setdefault(stem, key)
    if first != key:
        findings.two_choices(i, p, stem, first, key)


def _walk_element(value: Any, key: str, rule: WalkRule, p: Place, i: Issues, c: Context, table: WalkTable) -> None:
    place = (p, key, None)
    if value is None:
        findings.null(i, place)
    elif rule.repeats:
        if type(value) is not list or not value:
            return findings.not_array(i, place, cast(object, value))
        check = _contained if key == "contained" and table.is_resource else function(rule.type)
        for index, item in enumerate(cast(list[Any], value)):
            check(item, (p, key, index), i, c)
    elif rule.type == "xhtml":
        if problem := narrative.fault(value):
            findings.found(i, place, "invariant", f"{problem}.", "txt-1")
    elif (primitive := PRIMITIVES.get(rule.type)) is not None:
        if not primitive[0](value):
            findings.wrong_value(i, place, rule.type, value, primitive[1])
        elif rule.value_set and value not in terminology.required_codes(rule.value_set):
            findings.wrong_code(i, place, value, rule.value_set)
    else:
        function(rule.type)(value, place, i, c)
        if rule.value_set:
            codings = terminology.required_codings(rule.value_set)
            coded(value, place, i, CodedRule(rule.type, codings, rule.value_set))
        if rule.targets and rule.type == "Reference" and "Resource" not in rule.targets:
            targeted(value, place, i, frozenset(rule.targets))
    return None


def _sibling(
    value: Any, key: str, stem: str, repeats: bool, o: dict[str, Any], p: Place, i: Issues, c: Context
) -> None:
    """Check `_name`: an element beside a primitive, or an array of them aligned with the array of values."""
    place = (p, key, None)
    if not repeats:
        return _beside(value, stem in o, place, i, c)
    if type(value) is not list or not value:
        return findings.not_array(i, place, cast(object, value))
    items = cast(list[Any], value)
    beside: Any = o.get(stem)
    if beside is None and all(item is None for item in items):
        return findings.unaligned(i, place)
    if beside is not None and (type(beside) is not list or len(cast(list[Any], beside)) != len(items)):
        return findings.unaligned(i, place)
    for index, item in enumerate(items):
        if item is not None:
            _beside(item, beside is not None and beside[index] is not None, (p, key, index), i, c)
        elif beside is None or beside[index] is None:
            findings.unaligned(i, (p, key, index))
    return None


def _beside(value: Any, has_value: bool, place: Place, i: Issues, c: Context) -> None:
    element = cast(dict[str, Any], value) if type(value) is dict else {}
    if has_value and list(element) == ["id"]:
        # Beside a value an id says enough; alone it would be an empty element.
        test, wanted = PRIMITIVES["string"]
        if not test(element["id"]):
            findings.wrong_value(i, (place, "id", None), "string", element["id"], wanted)
        return None
    return function("Element")(value, place, i, c)


def primitives(v: list[Any], o: dict[str, Any], p: Place, i: Issues, rule: PrimitiveRule) -> None:
    """Check an array of primitives; null stands only where the sibling array has an element."""
    test, wanted = PRIMITIVES[rule.type]
    for index, item in enumerate(v):
        if item is None:
            beside: Any = o.get(f"_{rule.key}")
            if type(beside) is not list or index >= len(cast(list[Any], beside)) or beside[index] is None:
                findings.null(i, (p, rule.key, index))
        elif not test(item):
            findings.wrong_value(i, (p, rule.key, index), rule.type, item, wanted)
        elif rule.codes is not None and item not in rule.codes:
            findings.wrong_code(i, (p, rule.key, index), item, rule.value_set or "")


def coded(value: Any, place: Place, i: Issues, rule: CodedRule) -> None:
    """Check that a CodeableConcept, Coding or Quantity has a code of its required value set."""
    if type(value) is not dict:
        return
    holder = cast(dict[str, Any], value)
    rows: Any = holder.get("coding", ()) if rule.type == "CodeableConcept" else (holder,)
    if type(rows) is not list and type(rows) is not tuple:
        return
    for row in cast(Iterable[Any], rows):
        if type(row) is dict and _pair(cast(dict[str, Any], row)) in rule.codings:
            return
    if "extension" not in holder:
        codes = [cast(dict[str, Any], row).get("code") for row in cast(Iterable[Any], rows) if isinstance(row, dict)]
        findings.wrong_code(i, place, ", ".join(map(str, codes)) or holder.get("text", ""), rule.value_set)


def _pair(row: dict[str, Any]) -> tuple[str, str]:
    system, code = row.get("system"), row.get("code")
    return (system, code) if type(system) is str and type(code) is str else ("", "")


def targeted(value: Any, place: Place, i: Issues, targets: frozenset[str]) -> None:
    """Check that a Reference is to one of the types that the element allows, when it says to what it is."""
    if type(value) is not dict:
        return
    reference = cast(dict[str, Any], value)
    type_ = reference.get("type")
    text = reference.get("reference")
    if type(text) is str and text[: text.find("/")] in targets:
        return
    if type(text) is str and (match := _RELATIVE.fullmatch(text) or _CONDITIONAL.fullmatch(text)):
        type_ = match[1]
    if type(type_) is str and type_ not in targets and definitions.is_resource_type(type_):
        wanted = ", ".join(sorted(targets))
        findings.found(i, place, "value", f"a reference to a {type_} is not allowed, only to {wanted}.", "WRONG_TARGET")


def reference_rules(o: dict[str, Any], p: Place, i: Issues, c: Context) -> None:
    """Check the form of a literal reference, and remember those to contained resources."""
    text = o.get("reference")
    if type(text) is not str or text == "":
        return
    if text[0] == "#":
        if len(text) > 1:
            c.local.append((text, p))
        return
    match = _RELATIVE.fullmatch(text) or _CONDITIONAL.fullmatch(text)
    if match:
        if not definitions.is_resource_type(match[1]):
            findings.found(i, (p, "reference", None), "value", f"'{match[1]}' is not a resource type.", "BAD_REFERENCE")
        elif type(stated := o.get("type")) is str and definitions.is_resource_type(stated) and stated != match[1]:
            diagnostics = f"the reference is to a {match[1]} and not to a {stated}."
            findings.found(i, (p, "type", None), "value", diagnostics, "BAD_REFERENCE")
    elif not _ABSOLUTE.fullmatch(text):
        diagnostics = f"{findings.shown(text)} is neither Type/id, nor an absolute address, nor #id."
        findings.found(i, (p, "reference", None), "value", diagnostics, "BAD_REFERENCE")


def extension_rules(o: dict[str, Any], p: Place, i: Issues, c: Context) -> None:
    """Check that an extension has a value or extensions, not both."""
    has_value = any(key[:5] == "value" or key[:6] == "_value" for key in o)
    if has_value == ("extension" in o):
        findings.broken(i, p, "ext-1")


def _contained(item: Any, p: Place, i: Issues, c: Context) -> None:
    c.depth += 1
    outer, c.resource = c.resource, item
    inline_resource(item, p, i, c)
    c.resource = outer
    c.depth -= 1
    if type(item) is not dict:
        return
    contained = cast(dict[str, Any], item)
    meta: Any = contained.get("meta")
    if type(contained.get("id")) is not str:
        findings.missing(i, p, "id")
    if "contained" in contained:
        findings.broken(i, p, "dom-2")
    if isinstance(meta, dict):
        if "versionId" in meta or "lastUpdated" in meta:
            findings.broken(i, p, "dom-4")
        if "security" in meta:
            findings.broken(i, p, "dom-5")


def inline_resource(value: Any, p: Place, i: Issues, c: Context) -> None:
    """Check a resource by the type that it says."""
    if type(value) is not dict:
        return findings.not_object(i, p, value)
    resource = cast(dict[str, Any], value)
    type_ = resource.get("resourceType")
    if not definitions.is_resource_type(type_):
        near = findings.nearest(type_, definitions.resource_types())
        diagnostics = f"{findings.shown(type_)} is not a resource type of R4{near}"
        return findings.found(i, (p, "resourceType", None), "structure", diagnostics, "UNKNOWN_TYPE")
    return function(cast(str, type_))(resource, p, i, c)


def independent_resource(value: Any, p: Place, i: Issues, c: Context) -> None:
    """Check a resource that stands alone inside another (a Bundle entry, a parameter)."""
    own = cast(dict[str, Any], value) if type(value) is dict else {}
    inline_resource(value, p, i, Context(own, own))


def resource_rules(o: dict[str, Any], p: Place, i: Issues, c: Context) -> None:
    """Check what holds for a whole resource: its id, and that references and contained resources match."""
    if (id_ := o.get("id")) is not None and not is_id(id_):
        findings.wrong_value(i, (p, "id", None), "id", id_, PRIMITIVES["id"][1])
    if c.depth:
        return
    contained: Any = o.get("contained")
    if contained is None and not c.local:
        return
    rows = cast(list[Any], contained) if isinstance(contained, list) else []
    resources = [cast(dict[str, Any], row) for row in rows if isinstance(row, dict)]
    ids = {id_ for resource in resources if isinstance(id_ := resource.get("id"), str)}
    for text, place in c.local:
        if text[1:] not in ids:
            diagnostics = f"there is no contained resource '{text[1:]}'."
            findings.found(i, (place, "reference", None), "invariant", diagnostics, "ref-1")
    if len(ids) < len(resources) and not i:
        findings.found(i, (p, "contained", None), "value", "two contained resources have the same id.", "DUPLICATE_ID")
    if resources and not i:
        _contained_is_mentioned(o, p, i, c, resources)


def _contained_is_mentioned(
    o: dict[str, Any], p: Place, i: Issues, c: Context, resources: list[dict[str, Any]]
) -> None:
    # References were met on the way; what else may name a contained resource (a canonical, a uri) is rare.
    referred = {text for text, _ in c.local}
    if all(f"#{resource.get('id')}" in referred for resource in resources):
        return
    mentioned = _local_mentions(o)
    for index, resource in enumerate(resources):
        if f"#{resource.get('id')}" not in mentioned and "#" not in _local_mentions(resource):
            findings.broken(i, (p, "contained", index), "dom-3")


def _local_mentions(value: Any) -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(cast(dict[str, Any], item).values())
        elif isinstance(item, list):
            waiting.extend(cast(list[Any], item))
        elif isinstance(item, str) and item[:1] == "#":
            found.add(item)
    return found
