"""The rules of the house that no type checker sees. Import direction itself is in the import-linter contracts."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import Module, modules

# Whoever holds the seal can make permits and scopes.
SEAL = "ambroise.fhir.store.seal"
STORE = "ambroise.fhir.store"
OBJECTS = "ambroise.kernel.objects"

# The store's vocabulary, which holds no function that reads or writes.
STORE_WORDS = frozenset(f"{STORE}.{name}" for name in ("types", "pages", "keys"))

SQL_FILES = re.compile(
    r"""ambroise/(
        kernel/.+
      | fhir/(store|search)/.+
      | trust/(access|audit)/.+
      | modules/.+/repository\.py
      | modules/.+/repositories/.+\.py
      | interfaces/demonstration/repository\.py
    )""",
    re.VERBOSE,
)
SQL = re.compile(
    r"\s*(select\s.+?\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\(|copy\s+\w+\s*\()",
    re.IGNORECASE | re.DOTALL,
)


def offenders(found: dict[str, object]) -> str:
    return "\n".join(f"{where}: {what}" for where, what in sorted(found.items()))


def test_only_the_access_layer_makes_permits_and_scopes() -> None:
    found = {
        module.path: "imports the seal"
        for module in modules()
        if any(name == SEAL or name.startswith(SEAL + ".") for name in module.imports())
        and not module.within("ambroise.trust.access", STORE)
    }
    assert not found, offenders(found)


def test_the_seal_is_never_handed_on() -> None:
    """A module of the access layer could re-export it: nobody may import the name from there either."""
    found = {
        module.path: name
        for module in modules()
        for name in module.imports()
        if name.endswith(".SEAL") and name != SEAL + ".SEAL"
    }
    assert not found, offenders(found)


def test_only_the_gateway_reaches_the_store() -> None:
    allowed = ("ambroise.fhir", "ambroise.trust.gateway")
    found = {
        module.path: name
        for module in modules()
        if not module.within(*allowed)
        for name in module.imports()
        if (name == STORE or name.startswith(STORE + "."))
        and not any(name == word or name.startswith(word + ".") for word in STORE_WORDS)
        and not (module.within("ambroise.trust.access") and name.startswith(SEAL))
        and name != STORE
    }
    assert not found, offenders(found)


def test_only_the_gateway_opens_blobs() -> None:
    """The composition root builds the object and hands it to the gateway; nobody else sees it."""
    allowed = ("ambroise.kernel", "ambroise.trust.gateway", "ambroise.main")
    found = {
        module.path: name
        for module in modules()
        if not module.within(*allowed)
        for name in module.imports()
        if name == OBJECTS or name.startswith(OBJECTS + ".")
    }
    assert not found, offenders(found)


def test_a_module_is_used_through_its_face_only() -> None:
    found = {
        module.path: name
        for module in modules()
        if module.within("ambroise.modules") and (own := _slice(module.name))
        for name in module.imports()
        if (other := _slice(name)) and other != own and not name.startswith(f"ambroise.modules.{other}.api")
        if name != f"ambroise.modules.{other}"
    }
    assert not found, offenders(found)


def test_sql_stands_in_the_files_that_say_so() -> None:
    found = {
        f"{module.path}:{line}": text
        for module in modules()
        if not SQL_FILES.fullmatch(module.path)
        for line, text in _sql(module)
    }
    assert not found, offenders(found)


def test_the_kernel_speaks_of_neither_health_nor_http() -> None:
    words = re.compile(r"\b(fhir|cda|rpps|finess|practitioner|diagnosis|http_status|starlette)\b", re.IGNORECASE)
    found: dict[str, object] = {}
    for module in modules():
        if module.within("ambroise.kernel"):
            for node in ast.walk(module.tree):
                name = getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "attr", None)
                if isinstance(name, str) and words.search(name):
                    found[f"{module.path}:{getattr(node, 'lineno', 0)}"] = name
    assert not found, offenders(found)


def _slice(name: str) -> str | None:
    parts = name.split(".")
    return parts[2] if parts[:2] == ["ambroise", "modules"] and len(parts) > 2 else None


def _sql(module: Module) -> list[tuple[int, str]]:
    return [
        (node.lineno, " ".join(node.value.split())[:60])
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
