"""The narrative of a section (StrucDoc) as plain HTML: paragraphs, lists, tables, emphasis, notes, images.

Only what is known is written, everything else becomes its text; styles become a few classes, links stay within the
document, identifiers get a prefix. Nothing of the source reaches the page unescaped.
"""

import re
from collections.abc import Callable

from markupsafe import escape
from msgspec import Struct, field

from ambroise.modules.record.cda.nodes import Element, children, local, one, text
from ambroise.modules.record.cda.stacking import Stacking, stacking


class Words(Struct, frozen=True):
    """The few words that a rendering needs, in the reader's language."""

    image: str
    file: str
    nothing: str


class Media(Struct, frozen=True):
    """A file that a narrative shows: where the page serves it, and whether a browser can draw it."""

    identifier: str
    url: str
    is_image: bool
    title: str | None = None


class Narrative(Struct):
    """Writes narratives of one document, one after the other."""

    words: Words
    media: Callable[[str], Media | None]
    prefix: str
    shown: set[str] = field(default_factory=set[str])
    _ids: set[str] = field(default_factory=set[str])

    def html(self, element: Element, label: str | None) -> str:
        """The HTML of one `text` element; `label` is the id of the heading that names its tables."""
        return f'<div class="cda-text">{self._inside(element, label)}</div>'

    def identifier(self, written: str | None) -> str:
        """The ` id` attribute for an identifier of the source, once; empty when it has none or came already."""
        name = self._name(written)
        if not name or name in self._ids:
            return ""
        self._ids.add(name)
        return f' id="{name}"'

    def _name(self, written: str | None) -> str:
        bare = re.sub(r"[^A-Za-z0-9_.\-]", "-", (written or "").strip())
        return f"{self.prefix}{bare}" if bare else ""

    def _inside(self, element: Element, label: str | None) -> str:
        parts = [str(escape(element.text or ""))]
        idle = _idle_breaks(element)
        for child in children(element):
            parts += ("" if child in idle else self._element(child, label), str(escape(child.tail or "")))
        return "".join(parts)

    def _element(self, element: Element, label: str | None) -> str:
        kind = local(element)
        if kind == "br":
            return "<br>"
        if kind == "list":
            return self._list(element, label)
        if kind == "table":
            return self._table(element, label)
        if kind == "renderMultiMedia":
            return self._multimedia(element)
        if kind == "content":
            return self._content(element, label)
        if kind in ("linkHtml", "footnoteRef"):
            return self._link(element, label)
        if kind == "footnote":
            return f'<small class="cda-note"{self.identifier(element.get("ID"))}>{self._inside(element, label)}</small>'
        if kind == "paragraph":
            return f"<p{self.identifier(element.get('ID'))}>{self._styled(element, label)}</p>"
        if kind in ("sub", "sup"):
            return f"<{kind}>{self._inside(element, label)}</{kind}>"
        if kind == "caption":
            return f'<span class="cda-caption">{self._inside(element, label)}</span> '
        return self._inside(element, label)

    def _content(self, element: Element, label: str | None) -> str:
        tag = {"delete": "del", "insert": "ins"}.get(element.get("revised", ""), "span")
        inside, named = self._styled(element, label), self.identifier(element.get("ID"))
        return f"<{tag}{named}>{inside}</{tag}>" if named or tag != "span" else inside

    def _styled(self, element: Element, label: str | None) -> str:
        inside, style = self._inside(element, label), element.get("styleCode", "").lower()
        if "underline" in style:
            inside = f'<span class="cda-underline">{inside}</span>'
        if "emphasis" in style or "italic" in style:
            inside = f"<em>{inside}</em>"
        if "bold" in style:
            inside = f"<strong>{inside}</strong>"
        return inside

    def _link(self, element: Element, label: str | None) -> str:
        target = element.get("href", "") or "#" + element.get("IDREF", "")
        inside = self._inside(element, label)
        if target.startswith("#") and (name := self._name(target[1:])):
            return f'<a href="#{name}">{inside or escape(target[1:])}</a>'
        return inside or str(escape(target))

    def _list(self, element: Element, label: str | None) -> str:
        tag = "ol" if element.get("listType") == "ordered" else "ul"
        caption = one(element, "caption")
        title = "" if caption is None else f'<p class="cda-caption">{self._inside(caption, label)}</p>'
        items = (
            f"<li{self.identifier(item.get('ID'))}>{self._inside(item, label)}</li>"
            for item in children(element)
            if local(item) == "item"
        )
        return f"{title}<{tag}{self.identifier(element.get('ID'))}>{''.join(items)}</{tag}>"

    def _table(self, element: Element, label: str | None) -> str:
        caption = one(element, "caption")
        title = "" if caption is None else f"<caption>{self._inside(caption, label)}</caption>"
        stack = stacking(element)
        groups = "".join(
            self._rows(group, local(group), label, stack)
            for group in children(element)
            if local(group) in ("thead", "tbody", "tfoot")
        )
        # A wide table scrolls in its own box, which the keyboard reaches and the heading names.
        named = f' role="group" aria-labelledby="{label}"' if label else ""
        table = f"<table{self.identifier(element.get('ID'))}>{title}{groups}</table>"
        kind = "cda-table cda-stack" if stack else "cda-table"
        return f'<div class="{kind}" tabindex="0"{named}>{table}</div>'

    def _rows(self, group: Element, kind: str, label: str | None, stack: Stacking | None) -> str:
        rows = [row for row in children(group) if local(row) == "tr"]
        written: list[str] = []
        for row in rows:
            cells = [cell for cell in children(row) if local(cell) in ("td", "th")]
            # A row of headings only is a row of column headings, wherever it stands.
            heads = kind == "thead" or (len(cells) > 1 and all(local(cell) == "th" for cell in cells))
            inside = "".join(self._cell(cell, heads, label, stack) for cell in cells)
            named = ' class="cda-heads"' if stack and row in stack.heads else ""
            written.append(f"<tr{named}{self.identifier(row.get('ID'))}>{inside}</tr>")
        return f"<{kind}>{''.join(written)}</{kind}>" if written else ""

    def _cell(self, cell: Element, heads: bool, label: str | None, stack: Stacking | None) -> str:
        inside = self._styled(cell, label)
        # An empty heading would be announced for nothing.
        tag = "th" if local(cell) == "th" and text(cell) else "td"
        spans = "".join(
            f' {name}="{value}"'
            for name in ("colspan", "rowspan")
            if (value := cell.get(name, "")).isascii() and value.isdigit() and 1 < int(value[:4]) < 1000
        )
        scope = ""
        if tag == "th":
            across = "col" if heads else "row"
            wide = f" {'col' if heads else 'row'}span=" in spans
            scope = f' scope="{across}group"' if wide else f' scope="{across}"'
        words = text(cell)
        kind = ' class="cda-long"' if len(words or "") > _LONG_CELL else ""
        if not words and not any(mark in inside for mark in _SHOWN):
            kind = ' class="cda-blank"'
        elif stack and (under := stack.labels.get(cell)):
            inside, scope = f"<div>{inside}</div>", f'{scope} data-label="{escape(under)}"'
        return f"<{tag}{scope}{spans}{kind}{self.identifier(cell.get('ID'))}>{inside}</{tag}>"

    def _multimedia(self, element: Element) -> str:
        caption = text(element, "caption")
        parts: list[str] = []
        for reference in element.get("referencedObject", "").split():
            found = self.media(reference)
            if found is None:
                continue
            self.shown.add(found.identifier)
            title = caption or found.title
            if found.is_image:
                image = f'<img src="{escape(found.url)}" alt="{escape(title or self.words.image)}">'
                below = f'<span class="cda-caption">{escape(caption)}</span>' if caption else ""
                parts.append(f'<span class="cda-image">{image}{below}</span>')
            else:
                parts.append(f'<a class="cda-file" href="{escape(found.url)}">{escape(title or self.words.file)}</a>')
        # A space first: the words before may touch the element, as « Copie au format PDF<renderMultiMedia/> » does.
        return f" {' '.join(parts)}" if parts else str(escape(caption or ""))


_LONG_CELL = 40
_SHOWN = ("<img", "<a ")
_BLOCKS = frozenset({"table", "list", "paragraph"})
_HOLDERS = frozenset({"text", "td", "th", "item", "paragraph"})


def _idle_breaks(element: Element) -> set[Element]:
    """The line breaks that only push apart what stands apart already: beside a table or list, at the ends of a cell."""
    return _beside_blocks(element, forwards=True) | _beside_blocks(element, forwards=False)


def _beside_blocks(element: Element, *, forwards: bool) -> set[Element]:
    found: set[Element] = set()
    items = list(children(element))
    apart = local(element) in _HOLDERS and (not forwards or not (element.text or "").strip())
    for item in items if forwards else reversed(items):
        written = bool((item.tail or "").strip())
        if not forwards and written:
            apart = False
        if local(item) == "br":
            if apart:
                found.add(item)
        else:
            apart = local(item) in _BLOCKS
        if forwards and written:
            apart = False
    return found
