"""What the readings mean, in sentences: the part of a lesson that changes while a slider moves.

Every function takes the reader's language first and returns Markdown.

Public names: :func:`share`, :func:`activation_formulas`, :func:`on_slope`, :func:`on_prediction`,
:func:`on_losses`, :func:`loss_formulas`, :func:`on_descents`, :func:`descent_table`,
:func:`update_rules`, :func:`advice_table`.
"""

from collections.abc import Sequence

from core.i18n import Language
from core.training.mathematics.activations import Activation
from core.training.mathematics.advice import ADVICE
from core.training.mathematics.losses import LOSSES, how_much_harder
from core.training.mathematics.optimisers import Path
from core.training.mathematics.surfaces import Surface

NEGLIGIBLE = 1e-6
"""Losses and shares below this are said to be under it."""
SATURATED = 0.1
"""A unit whose slope is smaller than this in size is called saturated."""


def share(_: Language, value: float) -> str:
    """``value`` as a percentage; one too small to matter as "under 0.0001%"."""
    if 0 < abs(value) < NEGLIGIBLE:
        return _("under {limit}", limit=_.percent(NEGLIGIBLE))
    return _.percent(value)


def activation_formulas(_: Language, activation: Activation) -> str:
    """Definition and derivative, and where they were published."""
    formulas = _display(activation.definition, activation.derivative).strip()
    source = _("Source: {source}", source=activation.reference)
    return f"{formulas}\n\n{source}"


def on_slope(_: Language, slope: float) -> str:
    """How much of a correction passes a unit with this slope."""
    if slope == 0:
        return _("**No correction passes here.** If every example lands here, the unit is dead for good.")
    if abs(slope) < SATURATED:
        return _("**Saturated**: only {share} of a correction passes here.", share=share(_, slope))
    return _("{share} of a correction passes here.", share=share(_, slope))


def on_prediction(_: Language, right: float) -> str:
    """A prediction that gave the true answer the probability ``right`` (a share in (0, 1))."""
    values = {"share": _.percent(right), "ratio": _.number(how_much_harder(right), digits=2)}
    if right < 0.25:
        return _(
            "**A confident mistake.** Only {share} went to the true answer. Cross-entropy corrects the "
            "weights {ratio} times as hard as squared error.",
            **values,
        )
    if right < 0.75:
        return _(
            "**Undecided.** {share} went to the true answer. Cross-entropy corrects the weights {ratio} "
            "times as hard as squared error.",
            **values,
        )
    return _(
        "**A good answer.** {share} went to the true answer; both losses are small and the weights may rest.",
        **values,
    )


def on_losses(_: Language) -> str:
    """When to take which loss, and a yardstick for the number on the training page."""
    lines = [f"**{_.text(loss.name)}**: {_.text(loss.meaning)}" for loss in LOSSES.values()]
    lines.append(
        _(
            "**A yardstick**: guessing among ten digits costs ln 10 = 2.30 nats. A run whose first epoch "
            "stays there has learned nothing yet."
        )
    )
    return "\n".join(f"- {line}" for line in lines)


def loss_formulas(_: Language) -> str:
    """Both losses with their slopes, the case of several classes, and the names Keras gives them."""
    parts = [
        f"**{_.text(loss.name)}**{_display(loss.definition, loss.derivative, loss.score_derivative)}"
        for loss in LOSSES.values()
    ]
    parts.append(
        _(
            "y is the truth (1 or 0), p = σ(z) the predicted probability, z the score before the sigmoid. "
            "With several classes and softmax, cross-entropy is minus the logarithm of the true class's "
            "probability, and its slope by each score is again probability minus truth:"
        )
    )
    parts.append(_display(r"L = -\ln p_{y}", r"\frac{\partial L}{\partial z_k} = p_k - [\,k = y\,]").strip())
    parts.append(
        _(
            "In Keras: `binary_crossentropy`, `categorical_crossentropy`, `mean_squared_error`. The first two "
            "keep p between 1e-7 and 1 − 1e-7. Source: {source}, section 6.2.2.",
            source="[Goodfellow, Bengio & Courville 2016](https://www.deeplearningbook.org/contents/mlp.html)",
        )
    )
    return "\n\n".join(parts)


def on_descents(_: Language, surface: Surface, paths: list[Path]) -> list[str]:
    """One sentence for each path that the drawing does not show to its end."""
    sentences = []
    for path in paths:
        drawn = path.steps_on_map(surface)
        if path.diverged_at:
            sentences.append(
                _(
                    "{name} diverges at a learning rate of {rate}: it leaves the map at step {step} and does "
                    "not come back. Choose a smaller rate.",
                    name=path.optimiser.name,
                    rate=_.number(path.learning_rate),
                    step=drawn + 1,
                )
            )
        elif drawn < path.steps:
            sentences.append(
                _(
                    "{name} leaves the map at step {step}; its path is drawn up to there.",
                    name=path.optimiser.name,
                    step=drawn + 1,
                )
            )
    return sentences


def descent_table(_: Language, paths: list[Path]) -> str:
    """A row for each path: its rate, where it ended, how soon it had come close."""
    titles = (_("Optimiser"), _("Learning rate η"), _("Loss at the end"), _("Steps to 1/100 of the start"))
    rows = []
    for path in paths:
        reached = path.steps_to(0.01)
        end, soon = _.number(path.gaps[-1]), _("not in {steps} steps", steps=path.steps)
        if path.gaps[-1] < NEGLIGIBLE:
            end = _("under {limit}", limit=_.number(NEGLIGIBLE))
        if reached is not None:
            soon = _.number(reached)
        if path.diverged_at:
            end, soon = _("diverged"), "–"
        rows.append((_.text(path.optimiser.name), _.number(path.learning_rate), end, soon))
    note = _("The loss is measured from the lowest point of the landscape; it has no unit.")
    return f"{_table(titles, rows)}\n\n{note}"


def update_rules(_: Language, surface: Surface, paths: list[Path]) -> str:
    """The surface's formula, one step of each optimiser shown, and which forms were chosen."""
    parts = [f"**{_.text(surface.name)}** {surface.reference}{_display(surface.formula)}"]
    for rule in (path.optimiser for path in paths):
        parts.append(
            f"**{_.text(rule.name)}**: {_.text(rule.meaning)} {rule.reference}{_display(rule.formula)}"
        )
    parts.append(
        _(
            "g is the exact gradient, θ a weight, t the step from 1 on. The rules are those of Keras 3, "
            "number for number: the rate sits inside momentum's velocity, Nesterov is the look-ahead form, "
            "Adagrad's sum starts at 0.1, ε = 1e-7 stands inside the root for Adagrad and RMSprop and, as "
            "ε̂, outside for Adam. Real training takes g from one batch at a time, so its path is noisier."
        )
    )
    return "\n\n".join(parts)


def advice_table(_: Language) -> str:
    """A row for each setting: what to start with, and when to change it."""
    rows = [(f"**{_.text(row.setting)}**", _.text(row.start), _.text(row.change)) for row in ADVICE]
    return _table((_("Setting"), _("Start with"), _("Change it when")), rows)


def _display(*rows: str) -> str:
    """LaTeX as centred rows, a paragraph of its own; several short rows fit a phone where a long one does not."""
    return "\n\n$$\n\\begin{gathered}\n" + " \\\\[4pt]\n".join(rows) + "\n\\end{gathered}\n$$"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; no cell may hold a vertical bar."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [titles, ["---"] * len(titles), *rows])
