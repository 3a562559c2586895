"""All lines and months as CSV: exact, safe to open, and read back as real figures."""

import csv
import io
from datetime import date

from core.finance import project
from core.finance.actuals_file import read_file
from core.i18n import Text, language
from core.reports.months import months_csv
from core.venture import Line, example

VENTURE = example(start=date(2026, 6, 1)).with_lines(
    [Line(key="mine", label=Text("=cmd|' /C calc'!A0"), unit="money/month", formula="revenue * 2")]
)


def test_every_number_is_there_in_full_and_no_heading_is_a_formula():
    projection = project(VENTURE)
    rows = list(csv.reader(io.StringIO(months_csv(projection, language("en")).decode("utf-8-sig"))))
    assert len(rows) == 37 and {len(row) for row in rows} == {len(projection.model.lines) + 1}
    column = list(projection.model.lines).index("cash") + 1
    assert rows[0][column] == "Cash at the end of the month (USD)"
    assert [float(row[column]) for row in rows[1:]] == projection.series("cash").tolist()
    assert rows[1][0] == "2026-06"
    assert not any(heading.startswith(("=", "+", "-", "@")) for heading in rows[0])


def test_what_is_downloaded_can_be_filled_in_and_read_back():
    projection = project(VENTURE)
    for code in ("en", "zh_Hans"):
        found = read_file("plan.csv", months_csv(projection, language(code)), VENTURE)
        values = {actual.key: actual.values for actual in found.actuals}
        assert values["cash"] == tuple(projection.series("cash"))
