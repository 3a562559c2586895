"""Charts of a finished run: what is drawn of answers that are numbers."""

import pytest

from core.charts.report import truth_chart
from core.i18n import language
from core.training.report import Report


@pytest.mark.parametrize(("truths", "kind"), [([1.0, 2.0, 3.0], "box"), (list(range(60)), "scatter")])
def test_answers_are_boxes_where_the_truth_is_one_of_a_few_numbers(truths: list[float], kind: str) -> None:
    points = tuple((float(truths[i % len(truths)]), i / 60) for i in range(60))
    line, answers = truth_chart(Report((), points=points), "the rating", language("en"))["data"]
    assert (line["type"], answers["type"]) == ("scatter", kind)
    assert (answers["x"], answers["y"]) == ([p[0] for p in points], [float(f"{p[1]:.5g}") for p in points])
