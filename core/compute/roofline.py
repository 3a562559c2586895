"""How many tokens a second an accelerator writes: an additive roofline.

A replica is n accelerators that hold the model together and answer B requests at once, each of I
input tokens (C of them cached) and O output tokens. Writing one token for all of them takes

    t_step = (weights read + B · KV(I + O/2)) / (n · bandwidth · e_bw)      reading
           + 2 · N_a · B / (n · peak · e_c)                                 computing
           + layers · o                                                     overhead

and reading one request's prompt takes

    t_prefill = (2 · N_a · (I − C) + 2 · layers · width · (I² − C²)) / (n · peak · e_c)

so that  tokens/s = O / (t_prefill + O · t_step / B). Adding the three parts of a step instead of
taking the largest predicted published throughput better. A mixture of experts reads only the experts
that some request of the batch chose: routed weights · (1 − (1 − t/E)^B). Both efficiencies fall by
1 + c · log2 n with the number of accelerators that must agree after each layer. B is what memory
leaves room for, at the mean context I + O/2.

All arguments are arrays that broadcast against each other; one formula serves a single estimate, a
curve and the calibration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

USABLE_MEMORY = 0.9
"""Share of the memory that weights and KV cache may fill (vLLM's default ``gpu_memory_utilization``)."""


@dataclass(frozen=True, slots=True)
class Constants:
    """What is fitted: the two efficiencies, seconds of overhead per layer and step, the tax on working
    together, and the share of the 4-bit peak that 4-bit weights reach on top of ``compute_efficiency``."""

    bandwidth_efficiency: Array
    compute_efficiency: Array
    seconds_per_layer: Array
    parallel_tax: Array
    fp4_efficiency: Array


@dataclass(frozen=True, slots=True)
class Replica:
    """A model on its accelerators under one kind of request. Bytes, FLOP/s, bytes/s, tokens.

    ``weight_bytes`` are all weights and ``routed_bytes`` those of chosen experts; ``kv_bytes`` is the
    KV cache of one request at its mean context; ``in_fp4`` is 1 where weights are multiplied in 4 bits.
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
    bandwidth: Array
    memory: Array
    in_fp4: Array
    max_batch: Array


def room(replica: Replica) -> Array:
    """Requests that fit beside the weights, a real number; below 1 the model does not fit."""
    free = USABLE_MEMORY * replica.memory * replica.accelerators - replica.weight_bytes
    return free / replica.kv_bytes


def batch(replica: Replica) -> Array:
    """Requests answered at once: what fits, at most ``max_batch``, at least 1."""
    return np.clip(np.floor(room(replica)), 1, replica.max_batch)


def prefill_seconds(replica: Replica, constants: Constants) -> Array:
    """Seconds to read one prompt alone: the time to first token without a queue."""
    fresh = replica.input_tokens - replica.cached_tokens
    attention = replica.layers * replica.width * (replica.input_tokens**2 - replica.cached_tokens**2)
    return (2 * replica.active * fresh + 2 * attention) / _compute(replica, constants)


def step_seconds(replica: Replica, constants: Constants) -> Array:
    """Seconds to write one token for the whole batch, while no prompt is read."""
    size = batch(replica)
    untouched = replica.routed_bytes * (1 - replica.routed_share) ** size
    reading = (replica.weight_bytes - untouched + size * replica.kv_bytes) / _bandwidth(replica, constants)
    computing = 2 * replica.active * size / _compute(replica, constants)
    return reading + computing + replica.layers * constants.seconds_per_layer


def token_seconds(replica: Replica, constants: Constants) -> Array:
    """Seconds between two tokens that one reader sees (TPOT), other readers' prompts included."""
    prompts = batch(replica) * prefill_seconds(replica, constants) / replica.output_tokens
    return step_seconds(replica, constants) + prompts


def tokens_per_second(replica: Replica, constants: Constants) -> Array:
    """Output tokens per second of a replica that is never idle."""
    return batch(replica) / token_seconds(replica, constants)


def _tax(replica: Replica, constants: Constants) -> Array:
    return 1 + constants.parallel_tax * np.log2(replica.accelerators)


def _bandwidth(replica: Replica, constants: Constants) -> Array:
    whole = replica.accelerators * replica.bandwidth * constants.bandwidth_efficiency
    return whole / _tax(replica, constants)


def _compute(replica: Replica, constants: Constants) -> Array:
    reached = np.where(replica.in_fp4 > 0, constants.fp4_efficiency, 1.0) * constants.compute_efficiency
    return replica.accelerators * replica.peak * reached / _tax(replica, constants)
