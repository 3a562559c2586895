"""A finished network at work: draw a digit, upload a picture, type a row or a sentence, or take a test example."""

import base64
from typing import Any

import streamlit as st

from core.i18n import Language, Refusal
from core.training import datasets, desk, own
from core.training.datasets import Examples
from core.training.encoding import Code, Encoding
from core.training.notation import day
from core.training.report import Picture
from pages.parts.drawing import drawing
from pages.parts.runs_table import Finished
from pages.parts.session import workspace
from pages.parts.shell import plain

PATIENCE_S = 60.0
MOST_BYTES = 5 * 2**20
SHOWN = 5
"""Likeliest classes shown."""

MOST_FIELDS = 30
"""Nobody types more numbers than that: a longer row is taken from the test examples."""


def try_it(run: Finished, _: Language) -> None:
    """Something new for the network of ``run``, and what it answers."""
    if run.spec.data.kind == "table":
        try:
            examples = _examples(run)
        except Refusal as refusal:
            st.info(plain(_.refusal(refusal)))
            return
        if run.spec.data.ids:
            _names(run, _)
        elif examples.encoding is None or len(examples.encoding.codes) > MOST_FIELDS:
            _test_example(run, _)
        else:
            _row(run, examples.encoding, _)
        return
    if run.spec.dataset in ("mnist", "digits"):
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(_("Draw a digit with mouse, pen or finger:"))
            drawn = drawing("training:drawing", _("Drawing pad"), _("Clear"))
            if drawn and any(map(any, drawn)):
                _ask(run, {"drawn": drawn}, _)
        with right:
            _picture(run, _)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            _test_example(run, _)
        with right:
            _picture(run, _)


def _test_example(run: Finished, _: Language) -> None:
    """One of the examples that were kept for the test: it was not trained on, and its answer is known."""
    count = run.spec.data.test_images
    with st.form(f"training:try_test:{run.row.id}", border=False):
        place = st.number_input(
            _("Test example (number, 1 to {count})", count=f"{count:,}"),
            1,
            count,
            step=1,
            key=f"training:try_place:{run.row.id}",
        )
        sent = st.form_submit_button(_("Predict"), icon=":material/play_arrow:")
    if sent:
        _ask(run, {"example": int(place) - 1}, _)


def _picture(run: Finished, _: Language) -> None:
    file = st.file_uploader(
        _("Or upload a picture") if run.spec.dataset in ("mnist", "digits") else _("Upload a picture"),
        type=["png", "jpg", "jpeg", "bmp", "gif", "webp"],
        key="training:try_picture",
        max_upload_size=MOST_BYTES // 2**20,
    )
    if file is not None:
        _ask(run, {"picture": base64.b64encode(file.getvalue()).decode()}, _)


def _row(run: Finished, encoding: Encoding, _: Language) -> None:
    """A form with a field for each column; an empty one is missing."""
    if [code.kind for code in encoding.codes] == ["text"]:
        _sentence(run, encoding.codes[0].name, _)
        return
    with st.form("training:try_row", border=False):
        st.markdown(_("Type a row; what is left empty counts as missing."))
        typed: dict[str, Any] = {}
        for place, code in enumerate(encoding.codes):
            if place % 2 == 0:
                columns = st.columns(2)
            key = f"training:try:{run.row.id}:{place}"
            with columns[place % 2]:
                if code.kind == "category":
                    typed[code.name] = st.selectbox(
                        plain(code.name),
                        code.names,
                        index=None,
                        key=key,
                        placeholder=_("Choose; left empty it counts as missing"),
                    )
                else:
                    typed[code.name] = st.text_input(
                        plain(code.name),
                        key=key,
                        placeholder=_usual(code),
                        max_chars=10_000,
                    )
        sent = st.form_submit_button(_("Predict"), icon=":material/play_arrow:")
    if sent:
        _ask(run, {"rows": [typed]}, _)


def _names(run: Finished, _: Language) -> None:
    """A form with a number or a choice for each column of names; an empty one is not known."""
    with st.form("training:try_names", border=False):
        st.markdown(_("Who rates what? What is left empty counts as not known."))
        typed: dict[str, Any] = {}
        for place, column in enumerate(run.spec.data.ids):
            if place % 2 == 0:
                columns = st.columns(2)
            key, label = f"training:try:{run.row.id}:{place}", plain(_.text(column.label))
            with columns[place % 2]:
                if column.names:
                    called = {place: _.text(name) for place, name in enumerate(column.names, 1)}
                    typed[column.key] = st.selectbox(
                        label,
                        list(called),
                        index=None,
                        format_func=called.__getitem__,
                        placeholder=_("not known"),
                        key=key,
                    )
                else:
                    typed[column.key] = st.number_input(
                        _("{name} (number, 1 to {count})", name=label, count=f"{column.count:,}"),
                        1,
                        column.count,
                        None,
                        step=1,
                        placeholder=_("not known"),
                        key=key,
                    )
        sent = st.form_submit_button(_("Predict"), icon=":material/play_arrow:")
    if sent:
        _ask(run, {"rows": [typed]}, _)


def _sentence(run: Finished, column: str, _: Language) -> None:
    """A field for a text of one's own; nothing is asked about an empty one."""
    with st.form("training:try_text", border=False):
        words = st.text_area(
            _("Write a sentence like those that it learned from"),
            key=f"training:try:{run.row.id}:text",
            placeholder=_("The battery lasts for days and the screen is great!"),
            max_chars=10_000,
        )
        sent = st.form_submit_button(_("Predict"), icon=":material/play_arrow:")
    if sent and words.strip():
        _ask(run, {"rows": [{column: words}]}, _)


def _usual(code: Code) -> str:
    """The mean of a column of numbers, as it may be typed."""
    if code.kind != "number":
        return ""
    if code.form == "date":
        return day(float(round(code.mean)))
    return f"{code.mean:.4g}".replace(".", "," if code.form == "comma" else ".")


def _examples(run: Finished) -> Examples:
    owner = workspace().owner
    return own.load(owner, run.spec.own.id) if run.spec.own else datasets.load(run.spec.dataset)


def _ask(run: Finished, given: dict[str, Any], _: Language) -> None:
    """Ask the worker and show what it answers; what was asked last is not asked again."""
    held = st.session_state.get("training:answer")
    asked = (run.row.id, repr(given))
    if held is None or held[0] != asked:
        said = answered("predict", run, given, _)
        if said is None:
            return
        held = st.session_state["training:answer"] = (asked, said)
    said = held[1]
    if run.spec.data.task == "number":
        st.metric(plain(_.text(run.spec.data.target)), _.number(said["answers"][0][0], digits=4))
        if "right" in said:
            st.caption(plain(_("Right would be {value}.", value=_.number(said["right"], digits=4))))
        return
    shares = sorted(zip(said["answers"][0], run.spec.data.class_names, strict=True), reverse=True)
    if "seen" in said:
        with st.container(horizontal=True, gap="small"):
            for key, words in (("seen", _("As the network sees it")), ("saliency", _("What it looked at"))):
                shape, data = said[key]
                pixels = Picture(tuple(shape), data).pixels
                times = max(1, 112 // max(pixels.shape[:2]))
                st.image(
                    pixels.repeat(times, axis=0).repeat(times, axis=1), width=112, alt=words, caption=words
                )
    st.markdown(
        "**"
        + plain(_("Most likely: {name}, {share} sure", name=shares[0][1], share=_.percent(shares[0][0], 4)))
        + "**"
    )
    if "right" in said:
        st.caption(plain(_("Right is: {name}", name=run.spec.data.class_names[said["right"]])))
    st.dataframe(
        [{"class": name, "share": share} for share, name in shares[:SHOWN]],
        hide_index=True,
        column_config={
            "class": _("Class"),
            "share": st.column_config.ProgressColumn(
                _("Confidence (%)"), min_value=0.0, max_value=1.0, format="percent"
            ),
        },
        alt=_("Likeliest classes"),
    )


def answered(what: str, run: Finished, given: dict[str, Any], _: Language) -> Any | None:
    """What the worker answers about the network of ``run``; None, and said on screen, if it does not."""
    question = desk.ask(
        what, owner=workspace().owner, run_id=run.row.id, spec_json=run.spec.to_json(), **given
    )
    try:
        with st.spinner(_("The worker asks the network …")):
            said = desk.wait_for(question, PATIENCE_S)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return None
    finally:
        desk.withdraw(question)
    if said is None:
        st.error(_("The worker does not answer; it may be starting. Try again in a moment."))
    return said
