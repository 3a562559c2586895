"""Questions to the worker: real processes answer, within their limits, and only when they are wanted."""

import base64
import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.i18n import Refusal
from core.storage import Store, open_store
from core.training import checkpoint, datasets, desk, own, service, shelf
from core.training.spec import RunSpec

ME = "founder"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with a warm worker, gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
        opened = open_store()
        opened.migrate()
        watch = service.Watch(opened)
        yield opened
        watch.stop()
        holder = service.seat(opened).holder()
        if holder:
            os.kill(holder.pid, signal.SIGTERM)
        opened.close()


def trained(store: Store, spec: RunSpec, owner: str = ME) -> str:
    run_id = store.runs.submit(owner, None, spec.to_json(), spec.total_steps).id
    deadline = time.monotonic() + 60
    while store.runs.get(owner, run_id).active:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    row = store.runs.get(owner, run_id)
    assert row.state == "done", row.reason
    return run_id


def asked(what: str, **given: object) -> object:
    question = desk.ask(what, **given)
    try:
        said = desk.wait_for(question, 60)
    finally:
        desk.withdraw(question)
    assert said is not None, "no answer"
    return said


def test_from_an_uploaded_table_to_a_prediction(store: Store) -> None:
    """Upload, look, prepare, train, predict: only the worker ever opens the file or the network."""
    content = "\n".join(
        ["size,colour,price", *(f"{i},{'red' if i % 2 else 'blue'},{3 * i + 5}" for i in range(200))]
    )
    data_id = own.receive(ME, "houses.csv", content.encode())
    found = own.Look.from_json(str(asked("look", owner=ME, data_id=data_id)))
    assert [column.kind for column in found.columns] == ["number", "category", "number"]
    made = asked("prepare", owner=ME, data_id=data_id, target="price", task="number", without=[])
    assert isinstance(made, dict) and made["data"]["id"] == data_id
    spec = RunSpec(own=shelf.own_of(ME, data_id), epochs=100, batch_size=16, learning_rate=0.01)
    run_id = trained(store, spec)
    report = shelf.report_of(run_id)
    assert report is not None and len(report.points) == 40
    said = asked(
        "predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=[{"size": "100", "colour": "red"}]
    )
    assert isinstance(said, dict)
    assert said["answers"][0][0] == pytest.approx(305, rel=0.1)
    with pytest.raises(Refusal, match="size is large; a number is needed"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=[{"size": "large"}])
    size = asked("onnx", owner=ME, run_id=run_id, spec_json=spec.to_json())
    assert size == (shelf.run_folder(run_id) / shelf.ONNX).stat().st_size
    with pytest.raises(Refusal, match="no such training run"):
        asked("predict", owner="other", run_id=run_id, spec_json=spec.to_json(), rows=[{"size": "100"}])
    with pytest.raises(Refusal, match="no such training run"):
        asked("onnx", owner="other", run_id=run_id, spec_json=spec.to_json())
    shelf.delete_own(store, ME, data_id)
    assert shelf.report_of(run_id) is None
    assert store.runs.get(ME, run_id).summary
    with pytest.raises(Refusal, match="not kept any more"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=[{"size": "1"}])


def test_a_picture_is_recognised_whether_drawn_or_uploaded_dark_on_bright(store: Store) -> None:
    spec = RunSpec(network="mlp", epochs=2, train_images=20_000, batch_size=64)
    run_id = trained(store, spec)
    images = datasets.load("mnist")
    right = 0
    for place in range(3):
        drawn = images.test[place]
        said = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), drawn=drawn.tolist())
        assert isinstance(said, dict)
        assert sum(said["answers"][0]) == pytest.approx(1, abs=1e-4)
        right += int(np.argmax(said["answers"][0])) == int(images.test_labels[place])
    assert right == 3
    paper = Image.fromarray(255 - images.test[0]).resize((200, 200))
    held = io.BytesIO()
    paper.save(held, "JPEG")
    picture = base64.b64encode(held.getvalue()).decode()
    said = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), picture=picture)
    assert isinstance(said, dict)
    assert int(np.argmax(said["answers"][0])) == int(images.test_labels[0])
    with pytest.raises(Refusal, match="Nothing is drawn yet"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), drawn=[[0] * 28] * 28)
    with pytest.raises(Refusal, match="cannot be read; PNG"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), picture="AAAA")
    held = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(held, "PNG")
    picture = base64.b64encode(held.getvalue()).decode()
    with pytest.raises(Refusal, match="has 36,000,000 pixels"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), picture=picture)


def test_a_sentence_is_judged_and_the_report_shows_the_sentences_it_got_wrong(store: Store) -> None:
    spec = RunSpec(dataset="reviews", epochs=6, learning_rate=0.005)
    run_id = trained(store, spec)
    report = shelf.report_of(run_id)
    assert report is not None
    words = datasets.load("reviews").words
    assert [mistake.words for mistake in report.mistakes] == [words[m.place] for m in report.mistakes]
    rows = [
        {"sentence": "I love it, great quality and easy to use!"},
        {"sentence": "terrible, it does not work"},
    ]
    said = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=rows)
    assert isinstance(said, dict)
    assert [spec.data.class_names[np.argmax(one)] for one in said["answers"]] == ["positive", "negative"]


def test_a_test_example_is_answered_as_the_run_answered_it(store: Store) -> None:
    spec = RunSpec(dataset="vowels", epochs=2)
    run_id = trained(store, spec)
    report = shelf.report_of(run_id)
    assert report is not None
    worst = report.mistakes[0]
    said = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), example=worst.place)
    assert isinstance(said, dict)
    assert (int(np.argmax(said["answers"][0])), said["right"]) == (worst.said, worst.right)
    assert max(said["answers"][0]) == pytest.approx(worst.confidence, abs=1e-3)
    for place in (-1, 370):
        with pytest.raises(Refusal, match="a whole number from 1 to 370 is allowed"):
            asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), example=place)


def test_clothes_are_taken_from_the_test_or_from_a_photograph_on_white(store: Store) -> None:
    spec = RunSpec(dataset="fashion", network="mlp", epochs=3)
    run_id = trained(store, spec)
    pictures = datasets.load("fashion")
    tested = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), example=0)
    held = io.BytesIO()
    Image.fromarray(255 - pictures.test[0]).save(held, "PNG")
    picture = base64.b64encode(held.getvalue()).decode()
    opened = asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), picture=picture)
    assert isinstance(tested, dict) and isinstance(opened, dict)
    assert tested["right"] == pictures.test_labels[0]
    assert opened["seen"] == tested["seen"]
    assert opened["answers"][0] == pytest.approx(tested["answers"][0], abs=1e-3)


def test_a_network_that_is_gone_or_not_one_is_refused(store: Store) -> None:
    spec = RunSpec(dataset="iris", epochs=1)
    run_id = trained(store, spec)
    rows = [{"sepal length (cm)": 1}]
    file = shelf.run_folder(run_id) / shelf.MODEL
    file.write_bytes(b"no network")
    with pytest.raises(Refusal, match="cannot be loaded"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=rows)
    shelf.delete_run(run_id)
    with pytest.raises(Refusal, match="not kept any more"):
        asked("predict", owner=ME, run_id=run_id, spec_json=spec.to_json(), rows=rows)


def test_a_file_that_takes_too_much_memory_gets_a_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte of Parquet that becomes gigabytes of text once read: 9 million cells are allowed."""
    import pyarrow as pa
    from pyarrow import parquet

    out = io.BytesIO()
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 250_000, pa.int32()), pa.array(["x" * 100_000]))
    parquet.write_table(pa.table({"a": long, "b": long}), out)
    assert len(out.getvalue()) < own.MOST_BYTES
    data_id = own.receive(ME, "bomb.parquet", out.getvalue())
    with pytest.raises(Refusal, match=r"more memory or time|took too long|cannot be read"):
        asked("look", owner=ME, data_id=data_id)
    assert service.seat(store).holder() is not None


def test_a_question_taken_back_is_dropped_and_leaves_nothing(store: Store) -> None:
    data_id = own.receive(ME, "t.csv", b"a,b\n" + b"1,2\n2,1\n" * 125_000)
    question = desk.ask("look", owner=ME, data_id=data_id)
    desk.withdraw(question)
    assert asked("look", owner=ME, data_id=data_id)
    assert desk.answer(question) is None
    assert not list(Path(os.environ["COMPUTE_CANVAS_DATA_DIR"], "desk").glob("*"))


def test_a_run_that_is_paused_frees_the_worker_and_goes_on_where_it_was(store: Store) -> None:
    spec = RunSpec(network="mlp", epochs=20, train_images=2_000, batch_size=50)
    run_id = store.runs.submit(ME, None, spec.to_json(), spec.total_steps).id
    checkpoint.ask_to_pause(shelf.run_folder(run_id, make=True))
    deadline = time.monotonic() + 60
    while store.runs.get(ME, run_id).active:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    row = store.runs.get(ME, run_id)
    assert row.state == "stopped"
    assert str(row.reason) == "It was paused after 1 of 20 epochs and can go on from there."
    folder = shelf.run_folder(run_id)
    left = checkpoint.left(folder)
    assert left is not None and left.epochs == 1
    (folder / checkpoint.PAUSE).unlink()
    store.runs.resume(ME, run_id, left.epochs * spec.steps_per_epoch)
    while store.runs.get(ME, run_id).active:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    row = store.runs.get(ME, run_id)
    assert (row.state, row.step, row.attempt) == ("done", spec.total_steps, 2)
    steps = [point.step for point in store.runs.metrics(run_id) if point.kind == "train"]
    assert steps == sorted(steps) and steps[-1] == spec.total_steps
    with pytest.raises(Refusal, match="Only a training run that was stopped or interrupted can go on"):
        store.runs.resume(ME, run_id, 0)
