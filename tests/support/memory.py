"""Where tests put their files: in memory, when there is enough of it.

Tests make and drop about a thousand databases of 800 files each. On a disk that alone took more than half of the time
of the suite; nothing that a test shows depends on where those files are.
"""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30


def work_in_memory() -> None:
    """Make temporary files of this process and of those it starts in memory, unless TMPDIR says where they go."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK) or _free() < _ENOUGH:
        return
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None  # It remembers what it found before, and looks again.


def _free() -> int:
    """The bytes that both the folder and the machine can still hold."""
    available = next(
        line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")
    )
    return min(shutil.disk_usage(_MEMORY).free, int(available) * 1024)
