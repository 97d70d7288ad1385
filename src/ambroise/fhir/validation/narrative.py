"""What a narrative may hold: text formatting of HTML 4, links and images, nothing that acts."""

import re
from functools import lru_cache
from typing import Any, Final

from lxml import etree

XHTML: Final = "{http://www.w3.org/1999/xhtml}"
# Chapters 7 to 11 and 15 of HTML 4, links and images: what the standard lets a narrative use.
# fmt: off
_TAGS: Final = frozenset({
    "div", "span", "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "a", "img", "em", "strong", "dfn", "code",
    "samp", "kbd", "var", "cite", "abbr", "acronym", "blockquote", "q", "sub", "sup", "pre", "ins", "del", "ul",
    "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tfoot", "tbody", "colgroup", "col", "tr", "th",
    "td", "tt", "i", "big", "b", "small", "u", "s", "strike", "font", "center", "address", "bdo",
})
_ATTRIBUTES: Final = frozenset({
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellpadding", "cellspacing", "char",
    "charoff", "charset", "cite", "class", "clear", "color", "cols", "colspan", "compact", "coords", "datetime",
    "dir", "face", "frame", "headers", "height", "href", "hreflang", "id", "lang", "longdesc", "name", "noshade",
    "nowrap", "rel", "rev", "rowspan", "rules", "scope", "shape", "size", "span", "src", "start", "style",
    "summary", "tabindex", "title", "type", "valign", "value", "width",
})
# fmt: on
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SAFE_ADDRESS: Final = re.compile(r"(?:https?:|ftp:|mailto:|tel:|#|[^:]*$)", re.IGNORECASE)
_SAFE_IMAGE: Final = re.compile(r"(?:https?:|#|data:\s*image/(?:png|jpe?g|gif);|[^:]*$)", re.IGNORECASE)
_ACTIVE_STYLE: Final = re.compile(r"expression\s*\(|javascript:|behaviou?r\s*:|@import|-moz-binding", re.IGNORECASE)
_MAX_LENGTH: Final = 5_000_000
_MAX_MARKUP: Final = 100_000


def fault(div: object) -> str | None:
    """What is wrong with a narrative's `div`, or None when it is safe to show."""
    if not isinstance(div, str):
        return "the narrative must be a text"
    if len(div) > _MAX_LENGTH:
        return "the narrative is longer than five million characters"
    if len(div) > _MAX_MARKUP and div.count("<") + div.count("=") > _MAX_MARKUP:
        return "the narrative has more than a hundred thousand tags and attributes"
    return _fault(div) if len(div) < 20_000 else _read(div)


@lru_cache(maxsize=256)
def _fault(div: str) -> str | None:
    return _read(div)


def _read(div: str) -> str | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(div.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return f"the narrative is not well-formed XHTML ({str(error)[:120]})"
    tree: Any = root.getroottree()
    if tree.docinfo.doctype:
        return "the narrative must not declare a document type"
    if root.tag != f"{XHTML}div":
        return "the narrative must be one <div xmlns='http://www.w3.org/1999/xhtml'>"
    has_content = False
    for element in root.iter():
        if element.tag is etree.Comment:
            continue
        if (problem := _element_fault(element)) is not None:
            return problem
        has_content = has_content or bool((element.text or "").strip()) or element.tag == f"{XHTML}img"
        has_content = has_content or (element is not root and bool((element.tail or "").strip()))
    return None if has_content else "the narrative shows nothing"


def _element_fault(element: Any) -> str | None:
    tag: object = element.tag
    if not isinstance(tag, str):
        return "the narrative must not hold processing instructions or entities"
    if not tag.startswith(XHTML) or tag[len(XHTML) :] not in _TAGS:
        return f"the narrative must not use <{tag.rpartition('}')[2]}>"
    if len(element.attrib) > len(_ATTRIBUTES) + 1:
        # Said before they are read: each is looked for among the others.
        return "the narrative must not give an element so many attributes"
    for name, value in element.attrib.items():
        if name != _LANGUAGE and name not in _ATTRIBUTES:
            return f"the narrative must not use the attribute '{name.rpartition('}')[2]}'"
        if name in ("href", "cite", "longdesc") and not _SAFE_ADDRESS.match(value.strip()):
            return f"the narrative must not link to '{value[:40]}'"
        if name == "src" and not _SAFE_IMAGE.match(value.strip()):
            return f"the narrative must not show an image from '{value[:40]}'"
        if name == "style" and _ACTIVE_STYLE.search(value):
            return "the narrative's style must not act"
    return None
