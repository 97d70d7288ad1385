"""Backups: the whole installation at one instant, encrypted under the master key, restored into an empty place."""

from ambroise.kernel.backup.manifest import BackupError, Manifest
from ambroise.kernel.backup.restoring import restore
from ambroise.kernel.backup.saving import save

__all__ = ["BackupError", "Manifest", "restore", "save"]
