"""What the compute page says one click away: formulas with their inputs, memory by part, sources."""

from collections.abc import Sequence

from core.compute import (
    ApiEstimate,
    HourlyPrice,
    SelfHostEstimate,
    ServingEstimate,
    Step,
    TrainingEstimate,
    api_steps,
    experiment_factors,
    selfhost_steps,
    training_steps,
)
from core.i18n import Language
from pages.parts.shell import plain


def training_explained(estimate: TrainingEstimate, _: Language) -> str:
    """The formulas behind a training estimate, as markdown."""
    return _explained(training_steps(estimate), _)


def serving_explained(estimate: ServingEstimate, _: Language) -> str:
    """The formulas behind a serving estimate, as markdown."""
    steps: list[Step] = []
    if isinstance(estimate.api, ApiEstimate):
        steps += api_steps(estimate.plan, estimate.api)
    if isinstance(estimate.selfhost, SelfHostEstimate):
        steps += selfhost_steps(estimate.plan, estimate.selfhost)
    return _explained(steps, _)


def memory_table(estimate: TrainingEstimate, _: Language) -> str:
    """Memory on one accelerator by part, with a full copy and sharded, as a markdown table."""
    whole, sharded = estimate.fit.whole, estimate.fit.sharded
    rows = [
        (_("Weights"), whole.weights, sharded.weights),
        (_("Gradients"), whole.gradients, sharded.gradients),
        (_("Optimiser states"), whole.optimiser, sharded.optimiser),
        (_("Activations"), whole.activations, sharded.activations),
        (_("Gathered layers"), whole.working, sharded.working),
        (f"**{_('Sum')}**", whole.total, sharded.total),
    ]
    lines = [
        f"| {_('GB per accelerator')} | {_('Full copy')} | {_('Sharded')} |",
        "|---|---:|---:|",
        *(f"| {name} | {_.number(a / 1e9)} | {_.number(b / 1e9)} |" for name, a, b in rows),
    ]
    note = _(
        "Adam in mixed precision, activations computed again; {usable} GB of an accelerator are usable.",
        usable=_.number(estimate.fit.usable / 1e9),
    )
    return "\n".join(lines) + "\n\n" + plain(note)


def training_sources(estimate: TrainingEstimate, _: Language) -> str:
    """Where the figures of a training estimate come from, as a markdown list."""
    hardware, known = estimate.accelerator, estimate.calibration
    values = {
        "mfu": _.percent(estimate.mfu.p50),
        "runs": known.runs,
        "family": _.text(hardware.family.label),
    }
    if known.own:
        utilisation = _(
            "MFU {mfu}, from {runs} published runs ({family}); the range is how far each developer's runs lay "
            "from what the others' predict.",
            **values,
        )
    else:
        utilisation = _(
            "MFU {mfu}. {runs} published runs ({family}) are too few, so the range is how far one class lay from "
            "what the other classes predict.",
            **values,
        )
    ratio = _(
        "{ratio} training tokens per parameter; a new model is best used at about 20 (Chinchilla).",
        ratio=_.number(estimate.tokens_per_parameter),
    )
    chosen = [factor for factor in experiment_factors() if factor.factor == estimate.plan.experiments]
    return _list(
        [
            _price_source(estimate.price, _),
            utilisation,
            _("Peak and memory: {source}", source=hardware.source),
            *(f"×{factor.factor:g}: {factor.source}" for factor in chosen),
            _("Power: {source}", source=hardware.family.power_source),
            ratio,
        ]
    )


def serving_sources(estimate: ServingEstimate, _: Language) -> str:
    """Where the figures of a serving estimate come from, as a markdown list."""
    lines = []
    page = ""
    api, own = estimate.api, estimate.selfhost
    if isinstance(api, ApiEstimate):
        price = api.price
        page = (
            f"\n- [{plain(_('The price page of {provider}', provider=price.provider_name))}]({price.url})"
            if price.url
            else ""
        )
        lines.append(
            _(
                "{model}: ${input} fresh, ${cached} cached, ${output} output per million tokens on {day}.",
                model=price.model_name,
                input=_.number(price.input),
                cached=_.number(price.cached),
                output=_.number(price.output),
                day=_.moment(price.on),
            )
        )
        lines.append(
            _(
                "Price list genai-prices {version}; its newest price has been in force since {day}.",
                version=api.list.version,
                day=_.moment(api.list.newest),
            )
        )
    if isinstance(own, SelfHostEstimate):
        lines.append(_price_source(own.price, _))
        lines.append(_("Shape of the model: {source}", source=own.model.source))
        lines.append(
            _(
                "Throughput: a roofline fitted on published TensorRT-LLM runs; the range is how far each model lay "
                "from what the others predict."
            )
        )
    return _list(lines) + page


def _price_source(price: HourlyPrice, _: Language) -> str:
    usd = _.number(price.usd)
    if price.typed:
        return _("Price: ${price} per accelerator-hour, typed by you.", price=usd)
    return _(
        "Price: ${price} per accelerator-hour, as of {date}: {source}",
        price=usd,
        date=price.date or "–",
        source=price.source,
    )


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {plain(line)}" for line in lines)


def _explained(steps: Sequence[Step], _: Language) -> str:
    blocks = []
    for step in steps:
        given = "\n".join(
            f"- ${item.symbol}$ {plain(_.text(item.label))}: {plain(_.number(item.value, item.unit, 4))}"
            for item in step.given
        )
        result = plain(_.number(step.result, step.unit, 4))
        blocks.append(f"**{plain(_.text(step.label))}: {result}**\n\n$${step.formula}$$\n\n{given}")
    return "\n\n".join(blocks)
