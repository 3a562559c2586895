"""Whose turn it is: owners one after the other, whoever has the most runs in the queue."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.i18n import Refusal
from core.storage.fair import fair_order

waiting_runs = st.lists(st.sampled_from("abcd"), max_size=30).map(
    lambda owners: [(f"run {i}", owner) for i, owner in enumerate(owners)]
)


@given(waiting_runs, st.dictionaries(st.sampled_from("abcd"), st.floats(0, 100)))
def test_every_run_has_a_turn_and_no_owner_two_before_another_has_one(waiting, served):
    order = fair_order(waiting, served)
    assert sorted(order) == sorted(run for run, _ in waiting)
    owners = dict(waiting)
    turns = [owners[run] for run in order]
    left = Counter(turns)
    seen: Counter[str] = Counter()
    for owner in turns:
        seen[owner] += 1
        left[owner] -= 1
        for other in left:
            if left[other]:
                assert seen[owner] - seen[other] <= 1
    for owner in left:
        mine = [run for run in order if owners[run] == owner]
        assert mine == [run for run, whose in waiting if whose == owner]


def test_one_run_of_another_owner_does_not_wait_for_a_hundred(store):
    many = [store.runs.submit("busy", None, "{}").id for _ in range(100)]
    one = store.runs.submit("other", None, "{}").id
    assert store.runs.place(one) == 2
    assert store.runs.claim("w", 30).id == many[0]
    assert store.runs.place(one) == 1
    assert store.runs.claim("w", 30).id == one
    assert store.runs.claim("w", 30).id == many[1]
    later = store.runs.submit("third", None, "{}").id
    assert store.runs.claim("w", 30).id == later


def test_an_owner_at_the_limit_is_passed_over_until_a_run_ends(store):
    mine = [store.runs.submit("me", None, "{}").id for _ in range(3)]
    theirs = store.runs.submit("they", None, "{}").id
    claimed = [store.runs.claim("w", 30, per_owner=2).id for _ in range(3)]
    assert sorted(claimed) == sorted([*mine[:2], theirs])
    assert store.runs.claim("w", 30, per_owner=2) is None
    assert store.runs.finish(mine[0], "w", "done", None)
    assert store.runs.claim("w", 30, per_owner=2).id == mine[2]


def test_the_line_is_what_is_under_way_and_then_who_waits_in_turn(store):
    first, second, third = (store.runs.submit("me", None, "{}").id for _ in range(3))
    other = store.runs.submit("they", None, "{}").id
    assert store.runs.claim("w", 30).id == first
    under_way, waiting = store.runs.line()
    assert [run.id for run in under_way] == [first]
    assert [run.id for run in waiting] == [other, second, third]


def test_a_run_for_a_device_that_is_not_free_is_passed_over_and_keeps_its_turn(store):
    one = store.runs.submit("me", None, "{}", wanted="GPU-a").id
    any_one = store.runs.submit("me", None, "{}").id
    other = store.runs.submit("they", None, "{}", wanted="GPU-b").id
    assert store.runs.wanted() == {"GPU-a", "", "GPU-b"}
    assert store.runs.claim("w", 30, free=set()) is None
    assert store.runs.claim("w", 30, free={"", "cpu"}).id == any_one
    assert store.runs.claim("w", 30, free={"", "cpu"}) is None
    assert store.runs.claim("w", 30, free={"GPU-a", "GPU-b"}).id == other, "they were not served yet"
    assert store.runs.claim("w", 30, free={"", "GPU-a"}).id == one
    assert store.runs.wanted() == set()


def test_runs_for_a_device_that_is_gone_end_with_the_reason_and_no_others(store):
    waits = store.runs.submit("me", None, "{}", wanted="GPU-a").id
    stays = [store.runs.submit("me", None, "{}", wanted=code).id for code in ("", "GPU-b")]
    lost = store.runs.give_up({"GPU-a"}, Refusal("The card {card} is gone.", card="GPU-a"))
    assert [run.id for run in lost] == [waits]
    ended = store.runs.get("me", waits)
    assert (ended.state, str(ended.reason)) == ("interrupted", "The card GPU-a is gone.")
    assert all(store.runs.get("me", run).state == "queued" for run in stays)
    again = store.runs.resume("me", waits, 0, "{}", "")
    assert (again.state, again.wanted) == ("queued", "")
