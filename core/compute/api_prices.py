"""What a provider's API asks, from the price list of ``genai-prices`` that is installed: no network.

A price depends on the day (providers announce changes ahead), and for some models on the length of
the prompt and the hour. It is asked for at noon UTC of a given day and at a given prompt length, so
the same question has the same answer. Charges for writing a provider's prompt cache are left out:
who pays them differs by provider, and they fade as an entry is read again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from genai_prices import Usage, data_snapshot
from genai_prices.types import ModelInfo, Provider, StartDateConstraint

from core.compute.tables import table
from core.i18n import Refusal


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """USD per million tokens of fresh input, cached input and output, at one prompt length and day.

    ``caches`` is false where the provider has no price for cached input; it then costs what fresh
    input costs. ``by_length`` says that longer prompts cost more per token; ``context`` is the most tokens
    that a call may hold, None where the list does not say.
    """

    provider: str
    provider_name: str
    model: str
    model_name: str
    input: float
    cached: float
    output: float
    caches: bool
    by_length: bool
    context: int | None
    url: str
    on: date


@dataclass(frozen=True, slots=True)
class PriceList:
    """The installed list: its version, and the day of the newest price that is in force."""

    version: str
    newest: date


@lru_cache(maxsize=1)
def api_models() -> tuple[tuple[str, str], ...]:
    """(provider, model) of the models that are offered to choose from."""
    return tuple((row["provider"], row["model"]) for row in table("api_models"))


@lru_cache(maxsize=64)
def price_list(on: date) -> PriceList:
    """What list is installed, as of the day ``on``."""
    starts = [
        condition.constraint.start_date
        for provider in data_snapshot.get_snapshot().providers
        for model in provider.models
        if isinstance(model.prices, list)
        for condition in model.prices
        if isinstance(condition.constraint, StartDateConstraint) and condition.constraint.start_date <= on
    ]
    return PriceList(version("genai-prices"), max(starts, default=on))


@lru_cache(maxsize=1024)
def api_price(provider: str, model: str, on: date, input_tokens: float) -> ApiPrice:
    """The price of ``model`` at ``provider`` on a day, for prompts of ``input_tokens`` tokens.

    A Refusal for a model that is not in the list or has no price per token.
    """
    house, known = _find(provider, model)
    prices = known.get_prices(datetime.combine(on, time(12), UTC))
    if not prices.input_mtok or not prices.output_mtok:
        raise Refusal(
            "The price list has no price per token for “{model}” of “{provider}”.",
            model=model[:80],
            provider=provider[:40],
        )
    prompt = max(1.0, input_tokens)
    read = prices.calc_price(Usage(input_tokens=prompt))["input_price"]
    reread = prices.calc_price(Usage(input_tokens=prompt, cache_read_tokens=prompt))["input_price"]
    written = prices.calc_price(Usage(input_tokens=prompt, output_tokens=prompt))["output_price"]
    fresh, cached, output = (float(usd / Decimal(prompt) * 10**6) for usd in (read, reread, written))
    return ApiPrice(
        provider=house.id,
        provider_name=house.name,
        model=known.id,
        model_name=known.name or known.id,
        input=fresh,
        cached=cached,
        output=output,
        caches=prices.cache_read_mtok is not None,
        by_length=not isinstance(prices.input_mtok, Decimal),
        context=known.context_window,
        url=(house.pricing_urls or [""])[0],
        on=on,
    )


def api_model_name(provider: str, model: str) -> str:
    """The name of the model and, behind it, the provider's; a Refusal where the list has neither."""
    house, known = _find(provider, model)
    return f"{known.name or known.id} · {house.name}"


def _find(provider: str, model: str) -> tuple[Provider, ModelInfo]:
    try:
        return data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        raise Refusal(
            "The price list has no model “{model}” of “{provider}”.", model=model[:80], provider=provider[:40]
        ) from None
