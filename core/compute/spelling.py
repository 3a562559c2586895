"""How people write what a record holds: numbers, accelerators, precisions.

Published tables spell one thing in many ways: "NVIDIA H100 80GB HBM3", "H100-SXM5-80GB" and "8xH100"
are one accelerator, "15.6T", "1.56e13" and "15,600,000,000,000" one number, "FP8 (E4M3)" and "w8a8" one
width of the weights. Each function here reads one of them and refuses what it cannot read.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from core.compute.hardware import Accelerator, Precision, accelerator, accelerators
from core.i18n import Refusal

_UNSAID = frozenset(
    ("", "-", "–", "—", "?", "n/a", "na", "none", "null", "nan", "unknown", "undisclosed", "tbd")
)

_NUMBER = re.compile(
    r"[~≈]?\s*(?P<digits>[+-]?(?:\d{1,3}(?:[, _]\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?)"
    r"(?:\s*[x×*]\s*10\s*(?:\^|\*\*)\s*(?P<power>[+-]?\d+))?"
    r"\s*(?P<scale>k|m|b|bn|t|thousand|million|billion|trillion)?"
    r"(?:\s+[a-z][a-z/ .-]*)?",
    re.IGNORECASE,
)
_SCALES = {"k": 1e3, "t": 1e12, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SCALES |= {"m": 1e6, "b": 1e9, "bn": 1e9}

_SMALLEST, _LARGEST = 1e-9, 1e30


def number(text: str, name: str) -> float | None:
    """The number that ``text`` writes; None where it says that there is none, or nought.

    Thousands may be grouped, a word of the scale ("37B", "2.788M") and of the unit may follow. A
    Refusal that names the column ``name`` for anything else, and for what nothing can measure.
    """
    said = text.strip()
    if said.lower() in _UNSAID:
        return None
    found = _NUMBER.fullmatch(said)
    try:
        value = float(re.sub(r"[, _]", "", found["digits"])) if found else float("nan")
        if found and found["power"]:
            value *= 10.0 ** int(found["power"])
    except (ValueError, OverflowError):
        value = float("nan")
    if found and found["scale"]:
        value *= _SCALES[found["scale"].lower()]
    if value != 0 and not _SMALLEST <= value <= _LARGEST:
        raise Refusal("{column} is {value}; a number is needed.", column=name, value=said[:40])
    return value or None


def batch(text: str) -> float | None:
    """The requests at once that a batch or concurrency names; None where it is as many as fit."""
    found = re.search(r"\d{1,3}(?:,\d{3})+|\d+", text)
    if found is None or re.search(r"max|inf|offline|rate|req|qps|rps|/s", text.lower()):
        return None
    return float(found[0].replace(",", "")) or None


def accelerator_called(name: str) -> Accelerator:
    """The accelerator that somebody calls ``name``; a Refusal that names the closest if there is none.

    Maker, server, count and words beside it do not matter; of the makes of one chip, the memory and
    the form that are named decide, else the usual one (SXM).
    """
    known = _called().get(_plain(name))
    return known or _by_chip(name) or accelerator(name.strip())


def accelerators_said(name: str) -> int | None:
    """How many accelerators the name itself counts ("8xA100", "GB200 NVL72"); None where it does not."""
    found = re.search(
        r"(?<![\w.])(\d[\d,]{0,6})\s*[x×*]|(?<![a-z])[x×*]\s?(\d{1,6})\b|nvl(\d+)", name.lower()
    )
    said = next((group for group in found.groups() if group), "") if found else ""
    return int(said.replace(",", "")) or None if said else None


def precision_of(text: str, hardware: Accelerator) -> tuple[Precision, Precision]:
    """The width of the weights and of the products: what ``text`` names first, as ``hardware`` does it.

    Hardware that has no products of 8 or 4 bits unpacks such weights and multiplies in 16.
    """
    said = text.lower()
    places = [(match.start(), width) for width, form in _WIDTHS.items() if (match := form.search(said))]
    if not places:
        if said.strip() in _UNSAID:
            raise Refusal("Its precision is not published.")
        raise Refusal("Its precision, {value}, is not one that is estimated.", value=text.strip()[:20])
    width = min(places)[1]
    if width == "fp4" and not hardware.tflops_fp4:
        width = "int4"
    return width, "bf16" if width == "fp8" and not hardware.tflops_fp8 else width


def in_8_bits(text: str, hardware: Accelerator) -> bool:
    """Whether a training run multiplied in 8 bits or fewer; not if 16 is named first ("bf16/mxfp4")."""
    try:
        return precision_of(text, hardware)[1] in ("fp8", "fp4")
    except Refusal:
        return False


_WIDTHS: Mapping[Precision, re.Pattern[str]] = {
    "int4": re.compile(r"w4a16|w4a8|u?int-?4|awq|gptq|nf4|bnb|q4|4-?bit"),
    "fp4": re.compile(r"(nv|mx)?fp-?4|w4a4|e2m1"),
    "fp8": re.compile(r"(mx)?fp-?8|w8a\d+|int-?8|e4m3|e5m2|q8|8-?bit"),
    "bf16": re.compile(r"bf-?16|bfloat|fp-?16|float16|half|w16a16|16-?bit|amp"),
}

# What a name says beside the chip: the form, and the memory.
_FORM = re.compile(r"sxm|pcie|nvl")
_MEMORY = re.compile(r"(?<!\d)(\d{2,3}) ?gi?b?(?![a-z])")
_BESIDE = r"(?=$| |sxm|pcie|nvl|hbm|x\d|\d{2,3} ?g)"


def _by_chip(name: str) -> Accelerator | None:
    said = re.sub(r"[^a-z0-9()]+", " ", name.lower().replace("×", "x"))
    said = re.sub(r"(?<![a-z0-9])\d+ ?x ?(?=[a-z])", "", said)
    outside, said = re.sub(r"\(.*?\)", " ", said), re.sub(r"[() ]+", " ", said)
    chips = _chips_in(outside) or _chips_in(said)
    if len({_makes()[chip][0].name for chip in chips}) > 1:
        raise Refusal("It ran on more than one kind of accelerator: {value}.", value=name.strip()[:60])
    if not chips:
        return None
    makes = _makes()[chips[0]]
    for chip in chips:
        said = _forms()[chip].sub(" ", said)
    form, size = _FORM.search(said), _MEMORY.search(said)
    known = [word for word in said.split() if word in {f"{make.memory_gb:.0f}" for make in makes}]
    memory = float(size[1]) if size else float(known[0]) if known else None

    def mismatch(make: Accelerator) -> tuple[float, bool]:
        away = abs(make.memory_gb - memory) if memory else 0.0
        return away, form is not None and form[0] not in make.name.lower()

    return min(makes, key=mismatch)


def _chips_in(said: str) -> list[str]:
    return [chip for chip, form in _forms().items() if form.search(said)]


@lru_cache(maxsize=1)
def _makes() -> Mapping[str, list[Accelerator]]:
    """The makes of each chip; the usual one, which answers to the chip's bare name, first."""
    found: dict[str, list[Accelerator]] = {}
    for make in accelerators().values():
        for chip in make.chips:
            row = found.setdefault(chip, [])
            row.insert(0 if chip in (make.name, *make.aliases) else len(row), make)
    return found


@lru_cache(maxsize=1)
def _forms() -> Mapping[str, re.Pattern[str]]:
    """What finds a chip among other words: its letters and digits, with or without spaces between."""
    return {
        chip: re.compile(r"(?<![a-z0-9])" + " ?".join(re.findall(r"[a-z]+|\d+", chip.lower())) + _BESIDE)
        for chip in _makes()
    }


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("nvidia "))


@lru_cache(maxsize=1)
def _called() -> Mapping[str, Accelerator]:
    return {_plain(name): a for a in accelerators().values() for name in (a.name, *a.aliases)}
