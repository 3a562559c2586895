"""Accelerators: what they can do and what they draw.

Peaks are the **dense** tensor figures (H100 SXM 989 TFLOP/s, not the sparse 1,979 of the datasheet).
What they rent for is :mod:`core.compute.prices`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, cast, get_args

from core.compute.tables import Row, maybe, table
from core.i18n import Refusal, Text

Precision = Literal["bf16", "fp8", "fp4", "int4"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""bf16 stands for 16 bits (fp16 on cards that know no bf16); int4 keeps weights in 4 bits, computes in 16."""

Trust = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Family:
    """A class of accelerators that are used alike.

    Electric power per accelerator, with its share of the server, is
    TDP × ``power_utilisation`` × ``server_overhead``; None where nobody has published it.
    """

    key: str
    label: Text
    power_utilisation: float | None
    server_overhead: float | None
    power_source: str


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator. TFLOP/s are dense, memory in GB (1e9 bytes), bandwidth in GB/s, power in W.

    ``chips`` are the names of what it is built on, which several makes may share: H100 SXM, H100 PCIe.
    """

    name: str
    chips: tuple[str, ...]
    aliases: tuple[str, ...]
    vendor: str
    year: int
    family: Family
    tflops_16bit: float
    tflops_fp8: float | None
    tflops_fp4: float | None
    memory_gb: float
    bandwidth_gb_s: float
    tdp_w: float | None
    measured_system_w: float | None
    source: str
    trust: Trust
    note: str

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The precisions it can serve in."""
        known: list[Precision] = ["bf16"]
        if self.tflops_fp8:
            known.append("fp8")
        if self.tflops_fp4:
            known.append("fp4")
        return (*known, "int4")

    def peak(self, precision: str) -> float:
        """Dense peak in FLOP/s at ``precision``; a Refusal for one the hardware does not have."""
        tflops = {
            "bf16": self.tflops_16bit,
            "int4": self.tflops_16bit,
            "fp8": self.tflops_fp8,
            "fp4": self.tflops_fp4,
        }.get(precision)
        if tflops is None:
            raise Refusal(
                "The precision is {value}; {accelerator} allows {allowed}.",
                value=str(precision)[:20],
                accelerator=self.name,
                allowed=", ".join(self.precisions),
            )
        return tflops * 1e12

    @property
    def watts(self) -> float | None:
        """Mean electric power in W with its share of the server; None where no figure is published."""
        if self.measured_system_w is not None:
            return self.measured_system_w
        use, overhead = self.family.power_utilisation, self.family.server_overhead
        if self.tdp_w is None or use is None or overhead is None:
            return None
        return self.tdp_w * use * overhead


@lru_cache(maxsize=1)
def accelerators() -> Mapping[str, Accelerator]:
    """Every accelerator by name, in the order of the table (by vendor and year)."""
    families = {row["family"]: _family(row) for row in table("families")}
    return MappingProxyType({row["name"]: _accelerator(row, families) for row in table("accelerators")})


def accelerator(name: str) -> Accelerator:
    """The accelerator of that name; a Refusal that names the closest ones if there is none."""
    known = accelerators()
    if not isinstance(name, str) or name not in known:
        near = get_close_matches(str(name)[:60], list(known), n=3, cutoff=0.3) or list(known)[:3]
        raise Refusal(
            "There is no accelerator “{value}” in the table; did you mean {near}?",
            value=str(name)[:60],
            near=", ".join(near),
        )
    return known[name]


def _family(row: Row) -> Family:
    return Family(
        key=row["family"],
        label=Text(row["label_en"], row["label_zh"]),
        power_utilisation=maybe(row["power_utilisation"]),
        server_overhead=maybe(row["server_overhead"]),
        power_source=row["power_source"],
    )


def _accelerator(row: Row, families: dict[str, Family]) -> Accelerator:
    return Accelerator(
        name=row["name"],
        chips=tuple(row["chips"].split(";")),
        aliases=tuple(name for name in row["aliases"].split(";") if name),
        vendor=row["vendor"],
        year=int(row["year"]),
        family=families[row["family"]],
        tflops_16bit=float(row["tflops_16bit"]),
        tflops_fp8=maybe(row["tflops_fp8"]),
        tflops_fp4=maybe(row["tflops_fp4"]),
        memory_gb=float(row["memory_gb"]),
        bandwidth_gb_s=float(row["bandwidth_gb_s"]),
        tdp_w=maybe(row["tdp_w"]),
        measured_system_w=maybe(row["measured_system_w"]),
        source=row["spec_source"],
        trust=cast(Trust, row["spec_confidence"]),
        note=row["note"],
    )
