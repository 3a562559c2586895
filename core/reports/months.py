"""The plan as one table for spreadsheets: months down, every line across, as CSV."""

import csv
import io

from core.finance import Projection, read_unit
from core.i18n import Language


def months_csv(projection: Projection, _: Language) -> bytes:
    """Every line in every month with full precision; headings carry the unit. UTF-8 with a mark, as Excel needs."""
    venture, lines = projection.venture, list(projection.model.lines.values())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [_("Month")]
        + [_as_text(f"{_.text(line.label)} ({read_unit(line.unit, venture.currency, _)})") for line in lines]
    )
    for month in range(1, projection.months + 1):
        index = venture.start.year * 12 + venture.start.month + month - 2
        values = [repr(projection.at(line.key, month)) for line in lines]
        writer.writerow([f"{index // 12}-{index % 12 + 1:02d}", *values])
    return out.getvalue().encode("utf-8-sig")


def _as_text(heading: str) -> str:
    """A heading that no spreadsheet takes for a formula."""
    return f"'{heading}" if heading[:1] in "=+-@\t\r" else heading
