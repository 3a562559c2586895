"""What the compute page says one click away: formulas with their inputs, memory by part, prices, sources."""

from collections.abc import Callable, Sequence

from core.compute import (
    STALE_DAYS,
    TIER_LABELS,
    ApiEstimate,
    Band,
    FinetuneEstimate,
    HourlyPrice,
    PriceRow,
    SelfHostEstimate,
    ServingEstimate,
    Standing,
    Step,
    TrainingEstimate,
    api_steps,
    experiment_factors,
    selfhost_steps,
)
from core.i18n import Language, Text
from pages.parts.compute_link import today
from pages.parts.shell import plain

Money = Callable[[float], str]

Table = tuple[list[str], list[list[str]]]
"""The head of a table and its rows, in markdown."""


def serving_explained(estimate: ServingEstimate, _: Language) -> str:
    """The formulas behind a serving estimate, as markdown."""
    steps: list[Step] = []
    if isinstance(estimate.api, ApiEstimate):
        steps += api_steps(estimate.plan, estimate.api)
    if isinstance(estimate.selfhost, SelfHostEstimate):
        steps += selfhost_steps(estimate.plan, estimate.selfhost)
    return explained(steps, _)


def explained(steps: Sequence[Step], _: Language) -> str:
    """Each number with its formula and what went in, as markdown."""
    blocks = []
    for step in steps:
        given = "\n".join(
            f"- ${item.symbol}$ {plain(_.text(item.label))}: {plain(_.number(item.value, item.unit, 4))}"
            for item in step.given
        )
        result = plain(_.number(step.result, step.unit, 4))
        blocks.append(f"**{plain(_.text(step.label))}: {result}**\n\n$${step.formula}$$\n\n{given}")
    return "\n\n".join(blocks)


def memory_table(estimate: TrainingEstimate, _: Language) -> str:
    """Memory on one accelerator by part, and how the run is split, as markdown."""
    fit, memory = estimate.fit, estimate.fit.memory
    rows = [
        (_("Weights"), memory.weights),
        (_("Gradients"), memory.gradients),
        (_("Optimiser states"), memory.optimiser),
        (_("Activations"), memory.activations),
        (_("Logits"), memory.logits),
        (_("Gathered layers"), memory.working),
    ]
    split = fit.split
    how = _(
        "ZeRO stage {stage}, tensor {tensor} × pipeline {pipeline}, activations {kept}. {usable} GB of an "
        "accelerator are usable.",
        stage=split.stage,
        tensor=split.tensor,
        pipeline=split.pipeline,
        kept=_("kept") if split.recompute == "none" else _("computed again"),
        usable=_.number(fit.usable / 1e9),
    )
    chosen = _("This split was chosen: the fastest that fits.") if fit.chosen else ""
    return _parts(rows, memory.total, _) + "\n\n" + plain(f"{how} {chosen}".strip())


def finetune_memory_table(estimate: FinetuneEstimate, _: Language) -> str:
    """Memory on one accelerator by part, as markdown."""
    held = estimate.memory
    rows = [
        (_("Weights"), held.weights),
        (_("Trained part with its optimiser"), held.trained),
        (_("Activations"), held.activations),
        (_("Logits"), held.logits),
        (_("Driver and buffers"), held.context),
    ]
    note = _(
        "{trained}M of {all}B parameters are trained; {usable} GB of an accelerator are usable. Within a quarter "
        "of 42 measured LoRA and QLoRA runs of Qwen.",
        trained=_.number(estimate.trained_parameters / 1e6),
        all=_.number(estimate.model.parameters / 1e9),
        usable=_.number(estimate.usable / 1e9),
    )
    return _parts(rows, held.total, _) + "\n\n" + plain(note)


def price_table(found: Sequence[tuple[PriceRow, Band]], money: Money, _: Language) -> Table:
    """The same work at every price."""
    head = [_("Provider"), _("How it is bought"), _("USD per hour"), _("Cost with experiments"), _("As of")]
    return head, [
        [
            plain(row.provider) or _("market"),
            _.text(TIER_LABELS[row.tier]) + (" †" if row.derived else ""),
            _.number(row.typical),
            plain(money(band.p50)),
            plain(row.date or "–") + (" ⚠" if row.stale(today()) else ""),
        ]
        for row, band in found
    ]


def price_notes(_: Language) -> str:
    """What the signs in a table of prices mean."""
    notes = [
        _("⚠ is older than {days} days, or undated.", days=STALE_DAYS),
        _("† is the on-demand price times the usual discount of those who publish both."),
    ]
    return "  \n".join(notes)


def stale_warning(price: HourlyPrice, _: Language) -> str | None:
    """A sentence where the price an estimate used is old; None where it is fresh or typed."""
    if price.row is None or not price.row.stale(today()):
        return None
    return _(
        "The price of {usd} USD per hour is as of {date}, older than {days} days. Set your own on the prices tab.",
        usd=_.number(price.usd),
        date=price.date or "–",
        days=STALE_DAYS,
    )


def law_words(standings: Sequence[Standing], _: Language) -> str:
    """What each line of the law means for the plan, as markdown."""
    lines = []
    for standing in standings:
        line = standing.threshold
        verdict = (
            _("above the line, {times} times", times=_.number(standing.share))
            if standing.crossed
            else _("below, at {share} of the line", share=_.percent(standing.share, 2))
        )
        lines.append(
            f"- **{plain(_.text(line.label))}** ({plain(_.number(line.flop))} FLOP): {plain(verdict)}. "
            + plain(_.text(line.meaning))
            + " "
            + plain(
                _(
                    "Since {since}; source: {source}; checked {checked}.",
                    since=line.since,
                    source=line.source,
                    checked=line.checked,
                )
            )
        )
    return "\n".join(lines) + "\n\n**" + _("This is not legal advice.") + "**"


def training_sources(estimate: TrainingEstimate, _: Language) -> str:
    """Where the figures of a training estimate come from, as a markdown list."""
    hardware, known = estimate.accelerator, estimate.calibration
    values = {
        "mfu": _.percent(estimate.mfu.p50),
        "runs": known.runs,
        "family": _.text(hardware.family.label),
    }
    utilisation = (
        _(
            "MFU {mfu}, from six constants fitted on published runs, {runs} of them {family}; the range is how far "
            "each developer's runs lay from what the others' predict.",
            **values,
        )
        if known.own
        else _(
            "MFU {mfu}. No run on {family} is published; the range is wider by as much as classes of hardware differ.",
            **values,
        )
    )
    chosen = [factor for factor in experiment_factors() if factor.factor == estimate.plan.experiments]
    lines = [
        price_source(estimate.price, _),
        utilisation,
        _("Peak and memory: {source}", source=hardware.source),
        *(f"×{factor.factor:g}: {factor.source}" for factor in chosen),
        _("Power: {source}", source=hardware.family.power_source),
        _(
            "Grid of {country}: {grams} g CO₂e per kWh in {year}, by location; Ember and Energy Institute, as "
            "bundled by codecarbon 3.3.2.",
            country=_.text(estimate.grid.label),
            grams=_.number(estimate.grid.g_per_kwh),
            year=estimate.grid.year,
        ),
        _(
            "{ratio} training tokens per parameter; a new model is best used at about 20 (Chinchilla).",
            ratio=_.number(estimate.tokens_per_parameter),
        ),
    ]
    if estimate.shape.source:
        lines.append(_("Shape of the model: {source}", source=estimate.shape.source))
    return listed(lines)


def finetune_sources(estimate: FinetuneEstimate, _: Language) -> str:
    """Where the figures of a fine-tuning estimate come from, as a markdown list."""
    return listed(
        [
            price_source(estimate.price, _),
            _("Shape of the model: {source}", source=estimate.model.source),
            _(
                "Speed and memory: the profiling table of QwenLM/Qwen (1.8B to 72B on an A100), carried to other "
                "hardware by what whole training runs got out of it."
            ),
            _(
                "The middle is a steady hour ÷ 0.84, what whole runs reach of what their authors state; the upper "
                "end ÷ 0.64, what they reach of benchmarks."
            ),
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
                input=_.number(price.rates.input),
                cached=_.number(price.rates.cached),
                output=_.number(price.rates.output),
                day=_.moment(price.on),
            )
        )
        if price.batch:
            lines.append(
                _(
                    "Batches that may wait a day: ${input} fresh, ${output} output.",
                    input=_.number(price.batch.input),
                    output=_.number(price.batch.output),
                )
            )
        if price.by_length:
            lines.append(_("Long prompts cost more per token; this is the price at your length."))
        lines.append(
            _(
                "Price list genai-prices {version}; its newest price has been in force since {day}.",
                version=api.list.version,
                day=_.moment(api.list.newest),
            )
        )
    if isinstance(own, SelfHostEstimate):
        lines.append(price_source(own.price, _))
        lines.append(_("Shape of the model: {source}", source=own.model.source))
        lines.append(
            _(
                "Throughput: a roofline fitted on published TensorRT-LLM runs; the range is how far each model lay "
                "from what the others predict."
            )
        )
    return listed(lines) + page


def api_table(bills: Sequence[ApiEstimate], money: Money, _: Language) -> Table:
    """The cheapest bills of one request over the whole price list."""
    return [_("Model"), _("Provider"), _("A request"), _("A month")], [
        [
            plain(b.price.model_name),
            plain(b.price.provider_name),
            plain(money(b.per_request)),
            plain(money(b.per_month)),
        ]
        for b in bills
    ]


def price_source(price: HourlyPrice, _: Language) -> str:
    """Where a price comes from, as a sentence."""
    usd, row = _.number(price.usd), price.row
    if row is None:
        return _("Price: ${price} per accelerator-hour, typed by you.", price=usd)
    if row.edited and not row.source:
        return _("Price: ${price} per accelerator-hour, yours of {date}.", price=usd, date=price.date)
    if row.derived:
        return _(
            "Price: ${price} per accelerator-hour, the on-demand price of {date} times the usual discount: {source}",
            price=usd,
            date=price.date or "–",
            source=price.source,
        )
    return _(
        "Price: ${price} per accelerator-hour, as of {date}: {source}",
        price=usd,
        date=price.date or "–",
        source=price.source,
    )


def listed(lines: Sequence[str]) -> str:
    """Sentences as a markdown list."""
    return "\n".join(f"- {plain(line)}" for line in lines)


def named(label: Text, _: Language) -> str:
    """Data text, safe in markdown."""
    return plain(_.text(label))


def _parts(rows: Sequence[tuple[str, float]], total: float, _: Language) -> str:
    lines = [
        f"| {_('Part')} | {_('GB per accelerator')} |",
        "|---|---:|",
        *(f"| {name} | {_.number(size / 1e9)} |" for name, size in rows if size),
        f"| **{_('Sum')}** | **{_.number(total / 1e9)}** |",
    ]
    return "\n".join(lines)
