"""The file in which an operator describes partners. What is wrong in it stops the start, with the line to mend."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.federation.model import Partner, PartnerKind, Proof, is_loopback
from ambroise.modules.identity.model import AccountKind

# Asymmetric only: with a shared secret, whoever holds the secret could write the tokens that it checks.
ALGORITHMS: Final = ("ES256", "ES384", "PS256", "RS256")
_FIELDS: Final = frozenset(
    {
        "name", "kind", "issuer", "discovery", "client_id", "proof", "secret_file", "key_file", "scopes", "acr_asked",
        "acr_accepted", "algorithms", "claims", "parameters", "authority_file", "decryption_key_file",
    }
)  # fmt: skip
# What the protocol itself writes; the operator's own parameters come beside them.
_OURS: Final = frozenset(
    {
        "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method", "acr_values", "request", "request_uri",
    }
)  # fmt: skip


def read_partners(file: Path | None) -> dict[str, Partner]:
    """The partners of a file, by their names in addresses; none without a file. Raises FEDERATION_FILE."""
    if file is None:
        return {}
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong("", f"it cannot be read: {error}") from error
    usual = tomllib.loads((files("ambroise.modules.identity.federation") / "data" / "kinds.toml").read_text("utf-8"))
    given = raw.get("partner")
    if set(raw) != {"partner"} or not isinstance(given, dict):
        raise _wrong("", "write one table `[partner.<name>]` for each provider, and nothing else")
    tables = cast("dict[str, Any]", given)
    return {id: _partner(id, table, usual, file.parent) for id, table in tables.items()}


def _partner(id: str, table: Any, usual: Mapping[str, Any], folder: Path) -> Partner:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", id):
        raise _wrong(id, "a name is made of small letters, digits and hyphens: it stands in addresses")
    if not isinstance(table, dict):
        raise _wrong(id, "it must be a table")
    own = cast("dict[str, Any]", table)
    if unknown := sorted(set(own) - _FIELDS):
        raise _wrong(id, f"it has no field {', '.join(unknown)}")
    if own.get("kind") not in list(PartnerKind):
        raise _wrong(id, f"`kind` is one of {', '.join(PartnerKind)}")
    kind = PartnerKind(own["kind"])
    known: dict[str, Any] = {**usual[kind], **own}
    issuer = _address(id, known, "issuer")
    found_at = {"discovery": f"{issuer.rstrip('/')}/.well-known/openid-configuration", **known}
    discovery = _address(id, found_at, "discovery")
    proof, credential = _credential(id, known, folder)
    accepted = _texts(id, known, "acr_accepted")
    if not accepted:
        raise _wrong(id, "`acr_accepted` lists the levels (acr) that are strong enough: say at least one")
    return Partner(
        id=id,
        name=_text(id, known, "name"),
        kind=kind,
        people=AccountKind(known["people"]),
        issuer=issuer,
        discovery=discovery,
        client_id=_text(id, known, "client_id"),
        proof=proof,
        credential=credential,
        scopes=_scopes(id, known),
        acr_asked=_texts(id, known, "acr_asked"),
        acr_accepted=frozenset(accepted),
        algorithms=_algorithms(id, known),
        claims=_claims(id, {**usual[kind]["claims"], **known["claims"]}),
        parameters=_parameters(id, known),
        authority=_file(id, known, "authority_file", folder) if "authority_file" in known else None,
        decryption=_file(id, known, "decryption_key_file", folder) if "decryption_key_file" in known else None,
    )


def _credential(id: str, known: Mapping[str, Any], folder: Path) -> tuple[Proof, Path]:
    """How we prove who we are, and the file of the secret or of the key."""
    said = known.get("proof", Proof.BASIC.value)
    if said not in list(Proof):
        raise _wrong(id, f"`proof` is one of {', '.join(Proof)}")
    proof = Proof(said)
    wanted, other = ("key_file", "secret_file") if proof is Proof.ASSERTION else ("secret_file", "key_file")
    if other in known:
        raise _wrong(id, f"with `{proof}`, give `{wanted}` and no `{other}`")
    return proof, _file(id, known, wanted, folder)


def _file(id: str, known: Mapping[str, Any], name: str, folder: Path) -> Path:
    file = folder / _text(id, known, name)
    if not file.is_file():
        raise _wrong(id, f"`{name}` names no file")
    return file


def _address(id: str, known: Mapping[str, Any], name: str) -> str:
    address = _text(id, known, name)
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(address)):
        raise _wrong(id, f"`{name}` must be an https address")
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise _wrong(id, f"`{name}` must be an address without query, fragment or password")
    return address


def _scopes(id: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    scopes = _texts(id, known, "scopes")
    if "openid" not in scopes:
        raise _wrong(id, "`scopes` must hold `openid`")
    return scopes


def _algorithms(id: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    algorithms = _texts(id, known, "algorithms")
    if not algorithms or set(algorithms) - set(ALGORITHMS):
        raise _wrong(id, f"`algorithms` is a list among {', '.join(ALGORITHMS)}")
    return algorithms


def _claims(id: str, known: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each word leads to a claim, or to a member inside one (as a list); an empty list says that there is none."""
    paths = {word: (path,) if isinstance(path, str) else path for word, path in known.items()}
    for word, path in paths.items():
        if not isinstance(path, (list, tuple)) or not all(isinstance(name, str) for name in path):  # pyright: ignore[reportUnknownVariableType]
            raise _wrong(id, f"`claims.{word}` is the name of a claim, or a list of names")
    return {word: tuple(path) for word, path in paths.items() if path}


def _parameters(id: str, known: Mapping[str, Any]) -> dict[str, str]:
    own = known.get("parameters", {})
    if not isinstance(own, dict):
        raise _wrong(id, "`parameters` is a table of texts")
    given = cast("dict[str, Any]", own)
    if any(name in _OURS or not isinstance(value, str) for name, value in given.items()):
        raise _wrong(id, "`parameters` holds texts, and none of what the protocol writes itself")
    return dict(given)


def _text(id: str, known: Mapping[str, Any], name: str) -> str:
    value = known.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(id, f"`{name}` is missing")
    return value.strip()


def _texts(id: str, known: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = known.get(name)
    if not isinstance(values, list):
        raise _wrong(id, f"`{name}` is a list of texts")
    listed = cast("list[Any]", values)
    if not all(isinstance(value, str) and value and " " not in value for value in listed):
        raise _wrong(id, f"`{name}` is a list of texts without spaces")
    return tuple(listed)


def _wrong(id: str, what: str) -> Refusal:
    where = f" In `[partner.{id}]`," if id else ""
    return Refusal(Kind.INVALID, "FEDERATION_FILE", f"AMBROISE_FEDERATION_FILE is wrong.{where} {what}.")
