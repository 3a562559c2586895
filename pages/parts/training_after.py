"""A finished run from near: what it confuses, its worst mistakes, how far to trust it, and what to take away."""

import contextlib
import io
import zipfile

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.charts.report import calibration_chart, confusion_chart, truth_chart
from core.i18n import Language, Refusal
from core.training import datasets, desk, own, shelf
from core.training.card import model_card
from core.training.report import Picture, Report
from core.training.script import DATA, data_file, script
from pages.parts.fields import put
from pages.parts.runs_table import Finished, tested
from pages.parts.services import store
from pages.parts.session import say, workspace
from pages.parts.shell import plain, select
from pages.parts.training_recommend import recommendations
from pages.parts.training_try import try_it

KEY = "training:after"
ONNX_KEY = "training:onnx_making"
ONNX_PATIENCE_S = 60.0
SHOWN_PIXELS = 112
"""The width at which a picture is shown."""


def afterwards() -> None:
    """The section on finished runs; nothing as long as there is none."""
    _, ws = say(), workspace()
    runs = tested(store().runs.rows(ws.owner, ws.venture_id, limit=50))
    if not runs:
        return
    st.subheader(_("A finished run from near"))
    names = {run.row.id: f"{run.row.id[:6]} · {_.text(run.spec.title)}" for run in runs}
    newest = runs[0].row.id
    if st.session_state.get("training:after_newest") != newest:
        # A run that has just ended is what the founder wants to see.
        st.session_state["training:after_newest"] = newest
        put(KEY, newest)
    chosen = select(_("Run"), names, KEY)
    run = next((run for run in runs if run.row.id == chosen), runs[0])
    report = shelf.report_of(run.row.id)
    if report is None:
        st.info(_("This run left no network behind: it was trained before they were kept, or was deleted."))
        return
    numbers = run.spec.data.task == "number"
    tabs = st.tabs(
        [
            _("Answers") if numbers else _("Confusions"),
            *([_("Recommend")] if run.spec.data.ids else []),
            *([] if numbers else [_("Worst mistakes"), _("Confidence")]),
            _("Try it"),
            _("Take away"),
        ],
        key="training:after_tabs",
    )
    with tabs[0]:
        _answers(run, report, _) if numbers else _confusions(report, _)
    if not numbers:
        with tabs[1]:
            _mistakes(run, report, _)
        with tabs[2]:
            _confidence(report, _)
    if run.spec.data.ids:
        with tabs[1]:
            recommendations(run, _)
    with tabs[-2]:
        try_it(run, _)
    with tabs[-1]:
        _take_away(run, report, _)


def _answers(run: Finished, report: Report, _: Language) -> None:
    st.plotly_chart(
        truth_chart(report, _.text(run.spec.data.target), _),
        key="training:after_truth",
        config={"displaylogo": False},
        alt=_("Answers against the truth"),
    )
    if not report.farthest:  # one that was kept before these were told
        return
    st.caption(_("The test rows whose answers are the farthest off, in the unit of the number."))
    st.dataframe(
        [
            {"row": place + 1, "right": truth, "said": said, "off": abs(said - truth)}
            for place, truth, said in report.farthest
        ],
        hide_index=True,
        column_config={
            "row": _("Test row (number)"),
            "right": st.column_config.NumberColumn(_("Right"), format="%.5g"),
            "said": st.column_config.NumberColumn(_("Said"), format="%.5g"),
            "off": st.column_config.NumberColumn(_("Off by"), format="%.5g"),
        },
        alt=_("Worst mistakes"),
    )


def _confusions(report: Report, _: Language) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.plotly_chart(
            confusion_chart(report, _),
            key="training:after_confusion",
            config={"displaylogo": False},
            alt=_("Which classes are confused with which"),
        )
    with right:
        st.dataframe(
            [
                {"class": name, "count": count, "precision": precision, "recall": recall}
                for name, count, precision, recall in report.by_class()
            ],
            hide_index=True,
            column_config={
                "class": _("Class"),
                "count": _("Test examples (count)"),
                "precision": st.column_config.NumberColumn(
                    _("Precision (%)"), format="percent", help=_("How often it is right when it says so.")
                ),
                "recall": st.column_config.NumberColumn(
                    _("Recall (%)"), format="percent", help=_("How many of these it finds.")
                ),
            },
            alt=_("Figures by class"),
        )


def _mistakes(run: Finished, report: Report, _: Language) -> None:
    if not report.mistakes:
        st.success(_("Not a single mistake on the test examples."))
        return
    st.caption(
        _(
            "The test examples that it got wrong while it was most sure. In the second picture, what is bright made it decide: there, covering a part lowered its confidence the most."
        )
        if run.spec.data.kind == "images"
        else _("The test rows that it got wrong while it was most sure.")
    )
    names = report.class_names
    if run.spec.data.kind != "images":
        st.dataframe(
            [
                {
                    "row": m.place + 1,
                    **({"words": m.words} if m.words else {}),
                    "right": names[m.right],
                    "said": names[m.said],
                    "sure": m.confidence,
                }
                for m in report.mistakes
            ],
            hide_index=True,
            column_config={
                "row": _("Test row (number)"),
                "words": st.column_config.TextColumn(_("What it says"), width="large"),
                "right": _("Right"),
                "said": _("Said"),
                "sure": st.column_config.NumberColumn(_("Confidence (%)"), format="percent"),
            },
            alt=_("Worst mistakes"),
        )
        return
    with st.container(horizontal=True, gap="medium"):
        for mistake in report.mistakes:
            if mistake.picture is None or mistake.saliency is None:
                continue
            with st.container(width=2 * SHOWN_PIXELS + 16, gap="xsmall"):
                words = _(
                    "{right} taken for {said} · {share}",
                    right=names[mistake.right],
                    said=names[mistake.said],
                    share=_.percent(mistake.confidence),
                )
                with st.container(horizontal=True, gap="small"):
                    show(mistake.picture, words)
                    show(mistake.saliency, _("What it looked at"))
                st.caption(plain(words))


def show(picture: Picture, words: str) -> None:
    """A small picture, enlarged without blur."""
    pixels: NDArray[np.uint8] = picture.pixels
    times = max(1, SHOWN_PIXELS // max(pixels.shape[:2]))
    large = pixels.repeat(times, axis=0).repeat(times, axis=1)
    st.image(large, width=SHOWN_PIXELS, alt=words)


def _confidence(report: Report, _: Language) -> None:
    st.plotly_chart(
        calibration_chart(report, _),
        key="training:after_calibration",
        config={"displaylogo": False},
        alt=_("Right answers against confidence"),
    )
    st.caption(
        _(
            "Above the line it is more often right than it thinks, below less often. On average it is off by {share}.",
            share=_.percent(report.calibration_error),
        )
    )


# What to take away


def _take_away(run: Finished, report: Report, _: Language) -> None:
    st.markdown(
        _(
            "**Model card**: what it is, what it learned from, how good it is. **Network**: a `.keras` file that Keras 3 opens on any backend. **ONNX file**: the same network for programs without Keras, in a browser, on a phone or in another language; what it takes and answers is written in its metadata. **Script**: the same run in plain Keras; on a processor with the same versions and threads it ends with the very same weights. It comes with its data."
        )
    )
    short = run.row.id[:6]
    card = model_card(run.row.id, run.spec, run.result, report, _)
    model = shelf.run_folder(run.row.id) / shelf.MODEL
    with st.container(horizontal=True):
        st.download_button(
            _("Model card"),
            card,
            f"model-card-{short}.md",
            "text/markdown",
            key="training:card",
            icon=":material/description:",
            on_click="ignore",
        )
        if model.is_file():
            st.download_button(
                _("Network"),
                model.read_bytes,
                f"model-{short}.keras",
                "application/octet-stream",
                key="training:model",
                icon=":material/neurology:",
                on_click="ignore",
            )
            _onnx(run, _)
        owner = workspace().owner
        st.download_button(
            _("Script with data"),
            lambda: _packed(owner, run),
            f"training-{short}.zip",
            "application/zip",
            key="training:script",
            icon=":material/code:",
            on_click="ignore",
        )
    st.button(
        _("Delete this run and its network"),
        key=f"training:delete:{run.row.id}",
        icon=":material/delete:",
        on_click=_delete,
        args=(run.row.id,),
    )
    with st.expander(_("Script"), icon=":material/code:"):
        st.code(script(run.spec), language="python")


def _onnx(run: Finished, _: Language) -> None:
    """The network as ONNX: a button that has the worker make it, and then one that hands it over."""
    file = shelf.run_folder(run.row.id) / shelf.ONNX
    words = _("For programs without Keras: ONNX Runtime runs it in a browser, on a phone or in a server.")
    making = st.session_state.get(ONNX_KEY)
    if making is not None and making[0] == run.row.id:
        cancel = st.empty()
        cancel.button(_("Cancel"), key="training:onnx_cancel", icon=":material/close:", on_click=_forget_onnx)
        _await_onnx(making[1], _)
        cancel.empty()
    if file.is_file():
        st.download_button(
            _("ONNX file"),
            file.read_bytes,
            f"model-{run.row.id[:6]}.onnx",
            "application/octet-stream",
            key="training:onnx",
            icon=":material/conversion_path:",
            on_click="ignore",
            help=words,
        )
    elif ONNX_KEY not in st.session_state:
        st.button(
            _("Make the ONNX file"),
            key="training:onnx_make",
            icon=":material/conversion_path:",
            on_click=_ask_for_onnx,
            args=(run,),
            help=words,
        )


def _ask_for_onnx(run: Finished) -> None:
    _forget_onnx()
    owner, spec = workspace().owner, run.spec.to_json()
    question = desk.ask("onnx", owner=owner, run_id=run.row.id, spec_json=spec)
    st.session_state[ONNX_KEY] = (run.row.id, question)


def _forget_onnx() -> None:
    """Take back what the worker was asked, if anything."""
    making = st.session_state.pop(ONNX_KEY, None)
    if making is not None:
        desk.withdraw(making[1])


def _await_onnx(question: str, _: Language) -> None:
    try:
        with st.spinner(_("The worker writes the ONNX file …")):
            said = desk.wait_for(question, ONNX_PATIENCE_S)
    except Refusal as refusal:
        _forget_onnx()
        st.error(plain(_.refusal(refusal)))
        return
    _forget_onnx()
    if said is None:
        st.error(_("The worker does not answer; it may be starting. Try again in a moment."))
    else:
        st.rerun()


def _delete(run_id: str) -> None:
    with contextlib.suppress(Refusal):
        store().runs.delete(workspace().owner, run_id)
        shelf.delete_run(run_id)


def _packed(owner: str, run: Finished) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.py", script(run.spec))
        try:
            examples = own.load(owner, run.spec.own.id) if run.spec.own else datasets.load(run.spec.dataset)
            archive.writestr(DATA, data_file(run.spec, examples))
        except Refusal as refusal:
            archive.writestr("data-missing.txt", str(refusal))
    return out.getvalue()
