"""Check digits of the national identifiers of professionals and structures.

RPPS: 11 digits, FINESS: 9 characters, SIREN: 9 digits; the last digit makes the Luhn sum a multiple of ten.
"""

from __future__ import annotations

# Doubling maps each digit to the digit sum of twice its value.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_sum(digits: str) -> int:
    """Luhn sum of a string of decimal digits, the rightmost one counted once."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = ord(character) - 48
        total += _DOUBLED[value] if position % 2 else value
    return total


def luhn_digit(prefix: str) -> str:
    """The check digit that completes `prefix`."""
    return str(-luhn_sum(prefix + "0") % 10)


def _decimal(text: str) -> bool:
    return text.isascii() and text.isdigit()


def rpps_valid(rpps: str) -> bool:
    """Tell whether an RPPS number has its eleven digits and a right key."""
    return len(rpps) == 11 and _decimal(rpps) and luhn_sum(rpps) % 10 == 0


def finess_valid(finess: str) -> bool:
    """Tell whether a FINESS number is well formed, with a right key.

    Corsican numbers start with 2A or 2B; how the letter enters the key is published nowhere that we could
    read, so only their shape is checked.
    """
    if len(finess) != 9:
        return False
    if finess[:2] in ("2A", "2B"):
        return _decimal(finess[2:])
    return _decimal(finess) and luhn_sum(finess) % 10 == 0


def siren_valid(siren: str) -> bool:
    """Tell whether a SIREN number has its nine digits and a right key."""
    return len(siren) == 9 and _decimal(siren) and luhn_sum(siren) % 10 == 0


def siret_valid(siret: str) -> bool:
    """Tell whether a SIRET number has its fourteen digits and a right key.

    The establishments of La Poste (SIREN 356000000) do not follow Luhn: the sum of their digits is a multiple of five.
    """
    if len(siret) != 14 or not _decimal(siret):
        return False
    if siret.startswith("356000000") and sum(map(int, siret)) % 5 == 0:
        return True
    return luhn_sum(siret) % 10 == 0


def adeli_valid(adeli: str) -> bool:
    """Tell whether an ADELI number has its nine characters: a department (2A and 2B allowed) and seven digits.

    How its key is made is published nowhere that we could read: only the shape is checked.
    """
    if len(adeli) != 9:
        return False
    department, rest = adeli[:2], adeli[2:]
    return (_decimal(department) or department in ("2A", "2B", "9A", "9B", "9C", "9D", "9E", "9F")) and _decimal(rest)
