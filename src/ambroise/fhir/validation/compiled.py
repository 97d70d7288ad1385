"""The functions generated so far, in the one namespace that they share."""

from typing import Any, Final

from ambroise.fhir.definitions import artefact
from ambroise.fhir.validation import conditions, generator
from ambroise.fhir.validation.context import Check, Context
from ambroise.fhir.validation.findings import Issues, Place

_names: Final[dict[str, Any]] = {}


def provide(names: dict[str, Any]) -> None:
    """Give the helpers that generated functions call by name."""
    _names.update(names)


def function(shape: str) -> Check:
    """The function that checks a shape, compiled when first asked for."""
    name = generator.function_name(shape)
    if name not in _names:
        _compile(shape)
    return _names[name]


def _compile(type_: str) -> None:
    """Compile the functions of a type, with stubs for the types that they name and that are not compiled yet."""
    source = generator.write(artefact.shapes_of(type_))
    _names.update(source.constants)
    for name, (expression, shape) in source.deferred.items():
        _names[name] = conditions.deferred(expression, shape)
    for needed in source.types:
        _names.setdefault(generator.function_name(needed), _stub(needed))
    # The source is made from the committed definitions alone; nothing that a client sends is in it.
    exec(compile(source.text, f"<validator of {type_}>", "exec"), _names)  # noqa: S102


def _stub(type_: str) -> Check:
    """A function that compiles the real one, which takes its name, and calls it."""
    name = generator.function_name(type_)

    def first_call(value: Any, place: Place, issues: Issues, context: Context) -> None:
        if _names[name] is first_call:
            _compile(type_)
        _names[name](value, place, issues, context)

    return first_call
