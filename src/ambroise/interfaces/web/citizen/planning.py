"""One's prevention plan: its lines, where one stands with each, and whether professionals see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import FollowUp, FollowUps, Plan, Plans, Standing
from ambroise.trust.context import Context


class Progress(Struct, frozen=True):
    """The latest plan and what was said of it, the latest first."""

    plan: Plan
    said: list[FollowUp]

    @property
    def last(self) -> FollowUp | None:
        """What was said last."""
        return self.said[0] if self.said else None

    @property
    def done(self) -> int:
        """How many lines are done, as was last said."""
        return self.last.done if self.last else 0


async def progress_of(reader: Reader, ctx: Context, lives: Lives) -> Progress | None:
    """Where the holder of the space stands; None without a plan."""
    space = _space(ctx)
    plan = next(iter(await Plans(lives.prevention).of(reader, ctx, space)), None)
    if plan is None:
        return None
    return Progress(plan, list(await FollowUps(lives.prevention).of(reader, ctx, space, plan)))


def plan_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    follow_ups = FollowUps(lives.prevention)

    async def show(visit: Visit) -> Response:
        async with lives.database.reader() as reader:
            progress = await progress_of(reader, visit.context(), lives)
        return await visit.render(
            "citizen/plan.html", progress=progress, standings=said.standings(), place="agenda", **said.vocabulary()
        )

    async def say(visit: Visit, sent: FormData) -> Response:
        ctx = visit.context()
        async with lives.database.transaction() as tx:
            progress = await progress_of(tx, ctx, lives)
            if progress is None:
                raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "There is no plan.")
            standings = {n: one for n in range(len(progress.plan.lines)) if (one := _standing(sent, n)) is not None}
            words, shared = str(sent.get("mots", "")), sent.get("partager") == "oui"
            await follow_ups.say(tx, ctx, _space(ctx), progress.plan, standings, words, shared=shared)
        return visit.go("/agenda/plan", Toast("plan-shared" if shared else "plan-kept"))

    return [screen.route("/agenda/plan", show, say)]


def _standing(sent: FormData, n: int) -> Standing | None:
    value: Any = sent.get(f"ligne-{n}")
    return Standing(value) if value in {one.value for one in Standing} else None


def _space(ctx: Context) -> UUID:
    if ctx.space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return ctx.space
