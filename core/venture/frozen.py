"""The ground of every part of the document: immutable, strict, nothing unknown, no NaN."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, StringConstraints, ValidationError

from core.i18n import Refusal, Text

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name that a formula can use."""

Short = Annotated[str, StringConstraints(max_length=200)]
Long = Annotated[str, StringConstraints(max_length=4000)]

_Part = TypeVar("_Part")
Parts = Annotated[tuple[_Part, ...], FailFast()]
"""A list of parts. Reading stops at the first that is wrong: a hostile file may hold a million."""


class Frozen(BaseModel):
    """Base of the document's parts. A value that exists is valid; a change makes a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn pydantic's error into the one sentence of :func:`refusal_of`."""
    try:
        yield
    except ValidationError as error:
        raise refusal_of(error) from None


def refusal_of(error: ValidationError) -> Refusal:
    """The first thing wrong, as a sentence that names its place ("drivers, 3, amount, low")."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part)[:60] for part in first["loc"])
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, Refusal):
        return Refusal("{place}: {error}", place=place, error=inner) if place else inner
    value = _short(first["input"])
    kind = first["type"]
    if kind == "missing":
        return Refusal("{place} is missing.", place=place)
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Refusal("{place} is not known here.", place=place)
    if kind == "finite_number":
        return Refusal("{place} is {value}; a finite number is needed.", place=place, value=value)
    if kind in ("literal_error", "enum"):
        return Refusal(
            "{place} is {value}; allowed: {allowed}.",
            place=place,
            value=value,
            allowed=first["ctx"]["expected"].replace(" or ", ", "),
        )
    if kind == "too_long":
        most = first["ctx"]["max_length"]
        return Refusal("{place} has too many entries; at most {most} are allowed.", place=place, most=most)
    if kind in ("string_too_long", "string_pattern_mismatch"):
        return Refusal(
            "{place} is {value}, which is too long or has other characters than a name may have.",
            place=place,
            value=value,
        )
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        bound = next(iter(first["ctx"].values()))
        if kind == "greater_than":
            return Refusal(
                "{place} is {value}; it must be above {least}.", place=place, value=value, least=bound
            )
        if kind == "less_than":
            return Refusal(
                "{place} is {value}; it must be below {most}.", place=place, value=value, most=bound
            )
        if kind == "greater_than_equal":
            return Refusal(
                "{place} is {value}; at least {least} is allowed.", place=place, value=value, least=bound
            )
        return Refusal("{place} is {value}; at most {most} is allowed.", place=place, value=value, most=bound)
    return Refusal(
        "{place} is {value}; {wanted} is needed.", place=place, value=value, wanted=_WANTED.get(kind, _OTHER)
    )


_OTHER = Text("something else", "其他内容")
_NUMBER = Text("a number", "数字")
_WHOLE = Text("a whole number", "整数")
_LIST = Text("a list", "列表")
_OBJECT = Text("an object", "对象")
_DATE = Text("a date such as 2026-06-01", "日期(如 2026-06-01)")
_WANTED = {
    "float_type": _NUMBER,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "string_type": Text("a text", "文本"),
    "string_unicode": Text("a text", "文本"),
    "bool_type": Text("true or false", "true 或 false"),
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
