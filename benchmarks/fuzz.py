"""Ten thousand bad inputs: ``python -m benchmarks.fuzz [--count 10000] [--seed 1]``.

Half are formulas of the plan with pieces cut out, doubled, swapped or put in, each as an own line of a
venture; a quarter are things typed into a driver; a quarter are venture files with a value changed
somewhere. Each is accepted, and then the plan is projected, or refused in one sentence. Anything else (another
exception, a number that is not finite, more than a second) ends the benchmark with exit status 1.
"""

import argparse
import json
import math
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from core.finance import model_of, project
from core.i18n import Refusal, Text, language
from core.venture import Line, Venture, archetypes, example, from_json, to_json

LONGEST_S = 1.0
PIECES = (
    *[
        "0",
        "1",
        "2.5",
        "1e300",
        "-1",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "**",
        "<",
        ">",
        "==",
        "!=",
        "<=",
        "prev(",
        "cumulative(",
        "where(",
        "min(",
        "max(",
        "month",
        "if",
        "else",
        "not",
        "and",
        "or",
    ],
    *[
        "lambda",
        "__import__",
        "()",
        "[",
        "]",
        "{",
        "}",
        ".",
        ":",
        "=",
        ";",
        '"',
        "'",
        "#",
        "%",
        "@",
        "~",
        "^",
        "é",
        "，",
        "\x00",
        "\n",
        "1j",
        "0x1",
        "nan",
        "inf",
        "True",
        "None",
        "exit()",
        "open('x')",
    ],
)
TYPED = (
    "",
    "20",
    "15 to 25",
    "25 to 15",
    "-1",
    "1e999",
    "nan",
    "inf to 3",
    "1,000",
    "１２",
    "1 bis 2",
    "0 to 0",
    "x" * 500,
)
VALUES: tuple[Any, ...] = (None, True, -1, 0, 1e308, "", "x", "1" * 400, [], {}, [[[[]]]], {"en": 1}, 10**400)


def main() -> None:
    """Try them all, and print what became of them."""
    parser = argparse.ArgumentParser(description="Bad inputs, each accepted or refused in a sentence.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    warnings.simplefilter("ignore", SyntaxWarning)  # Python's own, of texts such as 1if
    ventures = [example(key) for key in archetypes()]
    kinds: tuple[Callable[[Venture, random.Random], Venture], ...] = (_formula, _formula, _driver, _file)
    became: Counter[str] = Counter()
    slowest, wrong = 0.0, 0
    for number in range(given.count):
        kind = kinds[number % len(kinds)]
        venture = chance.choice(ventures)
        began = time.perf_counter()
        try:
            found = "accepted" if _is_finite(kind(venture, chance)) else "not finite"
        except Refusal as refusal:
            said = [language(code).refusal(refusal) for code in ("en", "zh_Hans")]
            found = "refused" if all(said) else "refused without words"
        except Exception as error:
            found = f"{type(error).__name__}: {error}"[:100]
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if found not in ("accepted", "refused") or took > LONGEST_S:
            wrong += 1
            print(f"{kind.__name__[1:]} {number}: {found}, {took:.2f} s")
        became[f"{kind.__name__[1:]} {found}"] += 1
    for name, count in sorted(became.items()):
        print(f"{count:6,} × {name}")
    print(f"slowest {1e3 * slowest:.0f} ms, {wrong} wrong of {given.count:,}")
    sys.exit(1 if wrong else 0)


def _is_finite(venture: Venture) -> bool:
    lines = project(venture).lines
    return all(bool(np.all(np.isfinite(values))) for values in lines.values())


def _formula(venture: Venture, chance: random.Random) -> Venture:
    lines = model_of(venture).lines
    line = lines[chance.choice(list(lines))]
    text = line.formula
    for _ in range(chance.randint(0, 3)):
        start = chance.randint(0, len(text))
        stop = min(len(text), start + chance.randint(0, 12))
        text = text[:start] + chance.choice((*PIECES, text[start:stop] * 2, "")) + text[stop:]
    unit = line.unit if chance.random() < 0.8 else chance.choice(("1", "money"))
    new = Line(key="own_fuzz", section="own", label=Text("Own"), unit=unit, formula=text)
    return venture.with_lines((*venture.lines, new))


def _driver(venture: Venture, chance: random.Random) -> Venture:
    driver = chance.choice(venture.drivers)
    text = chance.choice(TYPED)
    if chance.random() < 0.5:
        text = f"{chance.choice((-1, 1)) * math.exp(chance.uniform(-40, 40)):g} to {math.exp(chance.uniform(-40, 40)):g}"
    return venture.with_driver(driver.key, driver.parse(text))


def _file(venture: Venture, chance: random.Random) -> Venture:
    document = json.loads(to_json(venture))
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = chance.choice(keys)
        inner = place[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            place = inner
            continue
        place[key] = chance.choice(VALUES)
        return from_json(json.dumps(document))


if __name__ == "__main__":
    main()
