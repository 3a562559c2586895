"""The promise of the learning curve on ten networks that were really trained, replayed."""

import numpy as np

from benchmarks.curve import OTHER_DISTANCES, compare, coverage, intervals, read


def test_the_measured_curves_are_complete() -> None:
    measured = read()
    assert len(measured) == 10
    for runs in measured.values():
        assert sorted(runs) == [2_500, 5_000, 10_000, 20_000, 60_000]
        assert all(len(errors) == 3 for errors in runs.values())


def test_the_interval_fitted_up_to_20_000_images_holds_the_error_at_60_000_for_seven_of_ten() -> None:
    told = intervals(read())
    assert sum(low <= truth <= high for _, truth, low, _, high in told) >= 7
    assert max(high / low for _, _, low, _, high in told) <= 3


def test_the_coverage_is_what_the_curve_says_of_itself_at_two_three_and_six_times() -> None:
    measured = read()
    told = [coverage(measured, up_to, at) for up_to, at in (*OTHER_DISTANCES, (20_000, 60_000))]
    assert [held for held, _ in told] == [9, 9, 9]
    assert [round(widest, 2) for _, widest in told] == [1.50, 2.18, 1.76]


def test_the_line_through_the_last_three_sizes_is_never_far_off_and_no_form_has_a_better_worst_case() -> None:
    worst = {form: float(np.max(np.exp(np.abs(np.log(r))))) for form, r in compare(read()).items()}
    assert worst["last_three"] < 1.3
    assert worst["last_three"] == min(worst.values())
