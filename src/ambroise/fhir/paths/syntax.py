"""FHIRPath text to a tree: the whole N1 grammar but date and quantity literals' units beyond UCUM words."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec


class PathError(ValueError):
    """A path that cannot be read or that uses what is not supported; the message says what and where."""


class Literal(msgspec.Struct, frozen=True):
    """A constant: string, number, boolean; a date keeps its text; `{}` is None."""

    value: str | int | Decimal | bool | None
    kind: str


class This(msgspec.Struct, frozen=True):
    """`$this`, or what a path starts from."""


class Position(msgspec.Struct, frozen=True):
    """`$index`."""


class Variable(msgspec.Struct, frozen=True):
    """`%resource`, `%ucum`…"""

    name: str


class Member(msgspec.Struct, frozen=True):
    """`source.name`; at the start of a path the name may be a type."""

    source: "Expression | None"
    name: str


class Call(msgspec.Struct, frozen=True):
    """`source.name(arguments)`."""

    source: "Expression | None"
    name: str
    arguments: "tuple[Expression, ...]"


class Item(msgspec.Struct, frozen=True):
    """`source[position]`."""

    source: "Expression"
    position: "Expression"


class Sign(msgspec.Struct, frozen=True):
    """`-source`."""

    source: "Expression"


class Binary(msgspec.Struct, frozen=True):
    """`left operator right`."""

    operator: str
    left: "Expression"
    right: "Expression"


class TypeTest(msgspec.Struct, frozen=True):
    """`source is type` or `source as type`."""

    operator: str
    source: "Expression"
    type: str


Expression = Literal | This | Position | Variable | Member | Call | Item | Sign | Binary | TypeTest

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<date>@(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?
        |\d{4}(?:-\d{2}(?:-\d{2})?)?(?:T(?:\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)?(?:Z|[+-]\d{2}:\d{2})?)?))
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<variable>%(?:[A-Za-z_][\w-]*|`[^`]*`|'[^']*'))
    |(?P<special>\$(?:this|index|total))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}]))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
# Weakest first; every level is left associative.
_LEVELS: Final = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<=", "<", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
# Bounds on what a client may send, well above the longest path of the standard.
_MAX_LENGTH: Final = 10_000
_MAX_TOKENS: Final = 400
_MAX_NESTING: Final = 20


@lru_cache(maxsize=4096)
def parse(path: str) -> Expression:
    """The tree of a FHIRPath expression. Raises PathError, naming the place."""
    if len(path) > _MAX_LENGTH:
        raise PathError(f"The path has {len(path)} characters; at most {_MAX_LENGTH} are read.")
    return _Parser(path).parse()


class _Parser:
    def __init__(self, path: str) -> None:
        self._path = path
        self._tokens = self._scan(path)
        self._at = 0
        self._nesting = 0

    @staticmethod
    def _scan(path: str) -> list[tuple[str, str, int]]:
        tokens: list[tuple[str, str, int]] = []
        position = 0
        end = len(path.rstrip())
        while position < end:
            match = _TOKEN.match(path, position)
            if match is None:
                raise PathError(f"Unexpected character at {position + 1} in '{path}'.")
            kind = match.lastgroup or ""
            if kind != "comment":
                tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
            if len(tokens) > _MAX_TOKENS:
                raise PathError(f"The path has more than {_MAX_TOKENS} words.")
        tokens.append(("end", "", end))
        return tokens

    def parse(self) -> Expression:
        expression = self._level(0)
        if self._tokens[self._at][0] != "end":
            raise self._unexpected()
        return expression

    def _unexpected(self) -> PathError:
        _, text, position = self._tokens[self._at]
        found = f"'{text}'" if text else "the end"
        return PathError(f"Unexpected {found} at {position + 1} in '{self._path}'.")

    def _take(self, *texts: str) -> str | None:
        kind, text, _ = self._tokens[self._at]
        if text in texts and kind in ("sign", "name"):
            self._at += 1
            return text
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise self._unexpected()

    def _level(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._signed()
        left = self._level(level + 1)
        while operator := self._take(*_LEVELS[level]):
            if operator in ("is", "as"):
                left = TypeTest(operator, left, self._type_name())
            else:
                left = Binary(operator, left, self._level(level + 1))
        return left

    def _type_name(self) -> str:
        name = self._identifier()
        return self._identifier() if self._take(".") else name

    def _identifier(self) -> str:
        kind, text, _ = self._tokens[self._at]
        if kind not in ("name", "quoted"):
            raise self._unexpected()
        self._at += 1
        return text if kind == "name" else _unescape(text)

    def _signed(self) -> Expression:
        if self._take("-"):
            return Sign(self._operand())
        if self._take("+"):
            return self._operand()
        expression = self._term()
        while True:
            if self._take("."):
                expression = self._invocation(expression)
            elif self._take("["):
                expression = Item(expression, self._nested())
                self._expect("]")
            else:
                return expression

    def _nested(self) -> Expression:
        return self._deeper(lambda: self._level(0))

    def _operand(self) -> Expression:
        return self._deeper(self._signed)

    def _deeper(self, read: Callable[[], Expression]) -> Expression:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise PathError(f"The path nests more than {_MAX_NESTING} levels.")
        expression = read()
        self._nesting -= 1
        return expression

    def _invocation(self, source: Expression | None) -> Expression:
        kind, text, _ = self._tokens[self._at]
        if kind == "special":
            self._at += 1
            return _special(text)
        name = self._identifier()
        if not self._take("("):
            return Member(source, name)
        arguments: list[Expression] = []
        if not self._take(")"):
            arguments.append(self._nested())
            while self._take(","):
                arguments.append(self._nested())
            self._expect(")")
        return Call(source, name, tuple(arguments))

    def _term(self) -> Expression:
        kind, text, _ = self._tokens[self._at]
        if self._take("("):
            expression = self._nested()
            self._expect(")")
            return expression
        if self._take("{"):
            self._expect("}")
            return Literal(None, "empty")
        if kind in ("name", "quoted", "special"):
            if kind == "name" and text in ("true", "false"):
                self._at += 1
                return Literal(text == "true", "boolean")
            return self._invocation(None)
        self._at += 1
        if kind == "string":
            return Literal(_unescape(text), "string")
        if kind == "number":
            return self._number(text)
        if kind == "date":
            return Literal(text[1:].removesuffix("T") if text[1] != "T" else text[2:], "date")
        if kind == "variable":
            return Variable(text[1:].strip("`'"))
        self._at -= 1
        raise self._unexpected()

    def _number(self, text: str) -> Expression:
        value: int | Decimal = Decimal(text) if "." in text else int(text)
        kind, unit, _ = self._tokens[self._at]
        if kind == "string" or unit.rstrip("s") in ("year", "month", "week", "day", "hour", "minute", "second"):
            raise PathError(f"Quantities such as {text} {unit} are not supported in '{self._path}'.")
        return Literal(value, "number")


def _special(text: str) -> Expression:
    if text == "$this":
        return This()
    if text == "$index":
        return Position()
    raise PathError("$total is not supported.")


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", character, text[1:-1], flags=re.DOTALL)
