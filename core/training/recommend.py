"""What a network trained on ratings recommends to somebody; in a process of the worker.

Everything is rated that the training has not shown to be rated already, and the best is told. Where a rating
depends on more than who rates what, such as how long ago a lecture was, that is taken as it was most often: what
tells of the person from the ratings of that person, what tells of the thing from the ratings of that thing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training import run, shelf, start
from core.training.answers import check_names, in_its_unit, network
from core.training.described import IdColumn
from core.training.spec import RunSpec

BEST = 10


def recommend(owner: str, run_id: str, spec_json: str, user: int) -> dict[str, Any]:
    """The ``BEST`` things that the network of a run expects ``user`` (from 1 on) to like, best first.

    ``best``: each with its ``item`` (from 1 on), the ``rating`` expected, the ``count`` of ratings of it that
    were trained on, and ``truth``, what the user said of it where that was kept for the test, else None.
    ``rated``: how many the user rated in the training; ``mean`` is that of all ratings. Raises a Refusal if
    the run is not the owner's, not about ratings, or if there is no such user.
    """
    shelf.check_run(owner, run_id)
    spec = RunSpec.from_json(spec_json)
    if not spec.data.ids:
        raise Refusal("This network was not trained on ratings, so it recommends nothing.")
    check_names(spec.data.ids, {spec.data.ids[0].key: user})
    examples = start.load(spec, owner)
    assert examples.encoding is not None
    before = np.array([-code.mean for code in examples.encoding.codes])
    chosen, _ = start.split(spec, examples)
    trained, tested = ((rows - before).astype(np.intp) for rows in (examples.train[chosen], examples.test))
    counts = np.bincount(trained[:, 1], minlength=spec.data.ids[1].count + 1)
    rated = trained[trained[:, 0] == user, 1]
    items = np.setdiff1d(np.arange(1, len(counts)), rated)
    asked = np.stack([_usual(trained, spec.data.ids, place, user)[items] for place in range(len(before))], 1)
    known = np.where(asked > 0, asked + before, 0).astype(np.float32)
    ratings = in_its_unit(
        run.answer(network(shelf.run_folder(run_id) / shelf.MODEL), known)[:, 0], examples.encoding
    )
    truths = in_its_unit(examples.test_labels, examples.encoding)
    told = {int(row[1]): float(said) for row, said in zip(tested, truths, strict=True) if row[0] == user}
    best = np.argsort(-ratings, kind="stable")[:BEST]
    return {
        "best": [
            {
                "item": int(items[i]),
                "rating": float(ratings[i]),
                "count": int(counts[items[i]]),
                "truth": told.get(int(items[i])),
            }
            for i in best
        ],
        "rated": len(rated),
        "mean": examples.encoding.target.mean,
    }


def _usual(trained: NDArray[np.intp], columns: Sequence[IdColumn], place: int, user: int) -> NDArray[np.intp]:
    """The value of a column with each item (from 0, which is none), the most frequent one; 0 where none was seen."""
    items = columns[1].count + 1
    if place == 0:
        return np.full(items, user)
    if place == 1:
        return np.arange(items)
    times = np.zeros((items, columns[place].count + 1), np.intp)
    if columns[place].of == "item":
        np.add.at(times, (trained[:, 1], trained[:, place]), 1)
    else:
        times += np.bincount(trained[trained[:, 0] == user, place], minlength=times.shape[1])
    often: NDArray[np.intp] = times.argmax(1)
    return often
