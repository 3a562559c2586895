"""Validation: the claims that could fail, in the order in which they should be tested."""

import secrets

import streamlit as st

from core.finance import LADDER, Risk, risks_of
from core.i18n import Language, Refusal, Text
from core.venture import BLOCKS, Hypothesis
from pages.parts.fields import field, held
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import distinct, plain

FIELDS = ("statement", "test", "pass_mark", "result")


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Validation"))
    st.caption(
        _(
            "Every plan rests on claims that could fail. The first in the list matters most to your cash and has the least evidence."
        ),
        help=_(
            "You decide how much to raise before you know how the plan will go. Raise too much and you sell shares for money that you do not need; raise too little and cash runs out. What a claim is worth is what knowing its drivers beforehand would save you on average, less what your evidence already covers."
        ),
    )
    try:
        ordered = risks_of(ws.venture)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        ordered = tuple(Risk(h, 0.0) for h in ws.venture.hypotheses)
    if ordered and ordered[0].risk > 0:
        st.info(_first(ordered[0], ws, _), icon=":material/flag:")
    if not ordered:
        st.info(
            _("There are no hypotheses yet. Write the first one: what must be true for this plan to work?")
        )
    most = max((risk.worth for risk in ordered), default=0.0)
    for place, risk in enumerate(ordered, 1):
        if st.session_state.get("validation:editing") == risk.hypothesis.id:
            _editor(risk.hypothesis, ws, _)
        else:
            _shown(place, risk, most, ws, _)
    st.button(_("Add a hypothesis"), key="validation:add", icon=":material/add:", on_click=_add)


def _first(first: Risk, ws: Workspace, _: Language) -> str:
    """Why the first claim of the list comes first."""
    evidence = _.text(LADDER[first.hypothesis.evidence].label)
    statement = plain(_.text(first.hypothesis.statement))
    if first.worth > 0:
        return _(
            "Test this first: “{statement}” Knowing it better is worth about {money} when you decide how much to raise, and the evidence is: {evidence}.",
            statement=statement,
            money=plain(_.money(first.worth, ws.venture.currency, 2)),
            evidence=evidence,
        )
    return _(
        "Test this first: “{statement}” Its drivers carry {share} of your cash risk, and the evidence is: {evidence}.",
        statement=statement,
        share=plain(_.percent(first.importance, 2)),
        evidence=evidence,
    )


def _measure(risk: Risk, most: float, ws: Workspace, _: Language) -> None:
    """How much a claim matters, as a bar: against the one that matters most where it has a value in money."""
    if most <= 0:
        text = _(
            "Importance {share} · risk {risk}",
            share=plain(_.percent(risk.importance, 2)),
            risk=plain(_.percent(risk.risk, 2)),
        )
        st.progress(min(1.0, risk.importance), text=text)
        return
    money = plain(_.money(risk.worth, ws.venture.currency, 2))
    if risk.worth > 0:
        st.progress(risk.worth / most, text=_("Knowing this better is worth about {money}", money=money))
    else:
        st.progress(0.0, text=_("Knowing this better would not change how much you raise"))


def _shown(place: int, risk: Risk, most: float, ws: Workspace, _: Language) -> None:
    hypothesis = risk.hypothesis
    with st.container(border=True):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            st.markdown(f"**{place} · {plain(_.text(hypothesis.statement))}**")
            lines = [f"{_.text(BLOCKS[hypothesis.block])} · " + _drivers(hypothesis, ws, _)]
            for title, text in (
                (_("Test"), hypothesis.test),
                (_("Pass mark"), hypothesis.pass_mark),
                (_("Result"), hypothesis.result),
            ):
                if str(text):
                    lines.append(f"**{title}:** {plain(_.text(text))}")
            st.markdown("  \n".join(lines))
        with right:
            _measure(risk, most, ws, _)
            key = f"validation:evidence:{hypothesis.id}"
            ws.follow(key, hypothesis.evidence)
            st.selectbox(
                _("Evidence so far"),
                range(len(LADDER)),
                format_func=lambda level: f"{level} · {_.text(LADDER[level].label)}",
                **field(key, _evidence, hypothesis.id, among=range(len(LADDER))),
            )
            st.button(
                _("Edit"),
                key=f"validation:edit:{hypothesis.id}",
                icon=":material/edit:",
                type="tertiary",
                on_click=_edit,
                args=(hypothesis.id,),
            )


def _drivers(hypothesis: Hypothesis, ws: Workspace, _: Language) -> str:
    names = [plain(_.text(ws.venture.driver(key).label)) for key in hypothesis.drivers]
    return _("Drivers: {names}", names=", ".join(names)) if names else _("no driver linked")


def _editor(hypothesis: Hypothesis, ws: Workspace, _: Language) -> None:
    titles = {
        "statement": _("Claim: what must be true?"),
        "test": _("Test: how will you find out?"),
        "pass_mark": _("Pass mark, fixed before the test"),
        "result": _("Result: what did you observe?"),
    }
    with st.container(border=True):
        for part in FIELDS:
            key = f"validation:{part}:{hypothesis.id}"
            ws.follow(key, _.text(getattr(hypothesis, part)))
            st.text_input(titles[part], max_chars=300, **field(key, _set, hypothesis.id, part))
            if refusal := ws.refused.get(key):
                st.error(plain(_.refusal(refusal)))
        left, right = st.columns(2)
        with left:
            ws.follow(f"validation:block:{hypothesis.id}", hypothesis.block)
            st.selectbox(
                _("Block of the canvas"),
                list(BLOCKS),
                format_func=lambda block: _.text(BLOCKS[block]),
                **field(f"validation:block:{hypothesis.id}", _set, hypothesis.id, "block", among=BLOCKS),
            )
        with right:
            names = distinct({driver.key: _.text(driver.label) for driver in ws.venture.drivers})
            ws.follow(f"validation:drivers:{hypothesis.id}", list(hypothesis.drivers))
            st.multiselect(
                _("Drivers that it speaks of"),
                list(names),
                format_func=names.__getitem__,
                placeholder=_("Choose drivers"),
                **field(
                    f"validation:drivers:{hypothesis.id}", _set, hypothesis.id, "drivers", start="default"
                ),
            )
        with st.container(horizontal=True):
            st.button(_("Done"), key="validation:done", type="primary", on_click=_edit, args=(None,))
            st.button(
                _("Delete"),
                key="validation:delete",
                icon=":material/delete:",
                on_click=_delete,
                args=(hypothesis.id,),
            )


def _edit(hypothesis_id: str | None) -> None:
    st.session_state["validation:editing"] = hypothesis_id


def _evidence(hypothesis_id: str) -> None:
    level = int(held(f"validation:evidence:{hypothesis_id}"))
    _replace(hypothesis_id, "evidence", level, f"validation:evidence:{hypothesis_id}")


def _set(hypothesis_id: str, part: str) -> None:
    key = f"validation:{part}:{hypothesis_id}"
    value = held(key)
    if part in FIELDS:
        value = Text(str(value).strip())
    elif part == "drivers":
        value = tuple(value)
    _replace(hypothesis_id, part, value, key)


def _replace(hypothesis_id: str, part: str, value: object, place: str) -> None:
    ws = workspace()
    ws.change(
        lambda v: v.with_hypothesis(v.hypothesis(hypothesis_id).changed(**{part: value})),
        say()("hypothesis edited"),
        place=place,
    )


def _add() -> None:
    new = "h" + secrets.token_hex(4)
    _ = say()
    hypothesis = Hypothesis(id=new, statement=Text(_("We believe that …")), block="propositions")
    if workspace().change(lambda v: v.with_hypothesis(hypothesis), _("hypothesis added")):
        _edit(new)


def _delete(hypothesis_id: str) -> None:
    if workspace().change(lambda v: v.without_hypothesis(hypothesis_id), say()("hypothesis deleted")):
        _edit(None)


page()
