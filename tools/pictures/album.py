"""The index page of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment

from tools.pictures.camera import Picture

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Pictures of the portals</title>
<style>
  body { font-family: sans-serif; margin: 2rem; }
  .pages { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }
  figure { margin: 0; }
  figure div { display: flex; gap: .5rem; align-items: flex-start; }
  img { border: 1px solid #ccc; height: 320px; width: auto; max-width: 400px; object-fit: cover; object-position: top; }
  .wrong { color: #b00020; }
</style>
<h1>Pictures of the portals</h1>
<p>{{ pictures | length }} pictures, {{ wrong }} with something wrong.</p>
<ul>{% for group, _ in groups %}<li><a href="#{{ group }}">{{ group }}</a></li>{% endfor %}</ul>
{% for group, pages in groups %}
<h2 id="{{ group }}">{{ group }}</h2>
<div class="pages">
{% for (title, who), shown in pages %}
<figure>
  <figcaption>{{ title }} <small>({{ who }})</small></figcaption>
  <div>
  {% for one in shown %}
  <a href="{{ one.file }}"><img src="{{ one.file }}" alt="{{ title }}, {{ one.width }} px" loading="lazy"></a>
  {% endfor %}
  </div>
  {% for one in shown %}
  {% for problem in one.problems %}<p class="wrong">{{ one.width }}: {{ problem }}</p>{% endfor %}
  {% endfor %}
</figure>
{% endfor %}
</div>
{% endfor %}
"""


def write(folder: Path, pictures: Sequence[Picture]) -> Path:
    """Write the index of these pictures beside them."""
    groups = [(group, _pages(list(shown))) for group, shown in groupby(sorted(pictures, key=_group), _group)]
    page = Environment(autoescape=True).from_string(_PAGE)
    index = folder / "index.html"
    wrong = sum(bool(one.problems) for one in pictures)
    index.write_text(page.render(groups=groups, pictures=pictures, wrong=wrong), "utf-8")
    return index


def _group(one: Picture) -> str:
    return one.group


def _pages(pictures: Sequence[Picture]) -> list[tuple[tuple[str, str], list[Picture]]]:
    """The pictures of one page side by side, in the order they were taken."""
    return [(key, list(shown)) for key, shown in groupby(pictures, lambda one: (one.title, one.who))]
