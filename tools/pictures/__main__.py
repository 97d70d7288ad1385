"""`python -m tools.pictures ADDRESS FOLDER`: the README of this folder says the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from playwright.sync_api import Browser, sync_playwright

from tools.pictures import album, places
from tools.pictures.camera import Look, Picture, Visitor
from tools.pictures.places import Place

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def main(
    address: Annotated[str, typer.Argument(help="Where the demonstration answers, such as http://localhost:8080.")],
    folder: Annotated[Path, typer.Argument(help="Where to put the pictures.")],
    only: Annotated[str, typer.Option(help="Only groups or addresses that contain this.")] = "",
    language: Annotated[Literal["fr", "en"], typer.Option(help="Language of the pages.")] = "fr",
    scheme: Annotated[Literal["light", "dark"], typer.Option(help="Colours.")] = "light",
    paper: Annotated[bool, typer.Option("--paper", help="Documents as they are printed too.")] = False,
) -> None:
    """Take pictures of the portals of a running demonstration."""
    folder.mkdir(parents=True, exist_ok=True)
    look = Look(folder, language, scheme, paper)
    pictures: list[Picture] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for picture in _all(browser, address.rstrip("/"), look, only):
            pictures.append(picture)
            typer.echo(f"{picture.file} {' '.join(picture.problems)}")
        browser.close()
    wrong = [one for one in pictures if one.problems]
    typer.echo(f"{len(pictures)} pictures, {len(wrong)} with something wrong: {album.write(folder, pictures)}")
    raise typer.Exit(1 if wrong else 0)


def _all(browser: Browser, home: str, look: Look, only: str) -> Iterator[Picture]:
    """Every picture: the pages, then the documents, each as its reader and as the doctor sees it."""
    for who, wanted in _by_person(places.pages(), only):
        with _as(browser, home, who, look) as visitor:
            for place in wanted:
                record = visitor.patient(place.about) if place.about else ""
                yield from visitor.take(place.group, record + place.address, place.press)
    if only not in "documents":
        return
    with _as(browser, home, places.DOCTOR, look) as doctor:
        for who in places.READERS:
            with _as(browser, home, who, look) as visitor:
                yield from _documents(visitor, "/documents", "/documents")
            record = doctor.patient(who)
            yield from _documents(doctor, record, f"{record}/documents")


def _documents(visitor: Visitor, listed: str, base: str) -> Iterator[Picture]:
    """One document of each kind of a list."""
    for id in visitor.kinds(listed):
        yield from visitor.take("documents", f"{base}/{id}", paper=True)


def _by_person(wanted: Iterable[Place], only: str) -> Iterator[tuple[str, list[Place]]]:
    """The places that are wanted, by who looks at them, so that each enters once."""
    people: dict[str, list[Place]] = {}
    for place in wanted:
        if only in place.group or only in place.address:
            people.setdefault(place.who, []).append(place)
    yield from people.items()


@contextmanager
def _as(browser: Browser, home: str, who: str, look: Look) -> Iterator[Visitor]:
    visitor = Visitor(browser, home, who, look)
    try:
        yield visitor
    finally:
        visitor.leave()


if __name__ == "__main__":
    typer.run(main)
