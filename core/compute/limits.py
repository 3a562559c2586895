"""What an input may be. A value outside is refused in one sentence; NaN and infinity are outside."""

import math

from core.i18n import Refusal, Text


def within(value: object, field: Text, least: float, most: float) -> float:
    """``value`` as a float if it is a number from ``least`` to ``most``; else a Refusal."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refusal("{field} is {value}; a number is needed.", field=field, value=repr(value)[:40])
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not least <= number <= most:
        raise Refusal(
            "{field} is {value}; {least} to {most} is allowed.",
            field=field,
            value=f"{number:.6g}",
            least=f"{least:.6g}",
            most=f"{most:.6g}",
        )
    return number


def whole_within(value: object, field: Text, least: int, most: int) -> int:
    """``value`` as an int if it is a whole number from ``least`` to ``most``; else a Refusal."""
    number = within(value, field, least, most)
    if number != int(number):
        raise Refusal("{field} is {value}; a whole number is needed.", field=field, value=f"{number:.6g}")
    return int(number)


def one_of(value: object, field: Text, allowed: tuple[str, ...]) -> str:
    """``value`` if it is one of ``allowed``; else a Refusal."""
    if not isinstance(value, str) or value not in allowed:
        raise Refusal(
            "{field} is {value}; allowed: {allowed}.",
            field=field,
            value=str(value)[:40],
            allowed=", ".join(allowed),
        )
    return value
