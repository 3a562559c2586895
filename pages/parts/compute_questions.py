"""Six questions that founders ask, each a click away from its answer: what the page is set to for them."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.i18n import Language, Text
from core.venture import Venture
from pages.parts.compute_fields import changed
from pages.parts.compute_link import followed, set_request
from pages.parts.fields import put
from pages.parts.session import Workspace, say


@dataclass(frozen=True)
class Question:
    """A question, the part of the page that answers it, and the inputs it sets there."""

    text: Text
    part: str
    fields: dict[str, Any]
    request: dict[str, float] | None = None


QUESTIONS: dict[str, Question] = {
    "finetune_8b": Question(
        Text(
            "What will tuning an 8B model on 50,000 documents cost?",
            "用我的 5 万份文档微调一个 8B 模型要花多少钱?",
        ),
        "finetune",
        {
            "model": "Llama 3.1 8B",
            "method": "lora",
            "goal": "sft",
            "examples": 50_000.0,
            "tokens_per_example": 1000.0,
            "epochs": 3.0,
            "accelerator": "H100 SXM",
            "accelerators": 1,
            "sequence_length": 2048,
        },
    ),
    "qlora_70b": Question(
        Text("Can I fine-tune a 70B model on one GPU?", "一块 GPU 能微调 70B 模型吗?"),
        "finetune",
        {
            "model": "Llama 3.1 70B",
            "method": "qlora",
            "goal": "sft",
            "examples": 20_000.0,
            "accelerator": "H100 SXM",
            "accelerators": 1,
            "sequence_length": 2048,
        },
    ),
    "api_or_own": Question(
        Text("Is the API cheaper than two H100s for my users?", "对我的用户来说,API 比两块 H100 便宜吗?"),
        "serving",
        {
            "open_model": "Llama 3.1 70B",
            "precision": "fp8",
            "accelerator": "H100 SXM",
            "accelerators": 2,
            "requests_per_month": 1e6,
        },
        {"input_tokens": 2000.0, "output_tokens": 500.0},
    ),
    "fleet": Question(
        Text(
            "How many GPUs answer 100,000 chats a day in 2 s?",
            "每天 10 万次对话、两秒内应答,需要多少 GPU?",
        ),
        "serving",
        {
            "open_model": "Qwen3-30B-A3B",
            "precision": "fp8",
            "accelerator": "H100 SXM",
            "accelerators": 1,
            "requests_per_month": 100_000 * 730 / 24,
            "ttft_ms": 2000.0,
            "tpot_ms": 40.0,
            "spare_replicas": 1,
        },
        {"input_tokens": 3000.0, "output_tokens": 400.0},
    ),
    "pretrain_1b": Question(
        Text("What does it take to train a 1B model from scratch?", "从零训练一个 1B 模型需要什么?"),
        "training",
        {
            "model": "",
            "parameters": 1e9,
            "active_parameters": None,
            "tokens": 100e9,
            "accelerator": "H100 SXM",
            "accelerators": 16,
            "sequence_length": 4096,
            "experiments": 2.0,
        },
    ),
    "law_70b": Question(
        Text(
            "Does the EU's AI Act bind me if I train a 70B model?",
            "训练一个 70B 模型,欧盟《人工智能法》会约束我吗?",
        ),
        "training",
        {
            "model": "Llama 3.1 70B",
            "tokens": 2e12,
            "accelerator": "H100 SXM",
            "accelerators": 1024,
            "sequence_length": 4096,
        },
    ),
}
"""The questions in the order of the page."""


def questions(_: Language) -> None:
    """The questions as buttons that open where they are chosen."""
    st.pills(
        _("Start from a question"),
        list(QUESTIONS),
        format_func=lambda key: _.text(QUESTIONS[key].text) if key in QUESTIONS else str(key),
        key="compute:question",
        on_change=_asked,
    )


def _asked() -> None:
    """Set the page to the question: its part, its inputs, and the view that answers it."""
    key = st.session_state.get("compute:question")
    if key not in QUESTIONS:
        return
    question = QUESTIONS[key]
    ws: Workspace = st.session_state["workspace"]
    _ = say()

    def asked(venture: Venture) -> Venture:
        plan = changed(venture.compute_plan, question.part, question.fields)
        return followed(venture.with_compute_plan(plan), question.part)

    put("compute_part", question.part)
    if key == "law_70b":
        put("compute:closer:training", "law")
    for name, value in (question.request or {}).items():
        set_request(ws, name, value)
    ws.change(asked, _("Compute plan set to a question"), place="compute:question")
