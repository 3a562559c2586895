"""Open language models by their shape: parameters, parameters at work per token, KV cache.

Everything is counted from the published configuration (``data/models.csv``), so that a shape that was
copied wrongly shows as a wrong parameter count. With width h, a heads, k key-value heads of size d,
feed-forward width f, E experts of width f_e of which t work per token (and u always), vocabulary V:

    attention     h·a·d + 2·h·k·d + a·d·h          (grouped-query)
    feed-forward  g·h·f,  or  (E + u)·g·h·f_e + h·E with experts; g = 3 where gated (SwiGLU), else 2
    embeddings    V·h in and V·h out (once where tied)
    KV cache      2·layers·k·d values per token

Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434) keeps one compressed vector and one rotary
key instead, layers·(r + d_rope) values per token. A layer with a sliding window keeps no more than
the window.

Records name models and often state nothing but their size; :func:`model_called` finds the model by any
of its names, and :func:`usual_shape` makes one of that size.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from core.compute.tables import Row, table, whole
from core.i18n import Refusal

BYTES_PER_WEIGHT: Mapping[str, float] = MappingProxyType({"bf16": 2.0, "fp8": 1.0, "fp4": 0.56, "int4": 0.56})
"""With the scales: 4-bit formats carry one 8-bit scale per 16 weights (NVFP4) or so."""


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """The ranks and sizes of multi-head latent attention."""

    q_rank: int
    kv_rank: int
    rope_dim: int
    value_dim: int


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The shape of a decoder-only transformer.

    ``offered`` is false for shapes kept only to calibrate. ``active_published`` is as published: some
    publishers count the input embedding, some do not.
    """

    name: str
    offered: bool
    publisher: str
    year: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    gated: bool
    experts: int
    experts_per_token: int
    shared_experts: int
    expert_intermediate: int
    dense_layers: int
    latent: LatentAttention | None
    window: int
    windowed_layers: int
    context: int
    parameters_published: float
    active_published: float
    aliases: tuple[str, ...]
    source: str

    @property
    def is_moe(self) -> bool:
        """Whether it is a mixture of experts."""
        return self.experts > 0

    @property
    def parameters(self) -> int:
        """All parameters."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        norms = (2 * self.layers + 1) * self.hidden
        return embeddings + norms + self.layers * self._attention + self._feed_forward(self.experts)

    @property
    def active_parameters(self) -> int:
        """Parameters that multiply something for each token: the input embedding is only looked up."""
        norms = (2 * self.layers + 1) * self.hidden
        output = self.vocabulary * self.hidden
        return output + norms + self.layers * self._attention + self._feed_forward(self.experts_per_token)

    @property
    def counted_parameters(self) -> int:
        """Parameters at work as 6ND counts them in papers, rules and records: all of a dense model, with the
        input embedding that is only looked up."""
        return self.active_parameters + (0 if self.tied else self.vocabulary * self.hidden)

    @property
    def routed_parameters(self) -> int:
        """Parameters in experts that are chosen per token; 0 in a dense model."""
        return self._moe_layers * self.experts * self._expert

    @property
    def attention_width(self) -> float:
        """Values that one token multiplies with each token before it, half for the score, half for the sum."""
        if self.latent:
            return self.heads * (self.head_dim + self.latent.rope_dim + self.latent.value_dim) / 2
        return self.heads * self.head_dim

    def attention_flop(self, sequence: float) -> float:
        """FLOP of causal attention per trained token of a sequence: 6 · layers · width · sequence.

        A layer with a window of w reaches back w tokens at most, 2 w − w² / s in place of s.
        """
        local = sequence if sequence <= self.window else 2 * self.window - self.window**2 / sequence
        layers = (self.layers - self.windowed_layers) * sequence + self.windowed_layers * local
        return 6 * self.attention_width * layers

    def kv_cache_values(self, tokens: float) -> float:
        """Values (not bytes) in the KV cache of one sequence of ``tokens`` tokens."""
        if self.latent:
            return self.layers * (self.latent.kv_rank + self.latent.rope_dim) * tokens
        per_layer = 2 * self.kv_heads * self.head_dim
        kept = min(tokens, self.window) if self.window else tokens
        return per_layer * ((self.layers - self.windowed_layers) * tokens + self.windowed_layers * kept)

    def kv_cache_bytes_per_token(self, bytes_per_value: float = 2.0) -> float:
        """Bytes that each token adds to the KV cache while no window is full."""
        return self.kv_cache_values(1) * bytes_per_value

    def weight_bytes(self, precision: str) -> float:
        """Bytes of all weights at a precision of :data:`BYTES_PER_WEIGHT`."""
        return self.parameters * BYTES_PER_WEIGHT[precision]

    @property
    def _moe_layers(self) -> int:
        return self.layers - self.dense_layers if self.is_moe else 0

    @property
    def _expert(self) -> int:
        return self._matrices * self.hidden * self.expert_intermediate

    @property
    def _matrices(self) -> int:
        return 3 if self.gated else 2

    @property
    def _attention(self) -> int:
        if self.latent is None:
            return self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        part = self.latent
        width = self.heads * (self.head_dim + part.rope_dim)
        query = (self.hidden + width) * part.q_rank if part.q_rank else self.hidden * width
        compressed = self.hidden * (part.kv_rank + part.rope_dim)
        expanded = part.kv_rank * self.heads * (self.head_dim + part.value_dim)
        return query + compressed + expanded + self.heads * part.value_dim * self.hidden

    def _feed_forward(self, experts_used: int) -> int:
        dense = (self.layers - self._moe_layers) * self._matrices * self.hidden * self.intermediate
        router = self.hidden * self.experts
        return dense + self._moe_layers * ((experts_used + self.shared_experts) * self._expert + router)


@lru_cache(maxsize=1)
def language_models() -> Mapping[str, LanguageModel]:
    """Every model by name, in the order of the table."""
    return MappingProxyType({row["name"]: _model(row) for row in table("models")})


def language_model(name: str) -> LanguageModel:
    """The model of that name; a Refusal that lists the names if there is none."""
    known = language_models()
    if not isinstance(name, str) or name not in known:
        raise Refusal(
            "There is no open model “{value}” here; there are {known}.",
            value=str(name)[:60],
            known=", ".join(name for name, model in known.items() if model.offered),
        )
    return known[name]


def model_called(name: str, parameters: float | None = None) -> LanguageModel | None:
    """The model that somebody calls ``name``; None where the table has none, or one of another size."""
    for said in (name, re.sub(r"\(.*?\)", "", name)):
        found = _names().get(_plain(said))
        if found and (parameters is None or 0.8 < found.parameters / parameters < 1.25):
            return found
    return None


def usual_shape(parameters: float, active: float | None = None) -> LanguageModel:
    """A decoder of ``parameters`` of which ``active`` work for each token, in the usual proportions.

    A usual dense shape has width = 128 × layers (Llama 7B and 13B 128, 70B 102, GPT-3 128) and 8 key-value
    heads of 128; in a usual mixture 8 of 128 experts work (Qwen3, GLM-4.5), of more where it is sparser.
    """
    at_work = min(active or parameters, parameters)
    width = max(128, round((_ASPECT * at_work / 12) ** (1 / 3) / 128) * 128)
    layers = max(1, round(at_work / (12 * width * width)))
    heads = width // 128
    attention = layers * 2 * width * width * (1 + min(8, heads) / heads)
    vocabulary = int(min(128_000, at_work / (8 * width)))
    rest = max(at_work - attention - vocabulary * width, at_work / 4) / layers
    moe = at_work < 0.9 * parameters
    expert = max(
        1, round(min((parameters - at_work) / (_EXPERTS - _CHOSEN) / layers, rest / _CHOSEN) / (3 * width))
    )
    idle = round((parameters - at_work) / (layers * 3 * width * expert))
    return LanguageModel(
        name="",
        offered=False,
        publisher="",
        year=0,
        layers=layers,
        hidden=width,
        heads=heads,
        kv_heads=min(8, heads),
        head_dim=128,
        intermediate=0 if moe else max(1, round(rest / (3 * width))),
        vocabulary=vocabulary,
        tied=True,
        gated=True,
        experts=_CHOSEN + idle if moe else 0,
        experts_per_token=_CHOSEN if moe else 0,
        # What works beside the chosen experts is one expert that always does, of the size that is left.
        shared_experts=max(0, round(rest / (3 * width * expert)) - _CHOSEN) if moe else 0,
        expert_intermediate=expert if moe else 0,
        dense_layers=0,
        latent=None,
        window=0,
        windowed_layers=0,
        context=10_000_000,
        parameters_published=parameters,
        active_published=at_work,
        aliases=(),
        source="",
    )


_ASPECT, _EXPERTS, _CHOSEN = 128, 128, 8

_SUFFIX = re.compile(
    r"(instruct|chat|base|hf|it|pt|thinking|exp|terminus|speciale|turbo|fp8|fp4|bf16|fp16|int4|int8|awq|gptq|nv|mx"
    r"|dynamic|w4a16|w8a8|v0?[123]|2[45]\d\d|0[1-9]\d\d|16e|128e|17b)$"
)


def _plain(name: str) -> str:
    """A name without publisher, case, punctuation and what only says how it was tuned or stored."""
    text = re.sub(r"[^a-z0-9]", "", name.lower().split("/")[-1] if name.count("/") == 1 else name.lower())
    while (shorter := _SUFFIX.sub("", text)) != text:
        text = shorter
    return re.sub(r"^(meta|nvidia|mistralai|openai|google|microsoft)(?=[a-z])", "", text)


@lru_cache(maxsize=1)
def _names() -> Mapping[str, LanguageModel]:
    return {_plain(name): m for m in language_models().values() for name in (m.name, *m.aliases)}


def _model(row: Row) -> LanguageModel:
    latent = LatentAttention(
        q_rank=whole(row["q_rank"]),
        kv_rank=whole(row["kv_rank"]),
        rope_dim=whole(row["rope_dim"]),
        value_dim=whole(row["value_dim"]),
    )
    return LanguageModel(
        name=row["name"],
        offered=row["offered"] == "1",
        publisher=row["publisher"],
        year=int(row["year"]),
        layers=whole(row["layers"]),
        hidden=whole(row["hidden"]),
        heads=whole(row["heads"]),
        kv_heads=whole(row["kv_heads"]),
        head_dim=whole(row["head_dim"]),
        intermediate=whole(row["intermediate"]),
        vocabulary=whole(row["vocabulary"]),
        tied=row["tied"] == "1",
        gated=row["gated"] == "1",
        experts=whole(row["experts"]),
        experts_per_token=whole(row["experts_per_token"]),
        shared_experts=whole(row["shared_experts"]),
        expert_intermediate=whole(row["expert_intermediate"]),
        dense_layers=whole(row["dense_layers"]),
        latent=latent if latent.kv_rank else None,
        window=whole(row["window"]),
        windowed_layers=whole(row["windowed_layers"]),
        context=whole(row["context"]),
        parameters_published=float(row["parameters_published"]),
        active_published=float(row["active_published"]),
        aliases=tuple(name for name in row["aliases"].split(";") if name),
        source=row["source"],
    )
