"""What a founder who waits wants to know: the place in the queue, when it begins, what is left of the day."""

import streamlit as st

from core.i18n import Language
from core.storage import RunRow
from core.training.devices import device_in_use
from core.training.limits import Limits, usage
from core.training.waiting import expected_wait
from pages.parts.services import store
from pages.parts.session import Workspace


def waiting_text(row: RunRow, _: Language) -> str:
    """The place of a waiting run in the queue, and when it may be expected to begin."""
    wait = expected_wait(store(), row, device_in_use(store()).name)
    soon = wait.seconds is not None and wait.seconds < 90
    if wait.own_limit is not None:
        if not wait.seconds:
            return _(
                "Waiting until one of your own runs ends: at most {count} train at the same time",
                count=wait.own_limit,
            )
        if soon:
            return _(
                "Waiting until one of your own runs ends, as at most {count} train at the same time · begins in about {seconds} s",
                count=wait.own_limit,
                seconds=_.number(max(1.0, wait.seconds), digits=2),
            )
        return _(
            "Waiting until one of your own runs ends, as at most {count} train at the same time · begins in about {minutes} minutes",
            count=wait.own_limit,
            minutes=_.number(wait.seconds / 60, digits=2),
        )
    place = store().runs.place(row.id)
    if not wait.seconds:  # not known, or its turn is now
        return _("Waiting: place {place} in the queue", place=place)
    if soon:
        return _(
            "Waiting: place {place} in the queue · begins in about {seconds} s",
            place=place,
            seconds=_.number(max(1.0, wait.seconds), digits=2),
        )
    return _(
        "Waiting: place {place} in the queue · begins in about {minutes} minutes",
        place=place,
        minutes=_.number(wait.seconds / 60, digits=2),
    )


def limits_line(ws: Workspace, _: Language) -> None:
    """What the founder has used of the day's limits; nothing where there are none."""
    limits = Limits.from_environment()
    if limits.runs is not None:
        st.caption(_("At most {count} of your runs train at the same time.", count=limits.runs))
    if limits.minutes is None and limits.dollars is None:
        return
    used = usage(store(), ws.owner)
    if limits.minutes is not None:
        st.caption(
            _(
                "Used in the last 24 hours: {used} of {limit} minutes of training.",
                used=_.number(round(used.minutes, 1), digits=3),
                limit=f"{limits.minutes:g}",
            )
        )
    if limits.dollars is not None:
        st.caption(
            _(
                "Used in the last 24 hours: {used} of {limit} for training.",
                used=_.money(used.dollars, "USD", digits=2),
                limit=_.money(limits.dollars, "USD", digits=2),
            ).replace("$", "\\$")
        )
