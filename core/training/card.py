"""The model card of a finished run: what it is, what it was trained on, how good it is, what to beware of.

After M. Mitchell et al., "Model cards for model reporting" (FAT* 2019), in Markdown.
"""

from core.i18n import Language
from core.training.architecture import NETWORKS
from core.training.choices import LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES
from core.training.report import Report
from core.training.result import RunResult
from core.training.spec import RunSpec


def model_card(run_id: str, spec: RunSpec, result: RunResult, report: Report | None, _: Language) -> str:
    """The card in the reader's language, as Markdown."""
    parts = [
        f"# {_text(_.text(spec.title))}",
        f"## {_('Model')}",
        _model(run_id, spec, result, _),
        f"## {_('Data')}",
        _data(spec, _),
        f"## {_('How good it is')}",
        _quality(spec, result, report, _),
        f"## {_('What it took')}",
        _effort(result, _),
        f"## {_('What to beware of')}",
        _limits(spec, report, _),
    ]
    return "\n\n".join(parts) + "\n"


def _text(words: str) -> str:
    """Words of the founder, so that Markdown shows them as they are."""
    for mark in "\\`*_[]<>|#":
        words = words.replace(mark, "\\" + mark)
    return " ".join(words.split())


def _items(pairs: list[tuple[str, str]]) -> str:
    return "\n".join(f"- {label}: {value}" for label, value in pairs)


def _model(run_id: str, spec: RunSpec, result: RunResult, _: Language) -> str:
    pairs = [
        (_("Run"), run_id),
        (_("Network"), f"{_.text(NETWORKS[spec.network].label)} ({spec.width} × {spec.depth})"),
        (_("Parameters"), f"{result.parameters:,}"),
        (_("Optimiser"), f"{_.text(OPTIMIZERS[spec.optimizer].label)}, {spec.learning_rate:g}"),
        (_("Schedule of the learning rate"), _.text(SCHEDULES[spec.schedule].label)),
        (_("Loss"), _.text(LOSSES[spec.loss].label)),
        (_("Epochs"), f"{result.epochs:g}"),
        (_("Batch size"), f"{spec.batch_size:,}"),
        (_("Precision"), _.text(PRECISIONS[spec.precision].label)),
        (_("Seed"), str(spec.seed)),
    ]
    return _items(pairs + sorted(result.environment.items()))


def _data(spec: RunSpec, _: Language) -> str:
    data = spec.data
    pairs = [
        (_("Name"), _text(_.text(data.label))),
        (_("Training examples"), f"{spec.train_images:,}"),
        (_("Validation examples"), f"{spec.validation_images:,}"),
        (_("Test examples"), f"{data.test_images:,}"),
        (_("Predicts"), _text(_.text(data.target))),
        (_("Licence"), _text(_.text(data.licence))),
    ]
    if data.class_names:
        pairs.append((_("Classes"), ", ".join(_text(name) for name in data.class_names)))
    if data.source:
        pairs.append((_("Source"), f"<{data.source}> · {_text(data.citation)}"))
    return _items(pairs)


def _quality(spec: RunSpec, result: RunResult, report: Report | None, _: Language) -> str:
    pairs = []
    if result.test_accuracy is not None:
        pairs.append((_("Test accuracy"), _.percent(result.test_accuracy, 4)))
    if result.test_rmse is not None:
        pairs.append((_("Typical error"), _.number(result.test_rmse, digits=3)))
        pairs.append((_("Variance explained"), _.percent(result.test_r2 or 0.0)))
    pairs.append((_("Test loss"), f"{result.test_loss or 0.0:.4f}"))
    text = _items(pairs)
    if report is None or not report.confusion:
        return text
    text += "\n" + _items([(_("Calibration error"), _.percent(report.calibration_error))])
    head = (
        f"| {_('Class')} | {_('Test examples')} | {_('Precision')} | {_('Recall')} |\n|---|---:|---:|---:|\n"
    )
    rows = "\n".join(
        f"| {_text(name)} | {count:,} | {_share(precision, _)} | {_share(recall, _)} |"
        for name, count, precision, recall in report.by_class()
    )
    return f"{text}\n\n{head}{rows}"


def _share(value: float | None, _: Language) -> str:
    return "–" if value is None else _.percent(value)


def _effort(result: RunResult, _: Language) -> str:
    pairs = [
        (_("Device"), _text(result.device.label)),
        (_("Training time"), _("{seconds} s", seconds=_.number(result.fit_seconds, digits=3))),
        (_("Cost"), _.money(result.cost_usd, "USD", digits=2)),
        (_("Energy"), _("{joules} J", joules=_.number(result.energy.joules, digits=2))),
        (_("Examples per second"), _.number(result.images_per_second, digits=3)),
    ]
    if result.mean_utilisation is not None:
        pairs.append((_("Device in use, on average"), _.percent(result.mean_utilisation)))
    if result.peak_memory_bytes is not None:
        memory = _.number(result.peak_memory_bytes / 2**30, digits=2)
        pairs.append((_("Most memory in use"), f"{memory} GiB"))
    return _items(pairs)


def _limits(spec: RunSpec, report: Report | None, _: Language) -> str:
    lines = [
        _(
            "The test examples come from the same source as those it was trained on; on other data it will be worse."
        ),
    ]
    if spec.own is not None:
        lines += [_text(_.refusal(doubt)) for doubt in spec.own.doubts]
    if report is not None and report.confusion:
        weakest = min((row for row in report.by_class() if row[3] is not None), key=lambda row: row[3] or 0.0)
        lines.append(
            _(
                "It is weakest at {name}: it finds {share} of them.",
                name=_text(weakest[0]),
                share=_share(weakest[3], _),
            )
        )
    if spec.data.ids:
        lines.append(
            _(
                "Of a student or lecturer with few ratings it knows little, of a new one nothing: its answer is then close to the mean."
            )
        )
    if spec.data.test_images < 1_000:
        lines.append(
            _(
                "With {count} test examples its figures are rough: another split would give others.",
                count=f"{spec.data.test_images:,}",
            )
        )
    return "\n".join(f"- {line}" for line in lines)
