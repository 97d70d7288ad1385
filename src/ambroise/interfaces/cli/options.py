"""Options that several commands have: who acts and in what circumstances, and where a deposit goes."""

from typing import Annotated

import typer

Author = Annotated[str, typer.Option("--as", metavar="WHO", help="`professional:<RPPS>`, the author.")]
Organization = Annotated[str | None, typer.Option(metavar="FINESS", help="Structure for which the professional acts.")]
PurposeOfAccess = Annotated[str, typer.Option(metavar="PURPOSE", help="`normal`, `bris_de_glace` or `centre_15`.")]
Reason = Annotated[str | None, typer.Option(help="Why, for an emergency access.")]
Elsewhere = Annotated[
    str | None, typer.Option(help="Send over HTTP to this instance, instead of to the one of the data folder.")
]
Facility = Annotated[str | None, typer.Option(metavar="CODE", help="PDF: kind of facility. Default: the directory's.")]
PracticeSetting = Annotated[
    str | None, typer.Option(metavar="CODE", help="PDF: practice setting. Default: the directory's.")
]


def chosen_places(facility: str | None, setting: str | None) -> dict[str, str]:
    """What was chosen instead of what the directory says of the place."""
    places = {"facility": facility, "setting": setting}
    return {name: code for name, code in places.items() if code is not None}
