"""What a provider's API asks, from the price list of ``genai-prices`` that is installed: no network.

The whole list: every model of every provider that has a price per token, with its price for long
prompts, for cached input and for batches that may wait a day. A price depends on the day (providers
announce changes ahead), and for some models on the length of the prompt and the hour. It is asked for
at noon UTC of a given day and at a given prompt length, so the same question has the same answer.
Charges for writing a provider's prompt cache are left out: who pays them differs by provider, and they
fade as an entry is read again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from genai_prices import data_snapshot
from genai_prices.types import ModelInfo, Provider, StartDateConstraint, TieredPrices

from core.compute.tables import table
from core.i18n import Refusal

_BATCH = {"processing": "batch"}


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens of fresh input, cached input and output, and per request (Perplexity)."""

    input: float
    cached: float
    output: float
    request: float = 0.0

    def bill(self, fresh: float, cached: float, output: float) -> float:
        """USD of one call with so many tokens of each kind."""
        return (fresh * self.input + cached * self.cached + output * self.output) / 1e6 + self.request


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """The rates of a model at one prompt length and day, and of its batches (None: not offered).

    ``caches`` is false where the provider has no price for cached input; it then costs what fresh
    input costs. ``by_length`` says that longer prompts cost more per token; ``context`` is the most
    tokens that a call may hold, None where the list does not say.
    """

    provider: str
    provider_name: str
    model: str
    model_name: str
    rates: Rates
    batch: Rates | None
    caches: bool
    by_length: bool
    context: int | None
    deprecated: bool
    url: str
    on: date


@dataclass(frozen=True, slots=True)
class PriceList:
    """The installed list: its version, and the day of the newest price that is in force."""

    version: str
    newest: date


@lru_cache(maxsize=1)
def api_models() -> tuple[tuple[str, str], ...]:
    """(provider, model) of the models that are offered first; :func:`api_catalogue` has them all."""
    return tuple((row["provider"], row["model"]) for row in table("api_models"))


@lru_cache(maxsize=8)
def api_catalogue(on: date, input_tokens: float) -> tuple[ApiPrice, ...]:
    """Every model with a price per token on a day, for prompts of ``input_tokens``, in list order."""
    return tuple(
        price
        for house in data_snapshot.get_snapshot().providers
        for known in house.models
        if (price := _price(house, known, on, input_tokens)) is not None
    )


@lru_cache(maxsize=1)
def api_providers() -> dict[str, str]:
    """Key and name of every provider that has a model with a price per token."""
    noon = datetime.now(UTC)
    return {
        house.id: house.name
        for house in data_snapshot.get_snapshot().providers
        if any(_has_token_prices(known.get_prices(noon)) for known in house.models)
    }


@lru_cache(maxsize=64)
def models_of(provider: str, on: date) -> dict[str, str]:
    """Key and name of the models of a provider with a price per token, those in use first."""
    noon = datetime.combine(on, time(12), UTC)
    houses = [house for house in data_snapshot.get_snapshot().providers if house.id == provider]
    known = [m for house in houses for m in house.models if _has_token_prices(m.get_prices(noon))]
    return {m.id: m.name or m.id for m in sorted(known, key=lambda m: bool(m.deprecated))}


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
    price = _price(house, known, on, input_tokens)
    if price is None:
        raise Refusal(
            "The price list has no price per token for “{model}” of “{provider}”.",
            model=model[:80],
            provider=provider[:40],
        )
    return price


def api_model_name(provider: str, model: str) -> str:
    """The name of the model and, behind it, the provider's; a Refusal where the list has neither."""
    house, known = _find(provider, model)
    return f"{known.name or known.id} · {house.name}"


def _price(house: Provider, known: ModelInfo, on: date, input_tokens: float) -> ApiPrice | None:
    noon = datetime.combine(on, time(12), UTC)
    prices = known.get_prices(noon)
    if not _has_token_prices(prices):
        return None
    batch = known.get_prices(noon, _BATCH) if _has_batch(known, noon) else None
    return ApiPrice(
        provider=house.id,
        provider_name=house.name,
        model=known.id,
        model_name=known.name or known.id,
        rates=_rates(prices, input_tokens),
        batch=_rates(batch, input_tokens) if batch is not None else None,
        caches=getattr(prices, "cache_read_mtok", None) is not None,
        by_length=isinstance(prices.input_mtok, TieredPrices),
        context=known.context_window,
        deprecated=bool(known.deprecated),
        url=(house.pricing_urls or [""])[0],
        on=on,
    )


def _rates(prices: Any, input_tokens: float) -> Rates:
    fresh = _rate(prices.input_mtok, input_tokens)
    reread = getattr(prices, "cache_read_mtok", None)
    return Rates(
        input=fresh,
        cached=fresh if reread is None else _rate(reread, input_tokens),
        output=_rate(prices.output_mtok, input_tokens),
        request=float(getattr(prices, "requests_kcount", None) or 0) / 1000,
    )


def _rate(price: Decimal | TieredPrices, input_tokens: float) -> float:
    """USD per million at a prompt length: a tier's price holds for the whole prompt once it starts."""
    if not isinstance(price, TieredPrices):
        return float(price)
    reached = [tier for tier in price.tiers if input_tokens > tier.start]
    return float(max(reached, key=lambda tier: tier.start).price if reached else price.base)


@lru_cache(maxsize=1)
def _by_key() -> dict[tuple[str, str], tuple[Provider, ModelInfo]]:
    providers = data_snapshot.get_snapshot().providers
    return {(house.id, known.id): (house, known) for house in providers for known in house.models}


def _has_token_prices(prices: Any) -> bool:
    return bool(getattr(prices, "input_mtok", None)) and bool(getattr(prices, "output_mtok", None))


def _has_batch(known: ModelInfo, noon: datetime) -> bool:
    return any(
        variant.when == _BATCH and (variant.constraint is None or variant.constraint.active(noon))
        for variant in known.price_variants or ()
    )


def _find(provider: str, model: str) -> tuple[Provider, ModelInfo]:
    """By its key in the list, or by any name that an API call may give it."""
    if (provider, model) in _by_key():
        return _by_key()[provider, model]
    try:
        return data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        raise Refusal(
            "The price list has no model “{model}” of “{provider}”.", model=model[:80], provider=provider[:40]
        ) from None
