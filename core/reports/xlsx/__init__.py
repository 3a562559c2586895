"""A venture as an Excel file whose formulas are alive.

The sheet of inputs holds the only cells to edit; the model is one formula a cell, translated from the
formulas that the engine evaluates; metrics and summary follow. Every formula carries the engine's
value, so that previewers and phones, which do not calculate, show numbers too. Scenarios and the
simulation are values and say so. No sheet is hidden, and there are no macros.
"""

from datetime import date

from core.finance import SEED, Simulation, project
from core.i18n import Language
from core.reports.xlsx.book import Book
from core.reports.xlsx.inputs import write_inputs
from core.reports.xlsx.metrics import write_metrics
from core.reports.xlsx.months import write_model
from core.reports.xlsx.scenarios import write_scenarios
from core.reports.xlsx.simulation import write_simulation
from core.reports.xlsx.sources import write_sources
from core.reports.xlsx.summary import write_summary
from core.venture import Venture

__all__ = ["workbook"]


def workbook(
    venture: Venture,
    language: Language,
    simulation: Simulation | None = None,
    *,
    seed: int = SEED,
    on: date | None = None,
) -> bytes:
    """The Excel file of a venture; the same file for the same arguments.

    ``simulation`` is one of this venture, drawn with ``seed``; ``on`` is the as-of date (today if
    None). Raises :class:`core.i18n.Refusal` where the plan has no finite values, or a formula is too
    long for Excel.
    """
    if simulation is not None and simulation.venture != venture:
        raise ValueError("The simulation is of another venture.")
    on = on or date.today()
    projection = project(venture)
    book = Book(language, venture.currency, language.text(venture.name), on)
    summary, inputs, model, metrics, scenarios = (
        book.sheet(key) for key in ("summary", "inputs", "model", "metrics", "scenarios")
    )
    write_inputs(inputs, venture, projection.model)
    rows = write_model(model, projection)
    write_metrics(metrics, projection, rows)
    write_summary(summary, projection, rows, on)
    write_scenarios(scenarios, venture)
    if simulation is not None:
        write_simulation(book.sheet("simulation"), simulation, seed)
    write_sources(book.sheet("sources"), projection)
    return book.close()
