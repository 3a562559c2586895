"""How right the estimator has been: predicted against published, for every record that is usable."""

import math
from collections.abc import Mapping

import streamlit as st

from core.charts.backtest import backtest_chart
from core.compute import Band, Check, Summary, Unusable, accelerators, serving_left_out, training_left_out
from core.compute.serving_calibration import cells, throughput_ratio
from core.compute.serving_calibration import constants as serving_constants
from core.compute.training_calibration import band, fp8_gain
from core.compute.training_calibration import constants as training_constants
from core.i18n import Language, Text
from pages.parts.session import say
from pages.parts.shell import plain

TRAINING_CONSTANTS = {
    "base": Text(
        "Dense model on A100 of 80 GB, 50 per billion parameters: MFU",
        "稠密模型,A100 80 GB,每十亿参数 50 块:MFU",
    ),
    "hopper": Text("On H100 and newer: times", "在 H100 及更新型号上:乘以"),
    "a100_40": Text("On A100 of 40 GB: times", "在 A100 40 GB 上:乘以"),
    "other": Text("On V100, TPU, AMD, Trainium, PCIe: times", "在 V100、TPU、AMD、Trainium、PCIe 上:乘以"),
    "experts": Text("Mixture of experts: times", "混合专家模型:乘以"),
    "thin": Text("For each doubling of accelerators per parameter: times", "每参数加速器数每翻一倍:乘以"),
}
SERVING_CONSTANTS = {
    "bandwidth_efficiency": (Text("Share of memory bandwidth", "显存带宽利用率"), 1.0, ""),
    "compute_efficiency": (Text("Share of the dense peak", "稠密峰值利用率"), 1.0, ""),
    "fp4_efficiency": (Text("Of it in 4 bits", "其中 4 位"), 1.0, ""),
    "expert_efficiency": (Text("Of it in experts", "其中专家层"), 1.0, ""),
    "seconds_per_layer": (Text("Overhead per layer and step", "每层每步开销"), 1e6, "µs"),
    "seconds_per_token": (Text("Overhead per written token", "每输出 token 开销"), 1e6, "µs"),
    "parallel_tax": (Text("Slower for each doubling of a replica", "副本每翻一倍变慢"), 1.0, ""),
    "reserve_bytes": (Text("Kept by driver and buffers", "驱动与缓冲占用"), 1e-9, "GB"),
}


def page() -> None:
    """Draw the page."""
    _ = say()
    st.title(_("How right are the estimates?"))
    st.markdown(
        _(
            "Every published figure that can be used, predicted by constants that have **not** seen it: a training run "
            "without its family of models, a throughput without its model."
        )
    )
    names = {"training": _("Training: GPU-hours"), "serving": _("Serving: tokens per second")}
    part = st.segmented_control(
        _("Part"),
        list(names),
        default="training",
        required=True,
        format_func=names.__getitem__,
        key="backtest:part",
        label_visibility="collapsed",
    )
    (_serving if part == "serving" else _training)(_)


def _training(_: Language) -> None:
    found = training_left_out()
    labels = {a.family.key: _.text(a.family.label) for a in accelerators().values()}
    _summary(found.summary, _)
    _chart("training", _grouped(found.checks, labels), band(), _("GPU-hours"), _)
    with st.expander(_("The constants, and how they were fitted"), icon=":material/tune:"):
        known = training_constants()
        rows = []
        for name, label in TRAINING_CONSTANTS.items():
            value = getattr(known, name)
            factor = math.exp(value * math.log(2) if name == "thin" else value)
            rows.append((_.text(label), _.number(factor)))
        rows.append((_("Gain of 8-bit training"), _.number(fp8_gain())))
        st.markdown(_table(rows, _))
        st.caption(
            _(
                "Median regression on {count} whole runs, with what benchmarks measured side by side as a prior. The "
                "band is that of developers left out.",
                count=len(found.checks),
            )
        )
    _left_out(found.unusable, _)


def _serving(_: Language) -> None:
    found = serving_left_out()
    labels = {"dense": _("Dense models"), "moe": _("Mixtures of experts")}
    _summary(found.summary, _)
    with st.container(horizontal=True, gap="medium"):
        for group, label in labels.items():
            if part := found.of(group):
                st.caption(
                    plain(
                        _(
                            "{group}: median error {error} over {count}",
                            group=label,
                            error=_.percent(part.median_error, 2),
                            count=part.count,
                        )
                    )
                )
    _chart("serving", _grouped(found.checks, labels), throughput_ratio("moe"), _("tokens/s"), _)
    with st.expander(_("The constants, and how they were fitted"), icon=":material/tune:"):
        known = serving_constants()
        rows = [
            (_.text(label), _.number(float(getattr(known, name)) * scale, unit))
            for name, (label, scale, unit) in SERVING_CONSTANTS.items()
        ]
        st.markdown(_table(rows, _))
        st.caption(
            _(
                "Least absolute error of the logarithm on {count} offline throughputs of TensorRT-LLM, pulled gently "
                "towards engineering figures. One set for dense models and mixtures. The band drawn is that of mixtures.",
                count=len(cells().models),
            )
        )
    _left_out(found.unusable, _)


def _summary(found: Summary | None, _: Language) -> None:
    if found is None:
        return
    with st.container(horizontal=True, gap="medium"):
        st.metric(_("Median error"), _.percent(found.median_error, 2), width="content")
        st.metric(_("9 of 10 within"), _.percent(found.p90_error, 2), width="content")
        st.metric(_("Median predicted ÷ published"), _.number(found.median_ratio), width="content")
        st.metric(_("Inside P10 to P90"), _.percent(found.inside, 2), width="content")
        st.metric(_("Records"), _.number(found.count), width="content")


def _grouped(checks: tuple[Check, ...], labels: Mapping[str, str]) -> dict[str, list[Check]]:
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(labels.get(check.group, check.group), []).append(check)
    return groups


def _chart(key: str, groups: dict[str, list[Check]], ratio: Band, unit: str, _: Language) -> None:
    st.plotly_chart(
        backtest_chart(groups, ratio, unit, _),
        key=f"backtest:{key}",
        config={"displaylogo": False},
        alt=_("Predicted over published on logarithmic axes; the diagonal is right, the band is P10 to P90."),
    )


def _left_out(rows: tuple[Unusable, ...], _: Language) -> None:
    with st.expander(_("Left out, and why ({count})", count=len(rows)), icon=":material/block:"):
        counted: dict[tuple[str, str], int] = {}
        for row in rows:
            key = (row.model, _.refusal(row.reason))
            counted[key] = counted.get(key, 0) + 1
        st.markdown(
            "\n".join(
                f"- **{plain(model)}**" + (f" × {count}" if count > 1 else "") + f": {plain(reason)}"
                for (model, reason), count in counted.items()
            )
        )


def _table(rows: list[tuple[str, str]], _: Language) -> str:
    lines = [
        f"| {_('Constant')} | {_('Value')} |",
        "|---|---:|",
        *(f"| {plain(a)} | {plain(b)} |" for a, b in rows),
    ]
    return "\n".join(lines)


page()
