"""The part of FHIRPath that a patch needs: a path that designates places, with filters.

Understood: member steps, `[n]`, `where(…)`, `first()`, `last()`, `tail()`, `skip(n)`, `take(n)`, `single()`,
`ofType(T)`, `extension('url')`; in filters also `=`, `!=`, `and`, `or`, `not()`, `exists()`, `empty()`, `$this`,
`contains('x')`, `startsWith('x')`, `endsWith('x')`. Anything else is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from msgspec import Struct

from ambroise.fhir.patch.errors import malformed, not_applicable
from ambroise.fhir.patch.json_patch import same_json
from ambroise.fhir.patch.nodes import Node, children, root
from ambroise.fhir.patch.shapes import Shapes

Focus = list[Node]
Step = Callable[[Focus], Focus]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)|(?P<date>@[0-9T:+\-.Z]+)"
    r"|(?P<name>\$this|[A-Za-z_][A-Za-z0-9_]*|`[^`]+`)|(?P<sign>!=|[.()\[\],=]))"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
MAX_PATH = 2000


def locate(path: str, resource: dict[str, Any], shapes: Shapes) -> Focus:
    """The places that a path designates in a resource, in document order."""
    parser = _Parser(path, shapes)
    step = parser.path_from_root(str(resource.get("resourceType", "")))
    parser.end()
    return step([root(resource)])


class _Token(Struct, frozen=True):
    kind: str
    text: str
    at: int


class _Parser:
    """A recursive descent: every method reads one rule and returns the function that evaluates it."""

    def __init__(self, text: str, shapes: Shapes) -> None:
        if len(text) > MAX_PATH:
            raise malformed(f"A path of a patch holds at most {MAX_PATH} characters.")
        self.text = text
        self.shapes = shapes
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    def path_from_root(self, resource_type: str) -> Step:
        if self._peek().kind == "name" and self._peek().text == resource_type:
            self.place += 1
            return self._postfixes(lambda focus: focus)
        return self._postfixes(self._member_or_function())

    def end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected()

    def _criteria(self) -> Step:
        self.depth += 1
        if self.depth > 20:
            raise malformed(f"`{self.text}`: filters are nested too deeply.")
        step = self._either()
        self.depth -= 1
        return step

    def _either(self) -> Step:
        left = self._both()
        while self._take("name", "or"):
            left = _logical(left, self._both(), any)
        return left

    def _both(self) -> Step:
        left = self._comparison()
        while self._take("name", "and"):
            left = _logical(left, self._comparison(), all)
        return left

    def _comparison(self) -> Step:
        left = self._operand()
        for sign, wanted in (("=", True), ("!=", False)):
            if self._take("sign", sign):
                return _comparison(left, self._operand(), wanted)
        return left

    def _operand(self) -> Step:
        token = self._peek()
        if token.kind in ("string", "number", "date"):
            self.place += 1
            return _constant(_literal(token))
        if token.kind == "name" and token.text in ("true", "false"):
            self.place += 1
            return _constant(token.text == "true")
        if self._take("sign", "("):
            inner = self._criteria()
            self._expect(")")
            return self._postfixes(inner)
        if self._take("name", "$this"):
            return self._postfixes(lambda focus: focus)
        return self._postfixes(self._member_or_function())

    def _postfixes(self, step: Step) -> Step:
        while True:
            if self._take("sign", "."):
                step = _then(step, self._member_or_function())
            elif self._take("sign", "["):
                step = _then(step, _at(self._whole_number()))
                self._expect("]")
            else:
                return step

    def _member_or_function(self) -> Step:
        token = self._peek()
        if token.kind != "name":
            raise self._unexpected()
        self.place += 1
        name = token.text.strip("`")
        if self._take("sign", "("):
            step = self._function(name)
            self._expect(")")
            return step
        shapes = self.shapes
        return lambda focus: [child for node in focus for child in children(node, name, shapes)]

    def _function(self, name: str) -> Step:
        match name:
            case "where":
                criteria = self._criteria()
                return lambda focus: [node for node in focus if _truth(criteria([node]))]
            case "exists" | "empty":
                criteria = self._criteria() if self._peek().text != ")" else None
                return _existence(criteria, name == "exists")
            case "not":
                return lambda focus: [_made(not _truth(focus))] if focus else []
            case "first":
                return lambda focus: focus[:1]
            case "last":
                return lambda focus: focus[-1:]
            case "tail":
                return lambda focus: focus[1:]
            case "single":
                return self._single
            case "skip" | "take":
                count = self._whole_number()
                return (lambda focus: focus[count:]) if name == "skip" else (lambda focus: focus[:count])
            case "ofType" | "as":
                return _of_type(self._type_name())
            case "extension":
                return self._extension(self._string())
            case "contains" | "startsWith" | "endsWith":
                return _text_test(name, self._string())
            case _:
                raise malformed(f"`{self.text}`: the function `{name}()` is not supported in the path of a patch.")

    def _single(self, focus: Focus) -> Focus:
        if len(focus) > 1:
            raise not_applicable(f"`{self.text}`: single() met {len(focus)} elements.")
        return focus

    def _extension(self, url: str) -> Step:
        shapes = self.shapes

        def extensions(focus: Focus) -> Focus:
            found = [child for node in focus for child in children(node, "extension", shapes)]
            return [node for node in found if _url_of(node) == url]

        return extensions

    def _whole_number(self) -> int:
        token = self._peek()
        if token.kind != "number" or "." in token.text or len(token.text) > 9:
            raise self._unexpected()
        self.place += 1
        return int(token.text)

    def _string(self) -> str:
        token = self._peek()
        if token.kind != "string":
            raise self._unexpected()
        self.place += 1
        return str(_literal(token))

    def _type_name(self) -> str:
        token = self._peek()
        if token.kind != "name":
            raise self._unexpected()
        self.place += 1
        if token.text in ("FHIR", "System") and self._take("sign", "."):
            return self._type_name()
        return token.text

    def _peek(self) -> _Token:
        return self.tokens[self.place]

    def _take(self, kind: str, text: str) -> bool:
        token = self.tokens[self.place]
        if token.kind == kind and token.text == text:
            self.place += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise self._unexpected()

    def _unexpected(self) -> Exception:
        token = self._peek()
        what = "the end" if token.kind == "end" else f"`{token.text}`"
        return malformed(f"The path `{self.text}` cannot be read: {what} at {token.at} is not expected there.")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise malformed(f"The path `{text}` cannot be read at character {at}.")
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        at = match.end()
    return [*tokens, _Token("end", "", len(text))]


def _literal(token: _Token) -> Any:
    if token.kind == "string":
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1])
    if token.kind == "date":
        return token.text[1:]
    return Decimal(token.text)


def _url_of(node: Node) -> Any:
    value: Any = node.value
    return cast("dict[str, Any]", value).get("url") if isinstance(value, dict) else None


def _made(value: Any) -> Node:
    return Node(value=value, path="")


def _constant(value: Any) -> Step:
    made = [_made(value)]
    return lambda focus: made


def _then(first: Step, second: Step) -> Step:
    return lambda focus: second(first(focus))


def _at(index: int) -> Step:
    return lambda focus: focus[index : index + 1]


def _truth(focus: Focus) -> bool:
    return len(focus) == 1 and focus[0].value is not False


def _logical(left: Step, right: Step, together: Callable[[list[bool]], bool]) -> Step:
    return lambda focus: [_made(together([_truth(left(focus)), _truth(right(focus))]))]


def _comparison(left: Step, right: Step, wanted: bool) -> Step:
    def compare(focus: Focus) -> Focus:
        a, b = left(focus), right(focus)
        if not a or not b:
            return []
        equal = len(a) == len(b) and all(same_json(x.value, y.value) for x, y in zip(a, b, strict=True))
        return [_made(equal is wanted)]

    return compare


def _existence(criteria: Step | None, wanted: bool) -> Step:
    def test(focus: Focus) -> Focus:
        found = focus if criteria is None else [node for node in focus if _truth(criteria([node]))]
        return [_made(bool(found) is wanted)]

    return test


def _text_test(name: str, wanted: str) -> Step:
    tests: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: wanted in text,
        "startsWith": lambda text: text.startswith(wanted),
        "endsWith": lambda text: text.endswith(wanted),
    }
    test = tests[name]
    return lambda focus: [_made(test(node.value)) for node in focus if isinstance(node.value, str)]


def _of_type(type_name: str) -> Step:
    wanted = type_name.lower()
    return lambda focus: [node for node in focus if node.path.lower() == wanted]
