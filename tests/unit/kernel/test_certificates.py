"""Whom an authority is believed about, the first time and after."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.kernel.crypto.certificates import Authorities


def test_a_certificate_that_was_believed_is_believed_no_longer_than_its_authority(tmp_path: Path) -> None:
    issued = DemonstrationAuthority.open(tmp_path / "ours").issue_person("810000000004", "FICTIF", "Ida")
    DemonstrationAuthority.open(tmp_path / "other")
    now = datetime.now(UTC)
    person = x509.load_pem_x509_certificate(issued.certificate)
    file = tmp_path / "believed.pem"
    file.write_bytes((tmp_path / "ours" / "ca.pem").read_bytes())
    (ours,) = x509.load_pem_x509_certificates(file.read_bytes())
    authorities = Authorities(file)
    assert [authorities.issued(person, now) for _ in range(3)] == [True] * 3
    assert not authorities.issued(ours, now)
    assert not authorities.issued(person, ours.not_valid_after_utc)
    assert not authorities.issued(person, ours.not_valid_before_utc - timedelta(seconds=1))
    assert authorities.issued(person, now)
    file.write_bytes((tmp_path / "other" / "ca.pem").read_bytes())
    os.utime(file, (1, 1))
    assert not authorities.issued(person, now)
    file.unlink()
    assert not authorities.issued(person, now)
