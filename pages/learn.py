"""Learn: what the training settings mean, in four short lessons that answer while one drags.

Only the chosen lesson is on screen, and each of its parts is a fragment of its own: a slider redraws
its part and nothing else. Formulas, sentences and references come from
:mod:`core.training.mathematics`, the charts from :mod:`core.charts.learn`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from core.charts import learn as charts
from core.i18n import Language
from core.training import mathematics as maths
from core.training.mathematics import words
from pages.parts.session import say


def page() -> None:
    """The title, the switch between the lessons, and the chosen lesson."""
    _ = say()
    st.title(_("What the training settings mean"))
    st.markdown(
        _(
            "Three ideas stand behind every training run: what a unit does, how a mistake is punished, and "
            "how the weights move. Drag the sliders; five minutes are enough."
        )
    )
    names = {
        "activation": _("1 Activation"),
        "loss": _("2 Loss"),
        "optimiser": _("3 Optimiser"),
        "advice": _("4 Choice"),
    }
    lessons: dict[str, Callable[[], None]] = {
        "activation": activation_lesson,
        "loss": loss_lesson,
        "optimiser": optimiser_lesson,
        "advice": advice_lesson,
    }
    lesson = st.segmented_control(
        _("Lesson"),
        list(names),
        default="activation",
        required=True,
        format_func=names.__getitem__,
        key="learn_lesson",
        label_visibility="collapsed",
        persist_state="session",
    )
    lessons[lesson or "activation"]()


def activation_lesson() -> None:
    """What one unit does with its input, and with the correction on its way back."""
    _ = say()
    st.header(_("How a unit answers"))
    st.markdown(
        _(
            "A network is layers of small units. Each adds up its inputs and bends the sum with an "
            "*activation*. Learning goes backwards: every correction is multiplied by the **slope** of that "
            "bend at each layer it passes."
        )
    )
    activation_part()
    with st.expander(_("The last layer: softmax turns scores into probabilities")):
        softmax_part()


@st.fragment
def activation_part() -> None:
    """One activation: its curve, and both readings at the slider's x."""
    _ = say()
    controls, picture = st.columns([2, 3], gap="large")
    with controls:
        key = st.segmented_control(
            _("Activation"),
            list(maths.ACTIVATIONS),
            default="relu",
            required=True,
            format_func=lambda k: _.text(maths.ACTIVATIONS[k].name),
            key="learn_activation",
            wrap=True,
            persist_state="session",
        )
        activation = maths.ACTIVATIONS[key or "relu"]
        x = st.slider(
            _("Input x (no unit)"), -6.0, 6.0, 2.0, 0.1, "%.1f", "learn_activation_x", persist_state="session"
        )
        value, slope = activation.at(x)
        with st.container(horizontal=True):
            st.metric(_("Output a(x)"), _.number(value), width="content")
            st.metric(_("Slope a′(x)"), _.number(slope), width="content")
            st.metric(
                _("Left after 10 layers"),
                words.share(_, activation.through_layers(x, 10)),
                width="content",
                help=_(
                    "What ten such units in a row leave of a correction: the slope to the power of ten. The "
                    "weights in between are left out."
                ),
            )
        st.markdown(words.on_slope(_, slope))
        st.info(_.text(activation.meaning), icon=":material/lightbulb:")
    with picture:
        st.plotly_chart(
            charts.activation_chart(_, activation, x),
            key="learn_activation_chart",
            config=_STILL,
            alt=_(
                "{name}: output {value} and slope {slope} at input {x}.",
                name=activation.name,
                value=_.number(value),
                slope=_.number(slope),
                x=_.number(x),
            ),
        )
        with st.expander(_("The formula and its derivative")):
            st.markdown(words.activation_formulas(_, activation))


@st.fragment
def softmax_part() -> None:
    """Three scores and their probabilities."""
    _ = say()
    st.markdown(
        _(
            "The last layer gives one score per class. Softmax makes them positive and lets them add up to "
            "100%. Only the differences count: raise all three scores and nothing changes."
        )
    )
    controls, picture = st.columns([2, 3], gap="large")
    scores = [
        controls.slider(
            _("Score of class {name} (no unit)", name=name),
            -5.0,
            5.0,
            start,
            0.1,
            format="%.1f",
            key=f"learn_score_{name}",
        )
        for name, start in (("A", 2.0), ("B", 1.0), ("C", 0.0))
    ]
    probabilities = maths.softmax(np.asarray(scores))
    with picture:
        st.plotly_chart(
            charts.softmax_chart(_, probabilities),
            key="learn_softmax_chart",
            config=_STILL,
            alt=_(
                "Probabilities: A {a}, B {b}, C {c}.",
                a=_.percent(probabilities[0]),
                b=_.percent(probabilities[1]),
                c=_.percent(probabilities[2]),
            ),
        )
        st.latex(
            r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \quad "
            r"\frac{\partial p_k}{\partial z_j} = p_k\,(\delta_{kj} - p_j)"
        )


def loss_lesson() -> None:
    """How one prediction is punished."""
    _ = say()
    st.header(_("How a mistake is punished"))
    st.markdown(
        _(
            "The network looks at one picture and says with some probability: *this is a seven*. The **loss** "
            "turns how wrong that was into one number. Training does nothing but make its average small."
        )
    )
    loss_part()


@st.fragment
def loss_part() -> None:
    """Both losses, or their slopes, at the slider's probability."""
    _ = say()
    controls, picture = st.columns([2, 3], gap="large")
    with controls:
        answers = {1: _("It is a seven"), 0: _("It is not a seven")}
        chosen = st.segmented_control(
            _("The truth"),
            list(answers),
            default=1,
            required=True,
            format_func=answers.__getitem__,
            key="learn_truth",
            persist_state="session",
        )
        truth = 1 if chosen is None else chosen
        probability = (
            st.slider(
                _("Predicted probability of “seven”"),
                1,
                99,
                10,
                format="%d%%",
                key="learn_probability",
                persist_state="session",
            )
            / 100
        )
        entropy, squared = (loss.judge(probability, truth) for loss in maths.LOSSES.values())
        with st.container(horizontal=True):
            st.metric(
                _.text(maths.LOSSES["cross_entropy"].name),
                _.number(entropy.loss, _("nats")),
                width="content",
                help=_("A nat is the unit of surprise with the natural logarithm; 1 nat = 1.44 bits."),
            )
            st.metric(
                _.text(maths.LOSSES["squared_error"].name),
                _.number(squared.loss),
                width="content",
                help=_("The squared difference between the probability and the truth; no unit."),
            )
        st.markdown(words.on_prediction(_, probability if truth else 1 - probability))
        kinds = {
            "loss": _("Loss"),
            "score": _("Slope by score"),
            "probability": _("Slope by probability"),
        }
        kind = (
            st.segmented_control(
                _("What to draw"),
                list(kinds),
                default="loss",
                required=True,
                format_func=kinds.__getitem__,
                key="learn_loss_kind",
                help=_("The score is the number before the sigmoid; the slope by it moves the weights."),
                persist_state="session",
            )
            or "loss"
        )
    with picture:
        drawing, here = {
            "loss": (charts.loss_chart, (entropy.loss, squared.loss)),
            "score": (charts.score_slope_chart, (entropy.pull, squared.pull)),
            "probability": (charts.probability_slope_chart, (entropy.slope, squared.slope)),
        }[kind]
        st.plotly_chart(
            drawing(_, probability, truth),
            key="learn_loss_chart",
            config=_STILL,
            alt=_(
                "{what} at a probability of {share}: cross-entropy {entropy}, squared error {squared}.",
                what=kinds[kind],
                share=_.percent(probability),
                entropy=_.number(here[0]),
                squared=_.number(here[1]),
            ),
        )
        with st.expander(_("The formulas and their derivatives")):
            st.markdown(words.loss_formulas(_))
    st.markdown(words.on_losses(_))


def optimiser_lesson() -> None:
    """How the weights move downhill."""
    _ = say()
    st.header(_("How the weights move downhill"))
    st.markdown(
        _(
            "Imagine the loss as a landscape over the weights. An **optimiser** feels the slope under its "
            "feet and decides the next step; the **learning rate** is the length of its stride. Too short "
            "takes forever, too long jumps out of the valley."
        )
    )
    optimiser_part()


@st.fragment
def optimiser_part() -> None:
    """All chosen optimisers from one start on one surface."""
    _ = say()
    controls, picture = st.columns([2, 3], gap="large")
    with controls:
        surface = maths.SURFACES[
            st.selectbox(
                _("Landscape"),
                list(maths.SURFACES),
                format_func=lambda key: _.text(maths.SURFACES[key].name),
                key="learn_surface",
                on_change=_suit_the_rate,
                persist_state="session",
            )
        ]
        st.markdown(_.text(surface.lesson))
        chosen = st.pills(
            _("Optimisers"),
            list(maths.OPTIMISERS),
            selection_mode="multi",
            default=["sgd", "momentum", "adam"],
            format_func=lambda key: _.text(maths.OPTIMISERS[key].name),
            key="learn_optimisers",
            wrap=True,
            persist_state="session",
        )
        fair, settings, steps = _settings(_)
    run = maths.descend_at_best_rate if fair else maths.descend
    rules = [rule for key, rule in maths.OPTIMISERS.items() if key in chosen]
    paths = [run(surface, rule, settings, steps) for rule in rules]
    with picture:
        st.plotly_chart(
            charts.descent_map(_, surface, paths),
            key="learn_map",
            config=_STILL,
            alt=_(
                "Map of the loss {surface} with the paths of {count} optimisers.",
                surface=surface.name,
                count=len(paths),
            ),
        )
        if sentences := words.on_descents(_, surface, paths):
            st.warning("\n\n".join(sentences), icon=":material/warning:")
    if not paths:
        st.info(_("Choose at least one optimiser."))
        return
    table, race = st.columns(2, gap="large")
    table.markdown(words.descent_table(_, paths))
    race.plotly_chart(
        charts.descent_chart(_, surface, paths),
        key="learn_descent",
        config=_STILL,
        alt=_("Loss above the lowest point at each step, one line per optimiser."),
    )
    with st.expander(_("The update rules and their sources")):
        st.markdown(words.update_rules(_, surface, paths))


def _settings(_: Language) -> tuple[bool, maths.Settings, int]:
    """The controls: whether each optimiser gets its best rate, the settings, the steps."""
    modes = {"same": _("The same rate"), "best": _("Each one's best rate")}
    mode = st.segmented_control(
        _("Compare at"),
        list(modes),
        default="same",
        required=True,
        format_func=modes.__getitem__,
        key="learn_rate_mode",
        help=_("Optimisers need different rates. The best is the one of nine that ends lowest."),
        persist_state="session",
    )
    fair = mode == "best"
    st.session_state.setdefault("learn_rate", next(iter(maths.SURFACES.values())).learning_rate)
    rate = st.select_slider(
        _("Learning rate η (no unit)"),
        maths.RATES,
        format_func=_.number,
        key="learn_rate",
        disabled=fair,
        persist_state="session",
    )
    steps = st.slider(_("Steps"), 5, maths.MOST_STEPS, 60, 5, key="learn_steps", persist_state="session")
    with st.popover(_("More settings: β and ρ")):
        momentum = st.slider(_("Momentum and Nesterov: β"), 0.0, 0.99, 0.9, 0.01, key="learn_momentum")
        rho = st.slider(_("RMSprop: ρ"), 0.0, 0.99, 0.9, 0.01, key="learn_rho")
        beta_1 = st.slider(_("Adam: β₁"), 0.0, 0.99, 0.9, 0.01, key="learn_beta_1")
        beta_2 = st.slider(_("Adam: β₂"), 0.9, 0.999, 0.999, 0.001, format="%.3f", key="learn_beta_2")
        st.caption(
            _(
                "All four say how much of the past is kept at each step: 0 forgets at once, 0.9 remembers "
                "about ten steps, 0.99 about a hundred."
            )
        )
    return fair, maths.Settings(rate, momentum, rho, beta_1, beta_2), steps


def _suit_the_rate() -> None:
    """Each landscape starts at a rate at which the comparison shows something."""
    st.session_state["learn_rate"] = maths.SURFACES[st.session_state["learn_surface"]].learning_rate


def advice_lesson() -> None:
    """What to start with, and the way to a real run."""
    _ = say()
    st.header(_("What to choose"))
    st.markdown(
        _("These values suit most first runs. Change one at a time, the learning rate before all others.")
    )
    st.markdown(words.advice_table(_))
    st.caption(_("Sources: {sources}", sources=maths.SOURCES))
    try:
        st.page_link(
            Path(__file__).with_name("training.py"),
            label=_("Try it: train a network and watch these settings at work"),
            icon=":material/play_circle:",
        )
    except StreamlitPageNotFoundError:
        # The training page is not among the app's pages; the lesson stands without it.
        st.caption(_("Try these settings on the training page."))


# The charts are for looking at: no buttons, and a page that scrolls under the finger.
_STILL = {"displayModeBar": False, "scrollZoom": False}

page()
