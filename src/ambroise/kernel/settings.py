"""What an operator chooses. Every field is an environment variable AMBROISE_…; secrets are given by file path.

`tools/document_settings.py` writes docs/operations/settings.md from this file.
"""

import os
import typing
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields
from psycopg.conninfo import make_conninfo

from ambroise.kernel.errors import Kind, Refusal

Role = Literal["web", "api", "worker"]

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Contact = Annotated[str, Meta(pattern=r"^(mailto:|tel:|https://)[!-~]+\Z")]
_Page = Annotated[str, Meta(pattern=r"^https://[!-~]+\Z")]
# A token of 43 letters fits beside the local part (RFC 5321, 4.5.3.1.1).
_Mailbox = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,21}@[A-Za-z0-9.-]{1,190}\Z")]
_Oid = Annotated[str, Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+\Z")]

EMBEDDED_CONNECTIONS = 80
"""What the PostgreSQL that we run accepts at a time."""

_MEGABYTE = 1024 * 1024
# Connections of a process beside its slots, and those kept for commands run beside the instance.
_LISTENING = 4
_KEPT_FREE = 16
PREFIX = "AMBROISE_"


class Settings(Struct, frozen=True, kw_only=True):
    """The choices of one installation. `load` reads those of the environment and checks them all."""

    # Where things are
    data: Annotated[
        Path | None,
        Meta(description="Data folder: keys, documents and, without `AMBROISE_DATABASE_URL`, the embedded PostgreSQL."),
    ] = None
    database_url: Annotated[
        str | None,
        Meta(
            description="Address of PostgreSQL 16 or later, for the role that owns nothing (`ambroise_app`).",
        ),
    ] = None
    database_password_file: Annotated[
        Path | None, Meta(description="File that holds the password of `AMBROISE_DATABASE_URL`.")
    ] = None
    database_owner_url: Annotated[
        str | None,
        Meta(
            description="Address for the role that owns the tables; `ambroise migrate` and `restore` use it.",
        ),
    ] = None
    database_owner_password_file: Annotated[
        Path | None, Meta(description="File that holds the password of `AMBROISE_DATABASE_OWNER_URL`.")
    ] = None
    database_slots: Annotated[int, Meta(ge=2, le=200, description="Connections of one process to the database.")] = 12
    objects_url: Annotated[
        str | None,
        Meta(
            description="Where large documents are: `file:///folder` or `s3://bucket/prefix`. Default: the data folder."
        ),
    ] = None
    objects_options: Annotated[
        dict[str, str],
        Meta(description="Options of the object store as JSON, such as `endpoint`, `region`, `access_key_id`."),
    ] = {}
    objects_secret_file: Annotated[
        Path | None, Meta(description="File that holds the secret access key of the object store.")
    ] = None

    # Keys
    master_key_file: Annotated[
        Path | None,
        Meta(description="Master keys, which wrap data keys. Default: `secrets/master.key` of the data folder."),
    ] = None
    signing_keys_folder: Annotated[
        Path | None, Meta(description="Keys that sign tokens. Default: `secrets/signing` of the data folder.")
    ] = None
    application_key_file: Annotated[
        Path | None,
        Meta(description="Secret behind cookies and forms. Default: `secrets/application.key` of the data folder."),
    ] = None

    # How it is reached
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on.")] = 8080
    public_url: Annotated[
        str | None,
        Meta(description="Address that people use, such as `https://ambroise.example`. Needed behind a proxy."),
    ] = None
    mtls_port: Annotated[
        _Port | None,
        Meta(
            description="Second port, where clients show certificates; demonstrations open one.",
        ),
    ] = None
    mtls_public_url: Annotated[
        str | None, Meta(description="Address of the second port for clients, when it is not this machine's.")
    ] = None
    mtls_certificate_file: Annotated[
        Path | None, Meta(description="Certificate of the second port, in PEM, with its chain.")
    ] = None
    mtls_key_file: Annotated[Path | None, Meta(description="Key of that certificate, in PEM.")] = None
    mtls_authority_file: Annotated[
        Path | None, Meta(description="Authorities whose client certificates are believed, in PEM.")
    ] = None
    mtls_revocations_file: Annotated[
        Path | None,
        Meta(description="Their revocation list (CRL), in PEM; once out of date, it accepts no certificate."),
    ] = None
    hl7_port: Annotated[
        _Port | None,
        Meta(
            description="Port of HL7 v2 (MLLP over TLS), with the certificates of `AMBROISE_MTLS_*`; demonstrations "
            "open one: docs/how-to/hl7v2.md.",
        ),
    ] = None
    hl7_plain_port: Annotated[
        _Port | None,
        Meta(
            description="Port of HL7 v2 without TLS, on this machine only and in a demonstration only.",
        ),
    ] = None
    federation_file: Annotated[
        Path | None,
        Meta(description="Providers of others that sign people in here, in TOML: docs/how-to/federation.md."),
    ] = None
    trusted_proxies: Annotated[
        str, Meta(description="Addresses of the proxies whose `X-Forwarded-*` headers are believed, comma separated.")
    ] = "127.0.0.1"
    # Names, not secrets: the rule S105 reads the word token.
    token_issuer: Annotated[str, Meta(description="Claim `iss` of our access tokens.")] = "urn:ambroise"  # noqa: S105
    token_audience: Annotated[str, Meta(description="Claim `aud` of our access tokens.")] = "urn:ambroise:fhir"  # noqa: S105

    security_contact: Annotated[
        _Contact | None,
        Meta(
            description="Where weaknesses are told, for `security.txt`: `mailto:…`, `tel:…` or `https://…`.",
        ),
    ] = None
    security_contact_expires: Annotated[
        date | None, Meta(description="Until when that contact is good, within a year: `2027-03-31`.")
    ] = None
    security_policy: Annotated[
        _Page | None,
        Meta(description="Page that says how weaknesses are dealt with."),
    ] = None
    security_languages: Annotated[
        str, Meta(pattern=r"^[A-Za-z, -]+\Z", description="Languages that the security contact reads.")
    ] = "fr, en"

    vihf_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="For how many minutes an assertion of a professional's software (VIHF) is good.",
        ),
    ] = 5
    submission_signature: Annotated[
        Literal["optional", "required"],
        Meta(description="Whether what comes by XDS.b (ITI-41) is signed, documents together (XAdES)."),
    ] = "optional"
    repository_oid: Annotated[
        _Oid | None,
        Meta(
            description="OID of the repository of documents (XDS). Default: one made for this installation.",
        ),
    ] = None

    # What it does
    roles: Annotated[
        frozenset[Role], Meta(description="What this process does, as a JSON list of `web`, `api` and `worker`.")
    ] = frozenset({"web", "api", "worker"})
    processes: Annotated[
        int, Meta(ge=1, le=64, description="Processes that answer requests: one for each processor is a good start.")
    ] = 1
    document_max_bytes: Annotated[
        int, Meta(ge=1, description="Largest document, sent as a raw body, in parts or by XOP.")
    ] = 50 * _MEGABYTE
    json_document_max_bytes: Annotated[int, Meta(ge=1, description="Largest document inside JSON, as base64.")] = (
        20 * _MEGABYTE
    )
    malware_scanner: Annotated[
        str | None,
        Meta(description="Address of clamd: `unix:/path/to/socket` or `tcp://host:port`. Default: no scanner."),
    ] = None
    trace_years: Annotated[
        int,
        Meta(
            ge=1,
            description="Years that the trace outlives the spaces it tells of, for `ambroise audit retire`.",
        ),
    ] = 10
    smtp_url: Annotated[
        str | None,
        Meta(description="Mail server: `smtp://host:port`, `smtp+starttls://user@host` or `smtps://user@host`."),
    ] = None
    smtp_password_file: Annotated[
        Path | None, Meta(description="File that holds the password of the user of `AMBROISE_SMTP_URL`.")
    ] = None
    mail_from: Annotated[str, Meta(description="Address that our mails come from.")] = "ambroise@localhost"
    bounce_address: Annotated[
        _Mailbox | None,
        Meta(
            description="Address below which our mails come back when nobody takes them, such as "
            "`retours@ambroise.example`: docs/how-to/notifications.md. None: bounces are not read.",
        ),
    ] = None
    bounce_port: Annotated[
        _Port | None,
        Meta(description="Port of SMTP at which a mail server hands over what comes to that address."),
    ] = None
    push_services: Annotated[
        frozenset[str],
        Meta(description="Push services by which browsers may be told, as JSON: hosts or `*.example.org`. None: off."),
    ] = frozenset()
    sms_domain: Annotated[
        str | None,
        Meta(description="Domain of the mail gateway of an SMS operator: an SMS is a mail to `number@domain`."),
    ] = None
    operators_by_passkey: Annotated[
        bool | None,
        Meta(
            description="Whether an operator who has a passkey signs in with it and nothing weaker. "
            "Default: yes, but not in a demonstration."
        ),
    ] = None
    recent_proof_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="For how many minutes having shown who one is, by signing in or again, opens the acts that "
            "ask for it.",
        ),
    ] = 5
    copy_days: Annotated[
        int,
        Meta(ge=1, le=90, description="For how many days the copy of a record can be taken; then it is deleted."),
    ] = 7
    identity_mode: Annotated[
        Literal["test", "production"],
        Meta(description="Which INS are accepted: those under the test OIDs, or the production ones."),
    ] = "test"

    # How it speaks to its operator
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least grave event to log.")
    ] = "info"
    log_format: Annotated[
        Literal["json", "human"], Meta(description="One JSON object a line, or text for a terminal.")
    ] = "json"

    def __repr__(self) -> str:
        # An address of a database may carry a password.
        return f"Settings(data={self.data!r})"

    def __post_init__(self) -> None:
        if self.data is None and (self.master_key_file is None or self.signing_keys_folder is None):
            raise ValueError("give a data folder (--data or AMBROISE_DATA), or the files of the keys one by one")
        most = EMBEDDED_CONNECTIONS - _KEPT_FREE
        if self.embedded and self.processes * (self.database_slots + _LISTENING) > most:
            raise ValueError(
                f"the embedded PostgreSQL has {most} connections for instances, and {self.processes} processes take "
                f"{self.database_slots} + {_LISTENING} each: lower AMBROISE_PROCESSES or AMBROISE_DATABASE_SLOTS"
            )

    @property
    def secrets(self) -> Path:
        return (self.data or Path()) / "secrets"

    @property
    def master_key(self) -> Path:
        return self.master_key_file or self.secrets / "master.key"

    @property
    def signing_keys(self) -> Path:
        return self.signing_keys_folder or self.secrets / "signing"

    @property
    def application_key(self) -> Path:
        return self.application_key_file or self.secrets / "application.key"

    @property
    def demonstration_pki(self) -> Path:
        return self.secrets / "pki"

    @property
    def embedded(self) -> bool:
        """Whether we run PostgreSQL ourselves."""
        return self.database_url is None

    @property
    def app_dsn(self) -> str | None:
        return _with_password(self.database_url, self.database_password_file)

    @property
    def owner_dsn(self) -> str | None:
        return _with_password(self.database_owner_url, self.database_owner_password_file)

    @property
    def smtp_password(self) -> str | None:
        return self.smtp_password_file.read_text().strip() if self.smtp_password_file else None

    def objects(self) -> tuple[str, dict[str, Any]]:
        """Address and options of the object store."""
        options: dict[str, Any] = dict(self.objects_options)
        if self.objects_secret_file is not None:
            options["secret_access_key"] = self.objects_secret_file.read_text().strip()
        return self.objects_url or f"file://{((self.data or Path()) / 'objects').absolute()}", options


def _with_password(dsn: str | None, file: Path | None) -> str | None:
    if dsn is None or file is None:
        return dsn
    return make_conninfo(dsn, password=file.read_text().strip())


def load(**chosen: Any) -> Settings:
    """The settings of the environment, with what the command line chose on top (None: not chosen).

    Raises SETTINGS_INVALID, which names the variable.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        for field in fields(Settings):
            written = os.environ.get(PREFIX + field.name.upper())
            if written and field.name not in given:
                given[field.name] = _read(field, written)
        return msgspec.convert(given, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        name = f"{PREFIX}{where.rstrip('`').partition('[')[0].upper()}: " if where else ""
        raise Refusal(Kind.INVALID, "SETTINGS_INVALID", f"{name}{what}") from error


def _read(field: FieldInfo, written: str) -> Any:
    """A variable of the environment: lists and mappings are JSON, the rest is as it is written."""
    if typing.get_origin(_bare(field.type)) not in (dict, frozenset):
        return written
    try:
        return msgspec.json.decode(written)
    except msgspec.DecodeError as error:
        raise msgspec.ValidationError(f"{error} - at `$.{field.name}`") from error


def _bare(type: Any) -> Any:
    return typing.get_args(type)[0] if typing.get_origin(type) is Annotated else type


def _path(type: type[Any], value: Any) -> Any:
    if type is Path and isinstance(value, str | Path):
        return Path(value)
    raise TypeError(f"expected `{type.__name__}`")
