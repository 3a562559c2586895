"""The same questions to three public estimators and to this one, beside what was published.

    python -m venv build/peers && build/peers/bin/pip install llm-flops==0.0.1 llm-analysis==0.2.2 ftuneai==0.4.1
    python benchmarks/peers.py build/peers/bin/python

The peers are no dependencies: this file asks them in the interpreter it is given and prints a markdown
table, which stands in docs/compute.md. Each is asked through its public functions with its own defaults
for everything that the question does not state. Our answers to published records are those of
constants that have not seen the record's model.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

# Key, the question, its unit, and what was published. Training hours are those of data/published_training.csv,
# throughputs those of data/published_serving.csv and of the same page of TensorRT-LLM 1.0, memory and seconds
# those of the profiling table of QwenLM/Qwen.
QUESTIONS: dict[str, tuple[str, str, float]] = {
    "kv_8b": ("KV cache of Llama 3 8B, bf16", "B/token", 131_072),
    "kv_70b": ("KV cache of Llama 3 70B, bf16", "B/token", 327_680),
    "train_llama2_7b": ("Train Llama 2 7B, 2T tokens, A100 80GB", "GPU-h", 184_320),
    "train_llama2_70b": ("Train Llama 2 70B, 2T tokens, A100 80GB", "GPU-h", 1_720_320),
    "train_bloom": ("Train BLOOM 176B, 366B tokens, A100 80GB", "GPU-h", 1_082_990),
    "lora_7b_memory": ("LoRA of Qwen 7B, rank 64, 2,048 tokens: memory", "GB", 23.8),
    "qlora_7b_memory": ("QLoRA of Qwen 7B, rank 64, 2,048 tokens: memory", "GB", 13.9),
    "qlora_72b_memory": ("QLoRA of Qwen 72B, rank 64, 2,048 tokens: memory", "GB", 64.1),
    "lora_7b_hours": (
        "LoRA of Qwen 7B on 100M tokens, one A100, a steady hour",
        "GPU-h",
        5.2 / 16_384 * 1e8 / 3600,
    ),
    "qlora_72b_hours": (
        "QLoRA of Qwen 72B on 100M tokens, one A100, a steady hour",
        "GPU-h",
        59.5 / 16_384 * 1e8 / 3600,
    ),
    "serve_8b": ("Serve Llama 3.1 8B, fp8, one H100, 1,000 in, 1,000 out", "token/s", 15_220),
    "serve_70b": ("Serve Llama 3.3 70B, fp8, one H200, 1,000 in, 1,000 out", "token/s", 2_909),
    "serve_405b": ("Serve Llama 3.1 405B, fp8, 8 H200, 1,000 in, 1,000 out", "token/s", 3_330),
    "serve_405b_long": ("Serve Llama 3.1 405B, fp8, 8 H100, 5,000 in, 500 out", "token/s", 610),
}

Answers = dict[str, float | None]


def main() -> None:
    """Print the table."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--answer":
        print(json.dumps({"llm-flops": llm_flops(), "llm-analysis": llm_analysis(), "ftuneai": ftuneai()}))
        return
    asked = subprocess.run(
        [sys.argv[1], __file__, "--answer"], check=True, capture_output=True, text=True, timeout=300
    )
    answers: dict[str, Answers] = json.loads(asked.stdout.strip().splitlines()[-1])
    answers["Compute Canvas"] = ours()
    print(f"| Question | Unit | Published | {' | '.join(answers)} |")
    print("|---|---|---:|" + "---:|" * len(answers))
    for key, (question, unit, published) in QUESTIONS.items():
        cells = [_cell(answers[name].get(key), published) for name in answers]
        print(f"| {question} | {unit} | {_figures(published)} | {' | '.join(cells)} |")
    print(
        "| **Median error of what is answered** | | | "
        + " | ".join(_median(a) for a in answers.values())
        + " |"
    )


def _cell(answer: float | None, published: float) -> str:
    return "–" if answer is None else f"{_figures(answer)} ({answer / published - 1:+.0%})"


def _median(answers: Answers) -> str:
    errors = sorted(abs(value / QUESTIONS[key][2] - 1) for key, value in answers.items() if value is not None)
    middle = (
        errors[len(errors) // 2]
        if len(errors) % 2
        else sum(errors[len(errors) // 2 - 1 : len(errors) // 2 + 1]) / 2
    )
    return f"**{middle:.0%}** of {len(errors)}"


def _figures(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"


def ours() -> Answers:
    """What this estimator answers; where the record is in its tables, with its model left out."""
    sys.path.insert(0, str(ROOT))
    import numpy as np

    from core.compute.finetuning_calibration import constants as steps
    from core.compute.finetuning_calibration import held, step_seconds
    from core.compute.hardware import accelerator
    from core.compute.language_models import language_model
    from core.compute.roofline import tokens_per_second
    from core.compute.serving_calibration import constants, replica_of, usual_kv_bytes
    from core.compute.training_calibration import constants as runs
    from core.compute.training_calibration import covariates

    a100 = accelerator("A100 SXM 80GB")

    def train(parameters: float, tokens: float, count: int, lineage: str = "") -> float:
        known = runs("lineage", lineage) if lineage else runs()
        mfu = np.exp(known.log_mfu(np.array([covariates(a100, count, parameters, False)]))[0])
        return float(6 * parameters * tokens / (3600 * a100.peak("bf16") * mfu))

    def tune(name: str, method: Any) -> float:
        model = language_model(name)
        seconds = step_seconds(model, method, 2048, a100.peak("bf16"), steps(name), a100.bandwidth_gb_s)
        return 1e8 / 2048 * seconds / 3600

    def memory(name: str, method: Any) -> float:
        return held(language_model(name), method, 64, 2048, 1).total / 1e9

    def serve(name: str, hardware: str, count: int, prompt: float, answer: float, left_out: str) -> float:
        model = language_model(name)
        replica = replica_of(
            model,
            accelerator(hardware),
            count,
            precision="fp8",
            kv_bytes_per_value=usual_kv_bytes(model, "fp8"),
            input_tokens=prompt,
            output_tokens=answer,
        )
        return float(tokens_per_second(replica, constants(left_out)))

    return {
        "kv_8b": language_model("Llama 3.1 8B").kv_cache_bytes_per_token(),
        "kv_70b": language_model("Llama 3.1 70B").kv_cache_bytes_per_token(),
        "train_llama2_7b": train(6_738_417_664, 2e12, 512, "Llama 2"),
        "train_llama2_70b": train(68_976_653_312, 2e12, 2048, "Llama 2"),
        "train_bloom": train(176e9, 366e9, 384),
        "lora_7b_memory": memory("Qwen 7B", "lora"),
        "qlora_7b_memory": memory("Qwen 7B", "qlora"),
        "qlora_72b_memory": memory("Qwen 72B", "qlora"),
        "lora_7b_hours": tune("Qwen 7B", "lora"),
        "qlora_72b_hours": tune("Qwen 72B", "qlora"),
        "serve_8b": serve("Llama 3.1 8B", "H100 SXM", 1, 1000, 1000, "Llama 3.1 8B"),
        "serve_70b": serve("Llama 3.1 70B", "H200 SXM", 1, 1000, 1000, ""),
        "serve_405b": serve("Llama 3.1 405B", "H200 SXM", 8, 1000, 1000, "Llama 3.1 405B"),
        "serve_405b_long": serve("Llama 3.1 405B", "H100 SXM", 8, 5000, 500, "Llama 3.1 405B"),
    }


def llm_flops() -> Answers:
    """llm-flops: FLOP, a roofline step, memory and decode throughput; no whole runs."""
    import llmflops  # type: ignore[import-not-found]
    from llmflops.memory import kv_cache_bytes  # type: ignore[import-not-found]

    qwen = _qwen(llmflops.ModelConfig)
    llama_405b = _config(llmflops.ModelConfig, "Llama 3.1 405B", 126, 16_384, 128, 8, 53_248, 128_256)
    bloom = _config(llmflops.ModelConfig, "BLOOM", 70, 14_336, 112, 112, 57_344, 250_880)

    def kv(name: str) -> float:
        return float(kv_cache_bytes(llmflops.get_config(name, allow_hf_fetch=False), 1, 1, "bf16"))

    def train(model: Any, tokens: float) -> float:
        """It times the backward pass only; all FLOP of its step at its own default efficiency of a half."""
        step = llmflops.training_analysis(
            model, gpu="A100-80GB-SXM", gradient_checkpointing=False, allow_hf_fetch=False
        )
        speed = llmflops.get_gpu("A100-80GB-SXM").peak_flops("bf16") * 0.5
        return float(step["flops"]["total_step"] / 2048 * tokens / speed / 3600)

    def serve(model: Any, gpu: str, count: int, prompt: int, answer: int) -> float:
        return float(
            llmflops.throughput(
                model,
                gpu=gpu,
                precision="fp8",
                sequence_length=prompt,
                output_tokens=answer,
                parallelism={"tensor_parallel": count} if count > 1 else None,
                allow_hf_fetch=False,
            )["tokens_per_second"]
        )

    return {
        "kv_8b": _try(lambda: kv("meta-llama/Llama-3.1-8B")),
        "kv_70b": _try(lambda: kv("meta-llama/Llama-3.1-70B")),
        "train_llama2_7b": _try(lambda: train("meta-llama/Llama-2-7b-hf", 2e12)),
        "train_llama2_70b": _try(lambda: train("meta-llama/Llama-2-70b-hf", 2e12)),
        "train_bloom": _try(lambda: train(bloom, 366e9)),
        "lora_7b_memory": None,
        "qlora_7b_memory": None,
        "qlora_72b_memory": None,
        "lora_7b_hours": _try(lambda: train(qwen, 1e8)),
        "qlora_72b_hours": None,
        "serve_8b": _try(lambda: serve("meta-llama/Llama-3.1-8B", "H100-SXM", 1, 1000, 1000)),
        "serve_70b": _try(lambda: serve("meta-llama/Llama-3.1-70B", "H200-SXM", 1, 1000, 1000)),
        "serve_405b": _try(lambda: serve(llama_405b, "H200-SXM", 8, 1000, 1000)),
        "serve_405b_long": _try(lambda: serve(llama_405b, "H100-SXM", 8, 5000, 500)),
    }


def llm_analysis() -> Answers:
    """llm-analysis: training by layers at its own default efficiency, with ZeRO stage 3; the KV cache."""
    import logging

    from llm_analysis.analysis import DSZeRO, LLMAnalysis  # type: ignore[import-not-found]
    from llm_analysis.config import (  # type: ignore[import-not-found]
        ModelConfig,
        ParallelismConfig,
        get_dtype_config_by_name,
        get_gpu_config_by_name,
    )

    logging.disable(logging.CRITICAL)

    def model(name: str, layers: int, width: int, heads: int, keys: int, inner: int, vocabulary: int) -> Any:
        return ModelConfig(
            name=name,
            num_layers=layers,
            n_head=heads,
            hidden_dim=width,
            vocab_size=vocabulary,
            max_seq_len=4096,
            num_key_value_heads=keys,
            ffn_embed_dim=inner,
            expansion_ratio=inner / width,
        )

    def analysis(shape: Any, tensor: int = 1, data: int = 1) -> Any:
        return LLMAnalysis(
            shape,
            get_gpu_config_by_name("a100-sxm-80gb"),
            get_dtype_config_by_name("w16a16e16"),
            ParallelismConfig(tp_size=tensor, dp_size=data),
        )

    def kv(shape: Any) -> float:
        return float(analysis(shape).get_memory_kv_cache_per_layer(1, 1, 2)) * shape.num_layers

    def train(shape: Any, tokens: float, tensor: int, data: int) -> float:
        found = analysis(shape, tensor, data).training(
            batch_size_per_gpu=1,
            seq_len=2048,
            total_num_tokens=int(tokens),
            ds_zero=DSZeRO.STAGE_3,
            mlp_gated_linear_units=shape.name != "BLOOM",
        )
        return float(found["gpu_hours"])

    llama_7b = model("Llama 2 7B", 32, 4096, 32, 32, 11_008, 32_000)
    llama_70b = model("Llama 2 70B", 80, 8192, 64, 8, 28_672, 32_000)
    bloom = model("BLOOM", 70, 14_336, 112, 112, 57_344, 250_880)
    qwen = model("Qwen 7B", 32, 4096, 32, 32, 11_008, 151_936)
    return {
        "kv_8b": _try(lambda: kv(model("Llama 3 8B", 32, 4096, 32, 8, 14_336, 128_256))),
        "kv_70b": _try(lambda: kv(model("Llama 3 70B", 80, 8192, 64, 8, 28_672, 128_256))),
        "train_llama2_7b": _try(lambda: train(llama_7b, 2e12, 1, 512)),
        "train_llama2_70b": _try(lambda: train(llama_70b, 2e12, 8, 256)),
        "train_bloom": _try(lambda: train(bloom, 366e9, 8, 48)),
        "lora_7b_hours": _try(lambda: train(qwen, 1e8, 1, 8)),
    }


def ftuneai() -> Answers:
    """ftuneai: memory and hours of fine-tuning; no training from nothing, no serving."""
    from ftuneai.core.memory import MemoryEstimator  # type: ignore[import-not-found]
    from ftuneai.core.models import (  # type: ignore[import-not-found]
        FineTuneMethod,
        LoRATarget,
        ModelSpec,
        Quantization,
        TrainingConfig,
    )
    from ftuneai.core.time import TimeEstimator  # type: ignore[import-not-found]
    from ftuneai.loader import get_gpu  # type: ignore[import-not-found]

    seven = ModelSpec("Qwen-7B", 7_720_000_000, 4096, 32, 32, 32, 11_008, 151_936, 8192)
    large = ModelSpec("Qwen-72B", 72_300_000_000, 8192, 80, 64, 64, 24_576, 152_064, 32_768)

    def config(model: Any, method: str) -> Any:
        return TrainingConfig(
            model=model.name,
            method=FineTuneMethod(method),
            quantization=Quantization("4bit" if method == "qlora" else "none"),
            batch_size=1,
            seq_length=2048,
            lora_rank=64,
            lora_target=LoRATarget("all_linear"),
            flash_attention=True,
        )

    def memory(model: Any, method: str) -> float:
        return float(MemoryEstimator(model, config(model, method)).estimate().total_gb)

    def hours(model: Any, method: str) -> float:
        found = TimeEstimator(model, config(model, method)).estimate(
            get_gpu("A100-80GB"), dataset_size=round(1e8 / 2048), epochs=1
        )
        return float(found.total_hours)

    return {
        "lora_7b_memory": _try(lambda: memory(seven, "lora")),
        "qlora_7b_memory": _try(lambda: memory(seven, "qlora")),
        "qlora_72b_memory": _try(lambda: memory(large, "qlora")),
        "lora_7b_hours": _try(lambda: hours(seven, "lora")),
        "qlora_72b_hours": _try(lambda: hours(large, "qlora")),
    }


def _try(ask: Callable[[], float]) -> float | None:
    """A peer's answer; None, with the reason on standard error, where it has none."""
    try:
        return ask()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return None


def _qwen(config: Any) -> Any:
    return _config(config, "Qwen 7B", 32, 4096, 32, 32, 11_008, 151_936)


def _config(
    config: Any, name: str, layers: int, width: int, heads: int, keys: int, inner: int, vocabulary: int
) -> Any:
    return config(
        name=name,
        num_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        intermediate_size=inner,
        vocab_size=vocabulary,
    )


if __name__ == "__main__":
    main()
