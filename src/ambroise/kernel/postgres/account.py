"""The operating system user that PostgreSQL runs as when we are root, since PostgreSQL refuses to be root."""

import os
import pwd
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

USER = "ambroise"

_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_TAG_USER_OBJ, _TAG_USER, _TAG_GROUP_OBJ, _TAG_MASK, _TAG_OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFF_FFFF
_SEARCH = 1


class AccountError(Exception):
    """The user could not be made or given access; the message says what to do."""


class Account(Struct, frozen=True):
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make this account the owner of a file or of a whole folder."""
        os.chown(path, self.uid, self.gid)
        if path.is_dir():
            for folder, folders, files in os.walk(path):
                for name in (*folders, *files):
                    os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)


def account_for(data: Path) -> Account | None:
    """Who runs the server on this cluster: None when it is simply us, else the cluster's owner or our own user."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _ensure_user()
    return Account(entry.pw_uid, entry.pw_gid)


def _ensure_user() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(USER)
    commands = (
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", USER],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", USER],
    )
    for command in commands:
        if shutil.which(command[0]) is None:
            continue
        # Two starts may create it at the same moment: the one that loses finds it just below.
        subprocess.run(command, capture_output=True, check=False)
        with suppress(KeyError):
            return pwd.getpwnam(USER)
    raise AccountError(
        f"PostgreSQL refuses to run as root, and the system user {USER!r} could not be created. "
        f"Create it (useradd --system {USER}) or run Ambroise as an ordinary user."
    )


def let_reach(account: Account, path: Path) -> None:
    """Let the account walk down to `path`, by giving it search permission (and nothing more) on closed parents."""
    for folder in reversed([path, *path.parents]):
        state = folder.stat()
        owned = state.st_uid == account.uid
        if owned or state.st_mode & 0o001 or _acl_lets(account, folder):
            continue
        _allow_search(account, folder, state.st_mode)


def _entries(folder: Path) -> list[tuple[int, int, int]]:
    try:
        raw = os.getxattr(folder, _ACL)
    except OSError:
        return []
    return [struct.unpack_from("<HHI", raw, offset) for offset in range(4, len(raw), 8)]


def _acl_lets(account: Account, folder: Path) -> bool:
    entries = _entries(folder)
    mask = next((perm for tag, perm, _ in entries if tag == _TAG_MASK), 7)
    return any(tag == _TAG_USER and id == account.uid and perm & mask & _SEARCH for tag, perm, id in entries)


def _allow_search(account: Account, folder: Path, mode: int) -> None:
    entries = {(tag, id): perm for tag, perm, id in _entries(folder)} or {
        (_TAG_USER_OBJ, _NO_ID): mode >> 6 & 7,
        (_TAG_GROUP_OBJ, _NO_ID): mode >> 3 & 7,
        (_TAG_OTHER, _NO_ID): mode & 7,
    }
    entries[_TAG_USER, account.uid] = entries.get((_TAG_USER, account.uid), 0) | _SEARCH
    entries[_TAG_MASK, _NO_ID] = entries.get((_TAG_MASK, _NO_ID), mode >> 3 & 7) | _SEARCH
    raw = struct.pack("<I", _ACL_VERSION) + b"".join(
        struct.pack("<HHI", tag, perm, id) for (tag, id), perm in sorted(entries.items())
    )
    try:
        os.setxattr(folder, _ACL, raw)
    except OSError:
        # No ACL on this file system: search permission for everybody shows no name inside and opens no file.
        try:
            folder.chmod(mode & 0o7777 | 0o001)
        except OSError as error:
            raise AccountError(
                f"The user {USER!r}, which runs PostgreSQL, cannot enter {folder}. "
                "Choose a data folder elsewhere with --data."
            ) from error
