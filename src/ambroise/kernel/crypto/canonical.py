"""What the canonical form of XML costs: libxml2 looks every namespace in scope up among all others, at each element.

Some 40 KB that a stranger writes then take half a minute, and a signature is put in canonical form before anybody knows
who signed. No honest document has more than a few namespaces in scope.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

_WIDEST: Final = 200
_PREFIXES: Final = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
_USUAL: Final = (64 * 1024, 20, 200)
"""Bytes, declarations of namespaces and attributes of what is within the steps whatever it says."""
_STEPS: Final = 20_000_000
"""Looks at a namespace: less than half a second of them."""


def is_usual(written: bytes) -> bool:
    """Whether this XML is affordable whatever its tree: small, with few names and few attributes in all of it."""
    size, names, attributes = _USUAL
    return (
        len(written) <= size
        and written.isascii()
        and not written.startswith(b"<?")
        and b"<!" not in written
        and written.count(b"xmlns") <= names
        and written.count(b"=") <= attributes
        and b"PrefixList" not in written
    )


def is_affordable(root: etree._Element, *, times: int = 1, patience: int = 1) -> bool:  # pyright: ignore[reportPrivateUsage]
    """Whether this tree may be put in canonical form so many times: few names in scope, few attributes an element.

    `patience`: how much longer it may take, where nobody else waits.
    """
    elements = here = widest = 0
    walk: Any = etree.iterwalk(root, events=("start", "start-ns", "end-ns"))
    for event, one in walk:
        if event == "start-ns":
            here += 1
            widest = max(widest, here)
        elif event == "end-ns":
            here -= 1
        else:
            elements += 1
            if one.tag == _PREFIXES:
                widest = max(widest, len(one.get("PrefixList", "").split()))
            if len(one.attrib) > _WIDEST:
                return False
        if widest > _WIDEST:
            return False
    return elements * max(widest, 1) ** 2 * times <= _STEPS * patience
