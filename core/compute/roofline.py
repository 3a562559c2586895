"""How many tokens a second an accelerator writes: an additive roofline.

A replica is n accelerators that hold the model together and answer B requests at once, each of I
input tokens (C of them cached) and O output tokens. While B requests pass through, the replica takes

    S = max(O, B · (I − C + O) / 8,192)                                     steps

because a step takes at most 8,192 tokens (TensorRT-LLM's default), written or read. The steps cost

    t = S · weights read / (n · bandwidth · e_bw)                           reading the weights
      + B · O · KV(I + O/2) / (n · bandwidth · e_bw)                        reading the KV cache
      + B · 2 · N_a · (I − C + O) / (n · peak · e_c)                        computing
      + B · 2 · layers · width · (I² − C²) / (n · 16-bit peak · e_c)        attention to the prompt
      + S · layers · o  +  B · O · o_token                                  overhead

so that tokens/s = B · O / t, and one reader sees a token every t / O seconds. Adding the parts instead
of taking the largest predicted published throughput better. A mixture of experts reads only the
experts that some token of the step chose, routed weights · (1 − (1 − k/E)^tokens), and multiplies at
e_c · e_experts, because its matrices are narrow. 4-bit weights reach e_fp4 of their peak. All times
but the overheads grow by 1 + c · log2 n with the accelerators that must agree after each layer.

All arguments are arrays that broadcast against each other; one formula serves a single estimate, a
curve, thousands of draws and the calibration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

USABLE_MEMORY = 0.9
"""Share of the memory that may be filled (vLLM's default ``gpu_memory_utilization``)."""

TOKENS_PER_STEP = 8192
"""Tokens, read or written, that a step takes at most (``max_num_tokens`` of TensorRT-LLM)."""


@dataclass(frozen=True, slots=True)
class Constants:
    """What is fitted: efficiencies as shares of bandwidth and peak; ``expert_efficiency`` and
    ``fp4_efficiency`` multiply ``compute_efficiency``; seconds of overhead per layer and step, and per
    written token; the tax on working together; bytes each accelerator keeps for itself."""

    bandwidth_efficiency: Array
    compute_efficiency: Array
    fp4_efficiency: Array
    expert_efficiency: Array
    seconds_per_layer: Array
    seconds_per_token: Array
    parallel_tax: Array
    reserve_bytes: Array


@dataclass(frozen=True, slots=True)
class Replica:
    """A model on its accelerators under one kind of request. Bytes, FLOP/s, bytes/s, tokens.

    ``weight_bytes`` are all weights and ``routed_bytes`` those of chosen experts; ``kv_bytes`` is the
    KV cache of one request at its mean context; ``in_fp4`` and ``moe`` are 1 where weights are
    multiplied in 4 bits, and where there are experts.
    """

    weight_bytes: Array
    routed_bytes: Array
    routed_share: Array
    active: Array
    layers: Array
    width: Array
    kv_bytes: Array
    input_tokens: Array
    cached_tokens: Array
    output_tokens: Array
    accelerators: Array
    peak: Array
    peak_16bit: Array
    bandwidth: Array
    memory: Array
    in_fp4: Array
    moe: Array
    max_batch: Array


def room(replica: Replica, constants: Constants) -> Array:
    """Requests that fit beside the weights, a real number; below 1 the model does not fit."""
    usable = USABLE_MEMORY * replica.memory - constants.reserve_bytes
    return (usable * replica.accelerators - replica.weight_bytes) / replica.kv_bytes


def batch(replica: Replica, constants: Constants) -> Array:
    """Requests answered at once: what fits, at most ``max_batch``, at least 1."""
    return np.clip(np.floor(room(replica, constants)), 1, replica.max_batch)


def steps(replica: Replica, size: Array) -> Array:
    """Steps in which ``size`` requests pass through the replica."""
    tokens = _fresh(replica) + replica.output_tokens
    return np.maximum(replica.output_tokens, size * tokens / TOKENS_PER_STEP)


def seconds(replica: Replica, constants: Constants, size: Array) -> Array:
    """Seconds in which ``size`` requests, all there at once, pass through."""
    turns = steps(replica, size)
    written = size * replica.output_tokens
    read_weights = turns * _weights_read(replica, size * (_fresh(replica) + replica.output_tokens) / turns)
    work = _reading(replica, constants, read_weights + written * replica.kv_bytes)
    work += _computing(replica, constants, size, replica.output_tokens)
    return work + _overhead(replica, constants, turns, written)


def prefill_seconds(replica: Replica, constants: Constants) -> Array:
    """Seconds to read one prompt alone and write its first token: the time to first token, unqueued."""
    one = np.ones_like(replica.active)
    turns = np.ceil((_fresh(replica) + 1) / TOKENS_PER_STEP)
    read = turns * _weights_read(replica, (_fresh(replica) + 1) / turns) + replica.kv_bytes
    work = _reading(replica, constants, read) + _computing(replica, constants, one, one)
    return work + _overhead(replica, constants, turns, one)


def token_seconds(replica: Replica, constants: Constants, size: Array) -> Array:
    """Seconds between two tokens that one of ``size`` readers sees, other readers' prompts included."""
    return seconds(replica, constants, size) / replica.output_tokens


def tokens_per_second(replica: Replica, constants: Constants, size: Array | None = None) -> Array:
    """Output tokens per second of a replica that is never idle, at its largest batch or at ``size``."""
    size = batch(replica, constants) if size is None else size
    return size * replica.output_tokens / seconds(replica, constants, size)


def batch_within(replica: Replica, constants: Constants, most_seconds: Array) -> Array:
    """The largest batch that fits and keeps a reader's token within ``most_seconds``; 0 where none does.

    A token takes longer the more readers there are, so twelve halvings find the batch exactly.
    """
    high = batch(replica, constants)
    low = np.zeros_like(high)
    within = token_seconds(replica, constants, high) <= most_seconds
    low = np.where(within, high, low)
    for _ in range(14):
        middle = np.floor((low + high + 1) / 2)
        fits = token_seconds(replica, constants, np.maximum(middle, 1)) <= most_seconds
        low = np.where(fits, middle, low)
        high = np.where(fits, high, middle - 1)
    return np.maximum(low, 0)


def _fresh(replica: Replica) -> Array:
    return replica.input_tokens - replica.cached_tokens


def _weights_read(replica: Replica, tokens: Array) -> Array:
    """Bytes of weights that a step of so many ``tokens`` reads."""
    return replica.weight_bytes - replica.routed_bytes * (1 - replica.routed_share) ** tokens


def _reading(replica: Replica, constants: Constants, size: Array) -> Array:
    whole = replica.accelerators * replica.bandwidth * constants.bandwidth_efficiency
    return size / whole * _tax(replica, constants)


def _computing(replica: Replica, constants: Constants, size: Array, written: Array) -> Array:
    """Seconds of multiplying for ``size`` requests that write ``written`` tokens each."""
    reached = constants.compute_efficiency * replica.accelerators
    narrow = np.where(replica.in_fp4 > 0, constants.fp4_efficiency, 1.0)
    narrow = narrow * np.where(replica.moe > 0, constants.expert_efficiency, 1.0)
    layers = 2 * replica.active * (_fresh(replica) + written) / (replica.peak * narrow)
    pairs = replica.input_tokens**2 - replica.cached_tokens**2
    attention = 2 * replica.layers * replica.width * pairs / replica.peak_16bit
    return size * (layers + attention) / reached * _tax(replica, constants)


def _overhead(replica: Replica, constants: Constants, turns: Array, written: Array) -> Array:
    return turns * replica.layers * constants.seconds_per_layer + written * constants.seconds_per_token


def _tax(replica: Replica, constants: Constants) -> Array:
    return 1 + constants.parallel_tax * np.log2(replica.accelerators)
