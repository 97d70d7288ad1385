"""The facts that the record tells others, by the outbox."""

from __future__ import annotations

from typing import Final

DOCUMENT_FILED: Final = "record.document_filed"
DOCUMENT_WITHDRAWN: Final = "record.document_withdrawn"
WITHHELD_NOTICE_DUE: Final = "record.withheld_notice_due"
"""Fourteen days after a document was withheld from its patient."""
WITHHELD_ENDS: Final = "record.withheld_ends"
"""One month after: the document becomes visible by itself (R1111-53)."""
DIRECTIVES_DUE: Final = "record.directives_due"
"""A year after advance directives were filed, then each year."""
