"""The codes that R4 itself requires. Other terminologies belong to the modules that use them."""

from functools import cache

from ambroise.fhir.definitions import artefact


@cache
def required_codes(value_set: str) -> frozenset[str]:
    """The codes of a value set under a required binding, whatever their system. Raises KeyError."""
    return frozenset(code for _, codes in artefact.value_sets()[value_set] for code in codes)


@cache
def required_codings(value_set: str) -> frozenset[tuple[str, str]]:
    """The (system, code) pairs of a value set under a required binding. Raises KeyError."""
    return frozenset((system, code) for system, codes in artefact.value_sets()[value_set] for code in codes)


@cache
def only_system(value_set: str) -> str | None:
    """The system of all the codes of a value set under a required binding, when there is only one."""
    systems = {system for system, _ in artefact.value_sets()[value_set]}
    return systems.pop() if len(systems) == 1 else None
