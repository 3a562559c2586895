"""Data of a founder's own: what is accepted, what is said about it, and what is turned away."""

import io
import json
import os
import pickle
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.i18n import Refusal
from core.storage import Missing, Store, open_store
from core.training import desk, doubts, own, service, shelf, supervisor, tables
from core.training.datasets import OwnData, split
from core.training.pictures import MOST_UNPACKED, read_picture
from core.training.reading import read_csv
from core.training.spec import RunSpec

ME, OTHER = "me", "somebody else"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{folder}/store.sqlite3")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    return tmp_path


def churn(rows: int = 400, extra: str = "") -> bytes:
    """Customers: a number with gaps, a category, text, an identifier, a constant, and whether they left."""
    rng = np.random.default_rng(0)
    lines = ["months,plan,note,id,country,left" + (f",{extra}" if extra else "")]
    for row in range(rows):
        left = rng.random() < 0.4
        months = "" if row % 10 == 0 else f"{rng.normal(6 if left else 20, 4):.2f}"
        note = "it is slow again" if left and rng.random() < 0.7 else f"works very well {row}"
        fields = [months, rng.choice(["basic", "pro"]), note, f"c{row}x", "NO", "yes" if left else "no"]
        lines.append(",".join([*fields, *(["1" if left else "0"] if extra else [])]))
    return "\n".join(lines).encode()


def pictures(classes: dict[str, int], side: int = 30, mode: str = "L") -> bytes:
    """A ZIP of flat pictures, one brightness a class, with a little noise."""
    out = io.BytesIO()
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(out, "w") as archive:
        for place, (name, count) in enumerate(classes.items()):
            for index in range(count):
                pixels = rng.integers(0, 40, (side, side), np.uint8) + 60 * place
                held = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(held, "PNG")
                archive.writestr(f"data/{name}/{index}.png", held.getvalue())
    return out.getvalue()


def test_a_table_is_looked_into_column_by_column() -> None:
    found = own.look(ME, own.receive(ME, "churn.csv", churn()))
    assert (found.kind, found.rows) == ("table", 400)
    kinds = {column.name: column.kind for column in found.columns}
    assert kinds == {
        "months": "number",
        "plan": "category",
        "note": "text",
        "id": "left_out",
        "country": "left_out",
        "left": "category",
    }
    assert next(c.missing for c in found.columns if c.name == "months") == 40
    assert list(map(str, found.warnings)) == [
        "Left out, with the same value in every row or none: country.",
        "Left out, as nearly every row has a word of its own there, such as c0x: id.",
    ]
    again = own.Look.from_json(found.to_json())
    assert (again.columns, list(map(str, again.warnings))) == (found.columns, list(map(str, found.warnings)))


def test_a_table_made_ready_can_be_loaded_and_its_rows_are_numbers() -> None:
    data_id = own.receive(ME, "churn.csv", churn())
    described = own.prepare(ME, data_id, "left", "classes")
    assert (described.name, described.class_names) == ("churn", ("no", "yes"))
    assert (described.train, described.test) == (320, 80)
    assert not [w for w in described.doubts if "among the training examples" not in str(w)]
    examples = own.load(ME, data_id)
    assert examples.train.shape == (320, *described.shape)
    assert np.isfinite(examples.train).all()
    months = examples.train[:, 0]
    assert (months[examples.train[:, 1] == 0].mean(), months.std()) == pytest.approx((0, 0.95), abs=0.1)
    assert shelf.own_data(ME) == [described]


def test_a_typed_row_becomes_the_same_numbers_as_in_the_file() -> None:
    data_id = own.receive(ME, "churn.csv", churn())
    own.prepare(ME, data_id, "left", "classes")
    encoding = own.load(ME, data_id).encoding
    assert encoding is not None
    table = read_csv(churn())
    typed = [{name: str(table.columns[name][1]) for name in table.names}]
    assert encoding.encode_typed(typed)[0] == pytest.approx(encoding.encode(table)[1], abs=1e-5)
    with pytest.raises(Refusal, match="months is many; a number is needed"):
        encoding.encode_typed([{"months": "many"}])


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv(io.BytesIO(churn())), tmp_path / "t.parquet")
    one = own.receive(ME, "t.parquet", (tmp_path / "t.parquet").read_bytes())
    two = own.receive(ME, "t.csv", churn())
    own.prepare(ME, one, "left", "classes")
    own.prepare(ME, two, "left", "classes")
    assert np.array_equal(own.load(ME, one).train, own.load(ME, two).train)


CITIES = "城市,收入,流失\n" + "".join(
    f"{'北京' if i % 2 else '上海'},{i},{'是' if i % 3 else '否'}\n" for i in range(60)
)
GERMAN = "Größe;Preis;Käufer\n" + "".join(
    f"{i},5;1.{i:03},25;{'Müller' if i % 2 else 'Jürgen Öz'}\n" for i in range(60)
)


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        (CITIES, "utf-8", None),
        (CITIES, "utf-8-sig", None),
        (CITIES, "gb18030", "GB 18030"),
        (CITIES, "gbk", "GB 18030"),
        (CITIES.replace(",", "\t"), "utf-16", "UTF-16"),
        (GERMAN, "utf-8", None),
        (GERMAN, "cp1252", "Windows-1252"),
    ],
)
def test_a_table_is_read_however_a_spreadsheet_wrote_it(text: str, encoding: str, said: str | None) -> None:
    name = "t.txt" if encoding == "utf-16" else "t.csv"
    found = own.look(ME, own.receive(ME, name, text.encode(encoding)))
    mark = next(m for m in ",;\t" if m in text.splitlines()[0])
    assert [c.name for c in found.columns] == text.splitlines()[0].split(mark)
    names = {name for column in found.columns for name, _ in column.counts}
    assert ({"北京", "上海", "是", "否"} if text is not GERMAN else {"Müller", "Jürgen Öz"}) & names
    warned = [w.values["encoding"] for w in found.warnings if "not written in UTF-8" in str(w)]
    assert warned == ([said] if said else [])


def test_decimal_commas_are_numbers_where_columns_are_parted_by_semicolons() -> None:
    data_id = own.receive(ME, "t.csv", GERMAN.encode())
    size, price, _ = own.look(ME, data_id).columns
    assert (size.kind, size.spread, price.kind, price.spread[0]) == (
        "number",
        (0.5, 30.0, 59.5),
        "number",
        1000.25,
    )
    own.prepare(ME, data_id, "Käufer")
    encoding = own.load(ME, data_id).encoding
    assert encoding is not None
    comma, point = encoding.encode_typed([{"Preis": "1.020,25"}, {"Preis": "1020.25"}])
    assert comma == pytest.approx(point)


def test_a_day_can_be_typed_as_the_table_has_it() -> None:
    lines = ["day,left", *(f"2024-{1 + i % 12:02}-{1 + i % 28:02},{'ab'[i % 2]}" for i in range(90))]
    data_id = own.receive(ME, "t.csv", "\n".join(lines).encode())
    (day, _) = own.look(ME, data_id).columns
    assert day.examples[0] == "2024-01-01"
    own.prepare(ME, data_id, "left")
    encoding = own.load(ME, data_id).encoding
    assert encoding is not None
    typed = encoding.encode_typed([{"day": "2024-05-01"}, {"day": "19844"}, {"day": "2024-05-01T12:00"}])
    assert typed[0] == pytest.approx(typed[1])
    assert typed[2] > typed[0]
    with pytest.raises(Refusal, match="day is 1 May; a date such as 2024-05-01 is needed"):
        encoding.encode_typed([{"day": "1 May"}])


def test_whole_numbers_that_are_close_are_classes_of_their_own() -> None:
    lines = ["a,code", *(f"{i},{1234561 + i % 3}" for i in range(90))]
    described = own.prepare(ME, own.receive(ME, "t.csv", "\n".join(lines).encode()), "code")
    assert described.class_names == ("1234561", "1234562", "1234563")
    lines = ["a,code", *(f"{i},{[0.1234567, 0.1234568][i % 2]}" for i in range(90))]
    described = own.prepare(ME, own.receive(ME, "t.csv", "\n".join(lines).encode()), "code")
    assert described.class_names == ("0.1234567", "0.1234568")


def test_what_a_target_holds_is_said_before_anything_is_made_ready() -> None:
    found = own.look(ME, own.receive(ME, "churn.csv", churn()))
    left = next(c for c in found.columns if c.name == "left")
    assert (left.counts, left.spread) == ((("no", 255), ("yes", 145)), ())
    months = next(c for c in found.columns if c.name == "months")
    assert months.spread == tuple(sorted(months.spread)) and len(months.spread) == 3


def test_a_column_that_gives_the_answer_away_is_named() -> None:
    data_id = own.receive(ME, "churn.csv", churn(extra="refunded"))
    described = own.prepare(ME, data_id, "left", "classes")
    assert any("refunded tells the answer almost by itself" in str(w) for w in described.doubts)
    described = own.prepare(ME, data_id, "left", "classes", ["refunded"])
    assert not any("refunded" in str(w) for w in described.doubts)
    assert described.train == 320


def rare(rows: int = 2_000) -> tuple[np.ndarray, np.random.Generator]:
    """Three in a hundred are fraud."""
    rng = np.random.default_rng(1)
    return rng.random(rows) < 0.03, rng


def told(columns: dict[str, object], target: str, task: str = "classes") -> set[str]:
    """The columns that are said to give ``target`` away."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    data_id = own.receive(ME, "t.csv", "\n".join(lines).encode())
    described = own.prepare(ME, data_id, target, task)  # type: ignore[arg-type]
    shelf.drop_upload(ME, data_id)
    return {str(w.values["name"]) for w in described.doubts if "almost by itself" in str(w)}


def test_a_column_that_gives_a_rare_class_away_is_named_and_a_usual_one_is_not() -> None:
    fraud, rng = rare()
    n = len(fraud)
    columns = {
        "same": np.where(fraud, "f", "g"),
        "charged_back": np.where(fraud, rng.uniform(5, 90, n).round(2), 0),
        "only_then": np.where(fraud, rng.integers(1, 9, n).astype(str), ""),
        "noise": rng.normal(size=n),
        "town": rng.choice([f"t{i}" for i in range(40)], n),
        "weak": rng.normal(size=n) + fraud,
        "fraud": np.where(fraud, "yes", "no"),
    }
    assert told(columns, "fraud") == {"same", "charged_back", "only_then"}


def test_a_number_in_another_form_gives_the_number_away() -> None:
    rng = np.random.default_rng(2)
    price = np.exp(rng.normal(10, 1, 500)).round(3)
    columns = {
        "log": np.log(price),
        "cube": -(price**3),
        "band": np.digitize(price, np.quantile(price, np.linspace(0, 1, 41)[1:-1])),
        "related": price * np.exp(rng.normal(0, 0.4, 500)),
        "noise": rng.normal(size=500),
        "shop": rng.choice(["a", "b"], 500),
        "price": price,
    }
    assert told(columns, "price", "number") == {"log", "cube", "band"}


@pytest.mark.parametrize("classes", [2, 5, 50])
def test_chance_alone_gives_no_class_away(classes: int) -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, classes, 400)
    for values in (rng.normal(size=400), np.array([f"id{i}" for i in range(400)], object)):
        assert not doubts.tells(values, labels)


def test_uneven_classes_and_doubled_rows_are_told() -> None:
    lines = ["a,b,c", *(f"{i % 40},{(i * 7) % 30},{'rare' if i % 20 == 0 else 'usual'}" for i in range(400))]
    described = own.prepare(ME, own.receive(ME, "t.csv", "\n".join([*lines, *lines[1:]]).encode()), "c")
    said = " ".join(map(str, described.doubts))
    assert "classes are uneven: usual has" in said
    assert "test examples are also among the training examples" in said


def test_rows_alike_by_chance_and_running_numbers() -> None:
    """Where a few columns have few values each, rows are alike, and no test is easier for it."""
    rng = np.random.default_rng(5)
    lines = ["customer,plan,land,left"]
    lines += [f"{1000 + i},{rng.integers(3)},{rng.integers(4)},{'yn'[rng.integers(2)]}" for i in range(200)]
    data_id = own.receive(ME, "t.csv", "\n".join(lines).encode())
    said = own.prepare(ME, data_id, "left").doubts
    assert [str(doubt)[:49] for doubt in said] == ["The column customer looks like a running number. "]
    assert own.prepare(ME, data_id, "left", without=["customer"]).doubts == []


def test_nothing_of_the_test_gets_into_the_scales() -> None:
    """Numbers of the rows kept for the test change, and the rest stays as it was."""
    size, rng = np.arange(100.0), np.random.default_rng(6)
    price = rng.normal(size=100)
    test = split(price)[1]

    def made() -> Any:
        lines = ["size,price", *(f"{a},{b}" for a, b in zip(size, price, strict=True))]
        data_id = own.receive(ME, "t.csv", "\n".join(lines).encode())
        own.prepare(ME, data_id, "price", "number")
        return own.load(ME, data_id)

    before = made()
    size[test], price[test] = 1e6, 1e6
    after = made()
    assert after.encoding == before.encoding
    assert np.array_equal(after.train, before.train)
    assert np.array_equal(after.train_labels, before.train_labels)
    assert after.test_labels.min() > 1e5


def test_one_long_text_among_many_short_ones_needs_no_memory_for_all() -> None:
    lines = ["note,left", *(f"{'word ' * (2_000 if i == 7 else 3)}{i},{i % 2}" for i in range(20_000))]
    table = read_csv("\n".join(lines).encode())
    tracemalloc.start()
    found = tables.profile("note", table.columns["note"])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.kind, found.distinct) == ("text", 20_000)
    assert most < 20e6


def test_a_number_can_be_predicted() -> None:
    data_id = own.receive(ME, "churn.csv", churn().replace(b",,", b",1,").replace(b"\n,", b"\n3,"))
    described = own.prepare(ME, data_id, "months", "number")
    assert (described.task, described.class_names) == ("number", ())
    labels = own.load(ME, data_id).train_labels
    assert labels.dtype == np.float32
    assert (labels.mean(), labels.std()) == pytest.approx((0, 1), abs=0.15)


@pytest.mark.parametrize(("mode", "shape"), [("L", (28, 28, 1)), ("RGB", (28, 28, 3))])
def test_a_zip_of_pictures_becomes_squares_of_one_size(mode: str, shape: tuple[int, ...]) -> None:
    data_id = own.receive(ME, "cats.zip", pictures({"cat": 30, "dog": 20}, mode=mode))
    found = own.look(ME, data_id)
    assert (found.kind, found.counts) == ("images", (("cat", 30), ("dog", 20)))
    described = own.prepare(ME, data_id)
    assert (described.shape, described.class_names) == (shape, ("cat", "dog"))
    examples = own.load(ME, data_id)
    assert examples.train.dtype == np.uint8
    assert (
        examples.train[examples.train_labels == 1].mean() > examples.train[examples.train_labels == 0].mean()
    )


@pytest.mark.parametrize(
    ("dark", "bright", "seen"),
    [
        (np.uint16(10_000), np.uint16(50_000), (39, 195)),  # of 65,535
        (np.array((0, 0, 0, 0), np.uint8), np.array((200, 0, 0, 255), np.uint8), (255, 60)),  # clear is white
    ],
)
def test_a_picture_is_seen_as_a_person_sees_it(dark: Any, bright: Any, seen: tuple[int, int]) -> None:
    held = io.BytesIO()
    Image.fromarray(np.array([[dark, bright]] * 2)).save(held, "PNG")
    pixels = np.asarray(read_picture(held.getvalue()).convert("L"))
    assert pixels.tolist() == [pytest.approx(seen, abs=1)] * 2


def test_a_photograph_is_turned_as_the_camera_was_held() -> None:
    held = io.BytesIO()
    picture = Image.new("L", (64, 32))
    picture.paste(255, (0, 0, 64, 8))
    turned = Image.Exif()
    turned[0x0112] = 6  # the top of the picture is at its right
    picture.save(held, "JPEG", exif=turned)
    seen = np.asarray(read_picture(held.getvalue()))
    assert seen.shape == (64, 32)
    assert seen[:, -4].mean() > 200 > 50 > seen[:, 4].mean()


def test_folders_named_by_windows_or_in_chinese_are_classes() -> None:
    for content in (renamed("/", "\\"), renamed("cat", "猫"), unflagged(renamed("cat", "猫"))):
        found = own.look(ME, own.receive(ME, "t.zip", content))
        assert {count for _, count in found.counts} == {20, 30}
        assert {name for name, _ in found.counts} <= {"cat", "dog", "猫"}


def unflagged(content: bytes) -> bytes:
    """The ZIP as a program writes it that uses UTF-8 and does not say so."""
    return content.replace(b"\x14\x00\x00\x08", b"\x14\x00\x00\x00")


def bomb() -> bytes:
    """Two pictures of which one declares far more than it may hold."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", b"\0" * (MOST_UNPACKED + 1))
        archive.writestr("b/1.png", b"x")
    return out.getvalue()


def renamed(old: str, new: str, content: bytes = b"") -> bytes:
    """A ZIP of pictures whose files are called otherwise."""
    out = io.BytesIO()
    given = zipfile.ZipFile(io.BytesIO(content or pictures({"cat": 30, "dog": 20})))
    with zipfile.ZipFile(out, "w") as archive:
        for name in given.namelist():
            archive.writestr(name.replace(old, new), given.read(name))
    return out.getvalue()


def corrupt() -> bytes:
    """A ZIP of which the bytes of one picture were overwritten."""
    out = io.BytesIO()
    given = zipfile.ZipFile(io.BytesIO(pictures({"cat": 30, "dog": 20})))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in given.namelist():
            archive.writestr(name, b"0" * 9_000 + given.read(name))
        place = archive.getinfo("data/cat/9.png").header_offset + 30 + len("data/cat/9.png")
    content = bytearray(out.getvalue())
    content[place : place + 20] = b"\xff" * 20
    return bytes(content)


def lying_bomb() -> bytes:
    """Pictures that declare a kilobyte each and hold a hundred megabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(2):
            archive.writestr(f"{'ab'[index]}/{index}.png", b"\0" * 100_000_000)
    return out.getvalue().replace((100_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def long_parquet() -> bytes:
    """A column of ten million rows in a few kilobytes."""
    return as_parquet(a=np.zeros(10_000_001, np.int8))


def wide_parquet() -> bytes:
    return as_parquet(**{f"c{place}": np.zeros(60, np.int8) for place in range(3_000)})


def as_parquet(**columns: object) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def large_picture() -> bytes:
    """Pictures that are a few kilobytes each and 10,000 pixels wide."""
    held = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(held, "PNG")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for index in range(30):
            archive.writestr(f"{'ab'[index % 2]}/{index}.png", held.getvalue())
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", b"a," * 10_000_000 + b"b\n1", "and 10,000,001 columns"),
        ("t.csv", b'"a\nb",' + b"a," * 400_000 + b"b\n1", "columns; at most"),
        ("t.csv", b"a,b\n" + b"1,2\n" * 300_001, "has 300,001 rows and 2 columns"),
        ("t.csv", b"a,b\n1,2\n", "has 1 rows; at least 50"),
        ("t.csv", b"a,b\n1\n2,3,4\n", "^Row 2 of the CSV has 1 values and the header has 2"),
        ("t.csv", b"a,b\n" + b"1,2\n" * 60 + b'"3,4\n' + b"5,6\n" * 9, "^Row 62 of the CSV has 1 values"),
        (
            "t.csv",
            b"a,b\n" + b"1e307,2\n" * 60,
            r"column a holds the number 1e\+307; numbers from -1e\+100 to",
        ),
        ("t.csv", "a,b\n1,2\n".encode("utf-32") * 60, "it is no text"),
        ("t.csv", b"a,b\n", "has 0 rows; at least 50"),
        ("t.csv", bytes(range(256)) * 20, "cannot be read as CSV|at least 50"),
        ("t.csv", b"\xff\xfe" + b"\x00\xd8" * 60, "it is no text"),
        ("t.csv", b"a;b\n" + b"1;\x00\n" * 60, "it is no text"),
        ("t.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("t.parquet", long_parquet(), "^The table has 10,000,001 rows and 1 columns"),
        ("t.parquet", wide_parquet(), "^The table has 60 rows and 3,000 columns; at most .* 200 columns"),
        ("t.parquet", b"a,b\n" + b"1,2\n" * 60, "cannot be read as Parquet"),
        ("t.zip", b"PK no", "ZIP file cannot be read"),
        ("t.zip", bomb(), "^The ZIP file holds 2 pictures and 300 MB once unpacked"),
        ("t.zip", lying_bomb(), "ZIP file cannot be read"),
        ("t.zip", large_picture(), "^Only 0 pictures in the ZIP file can be read; at least 20"),
        ("t.zip", pictures({"only": 30}), "^The ZIP file has pictures in 1 folders"),
        ("t.zip", renamed("data/cat/", ""), "^The picture 29.png in the ZIP file lies in no folder"),
        (
            "t.zip",
            renamed("data/", "../../"),
            r"^The ZIP file holds \.\./\.\./cat/0.png, a path that leads out",
        ),
        ("t.zip", renamed(".png", ".heic"), "^The ZIP file holds no picture; their names end in .png, .jpg"),
        ("t.zip", corrupt(), "^The ZIP file cannot be read: data/cat/9.png: Error -3"),
    ],
)
def test_what_is_too_large_or_broken_is_turned_away_with_a_sentence(
    name: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(Refusal, match=sentence) as refused:
        own.look(ME, own.receive(ME, name, content))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(("name", "content"), [("t.pkl", b"x"), ("t", b"x"), ("t.csv", b""), ("t.exe", b"x")])
def test_another_kind_of_file_is_not_even_kept(name: str, content: bytes) -> None:
    with pytest.raises(Refusal):
        own.receive(ME, name, content)
    assert not shelf.own_data(ME)


def test_a_pickle_under_another_name_is_never_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("it was unpickled",))

    for name in ("t.csv", "t.parquet", "t.zip"):
        with pytest.raises(Refusal):
            own.look(ME, own.receive(ME, name, pickle.dumps(Trap()) * 100))


@pytest.mark.parametrize(
    ("target", "task", "sentence"),
    [
        ("nothing", "classes", "no column nothing; it has months, plan, note, id, country, left"),
        ("months", "classes", "has 40 missing values"),
        ("id", "classes", "400 different values; 2 to 100"),
        ("plan", "number", "is no number"),
        ("country", "classes", "same value in every row"),
    ],
)
def test_a_column_that_cannot_be_predicted_is_refused(target: str, task: str, sentence: str) -> None:
    data_id = own.receive(ME, "churn.csv", churn())
    with pytest.raises(Refusal, match=sentence):
        own.prepare(ME, data_id, target, task)  # type: ignore[arg-type]


def test_data_is_its_owners_alone_and_goes_when_it_is_deleted(folder: Path, store: Store) -> None:
    data_id = own.receive(ME, "churn.csv", churn())
    own.prepare(ME, data_id, "left")
    assert shelf.own_data(OTHER) == []
    for theirs in (own.load, own.look, shelf.own_of):
        with pytest.raises(Refusal, match="was deleted"):
            theirs(OTHER, data_id)
    assert shelf.own_folder(ME, data_id).stat().st_mode & 0o077 == 0
    with pytest.raises(Refusal, match="was deleted"):
        own.again(OTHER, data_id)
    shelf.delete_own(store, OTHER, data_id)
    assert shelf.own_data(ME)
    shelf.delete_own(store, ME, data_id)
    assert shelf.own_data(ME) == []
    assert not [file for file in (folder / "own").rglob("*") if file.is_file()]


@pytest.mark.parametrize("name", ["../../etc", "", "0123456789ABCDEF", "0" * 15, json.dumps("x")])
def test_a_name_that_is_no_id_leads_nowhere(name: str) -> None:
    with pytest.raises(Refusal, match="nothing under the name"):
        shelf.own_folder(ME, name)
    with pytest.raises(Refusal, match="nothing under the name"):
        shelf.run_folder(name)


def test_what_learned_from_deleted_data_or_shows_it_goes_with_it_and_the_figures_stay(store: Store) -> None:
    data_id, other_id = (own.receive(ME, "churn.csv", churn()) for _ in range(2))
    ids = {}
    for name, data in (("on it", data_id), ("beside it", other_id)):
        spec = RunSpec(own=own.prepare(ME, data, "left"))
        ids[name] = store.runs.submit(ME, None, spec.to_json(), 1).id
        for file in (shelf.MODEL, shelf.REPORT):
            (shelf.run_folder(ids[name], make=True) / file).write_bytes(b"x")
    with pytest.raises(Refusal, match=r"on this data are waiting or running \(1\); stop them"):
        shelf.delete_own(store, ME, data_id)
    sweep_id = store.sweeps.create(ME, None, json.dumps({"own": {"id": data_id}})).id
    assert (shelf.wanted(store, ME, data_id), shelf.wanted(store, OTHER, data_id)) == (2, 0)
    store.sweeps.cancel(ME, sweep_id)
    assert shelf.run_folder(ids["on it"]).is_dir()
    store.runs.cancel(ME, ids["on it"])
    assert [row.id for row in store.runs.mentioning(ME, data_id)] == [ids["on it"]]
    assert store.runs.mentioning(OTHER, data_id) == store.runs.mentioning(ME, "%") == []
    shelf.delete_own(store, ME, data_id)
    assert not shelf.run_folder(ids["on it"]).exists()
    assert shelf.run_folder(ids["beside it"]).is_dir()
    assert store.runs.get(ME, ids["on it"]).spec
    assert [data.id for data in shelf.own_data(ME)] == [other_id]


def test_what_is_doubtful_is_kept_with_the_data_and_stands_in_the_model_card() -> None:
    made = own.prepare(ME, own.receive(ME, "churn.csv", churn(extra="refunded")), "left")
    (kept,) = shelf.own_data(ME)
    assert kept == made == RunSpec.from_json(RunSpec(own=made).to_json()).own
    assert any("refunded tells the answer" in str(doubt) for doubt in kept.doubts)
    before = {key: value for key, value in asdict(made).items() if key != "warnings"}
    assert OwnData.of(before) == replace(made, warnings=())
    with pytest.raises(Refusal, match="cannot be read"):
        OwnData.of({**before, "warnings": ["no reason"]})


def test_columns_can_be_chosen_again_without_touching_what_was_trained_on() -> None:
    first = own.prepare(ME, own.receive(ME, "churn.csv", churn(extra="refunded")), "left")
    again_id = own.again(ME, first.id)
    assert shelf.unfinished(ME) == {again_id: "churn"}
    second = own.prepare(ME, again_id, "plan", without=["refunded"])
    assert (second.name, second.target, second.doubts != first.doubts) == ("churn", "plan", True)
    assert shelf.own_of(ME, first.id) == first
    assert own.load(ME, first.id).train.shape[1:] == first.shape


def test_an_upload_that_was_never_made_ready_is_listed_can_be_dropped_and_is_forgotten(store: Store) -> None:
    ready = own.prepare(ME, own.receive(ME, "churn.csv", churn()), "left").id
    mine, new, theirs = (own.receive(who, "churn.csv", churn()) for who in (ME, ME, OTHER))
    assert set(shelf.unfinished(ME)) == {mine, new}
    for who, data_id in ((ME, mine), (OTHER, theirs), (ME, ready)):
        os.utime(shelf.own_folder(who, data_id), (0, time.time() - shelf.UNFINISHED_S - 1))
    shelf.tidy(store)
    assert (set(shelf.unfinished(ME)), shelf.unfinished(OTHER)) == ({new}, {})
    assert shelf.own_of(ME, ready)
    shelf.drop_upload(ME, new)
    assert not shelf.unfinished(ME)


def test_uploads_that_are_not_ready_count_too() -> None:
    for _ in range(own.MOST_SETS):
        own.receive(ME, "churn.csv", churn(60))
    for one_more in (
        lambda: own.receive(ME, "churn.csv", churn()),
        lambda: own.again(ME, next(iter(shelf.unfinished(ME)))),
    ):
        with pytest.raises(Refusal, match="10 data sets already"):
            one_more()
    assert own.receive(OTHER, "churn.csv", churn())


def test_an_eleventh_data_set_is_refused() -> None:
    for _ in range(own.MOST_SETS):
        own.prepare(ME, own.receive(ME, "churn.csv", churn(60)), "left")
    with pytest.raises(Refusal, match="10 data sets already"):
        own.receive(ME, "churn.csv", churn())


def test_what_deleted_runs_left_behind_goes_too_if_this_database_knew_them(
    store: Store, tmp_path: Path
) -> None:
    kept, gone = (store.runs.submit(ME, None, "{}", 1).id for _ in range(2))
    unmarked, unknown = store.runs.submit(ME, None, "{}", 1).id, "f" * 16
    for run_id in (kept, gone, unmarked, unknown):
        (shelf.run_folder(run_id, make=True) / shelf.MODEL).write_bytes(b"x")
    for run_id in (kept, gone):
        shelf.mark_run(store, run_id, ME)
    store.runs.cancel(ME, gone)
    store.runs.delete(ME, gone)
    other = open_store(f"sqlite:///{tmp_path}/other.sqlite3")
    other.migrate()
    shelf.clear_orphans(other)
    other.close()
    assert all(shelf.run_folder(run_id).is_dir() for run_id in (kept, gone, unmarked, unknown))
    shelf.clear_orphans(store)
    assert all(shelf.run_folder(run_id).is_dir() for run_id in (kept, unmarked, unknown))
    assert not shelf.run_folder(gone).exists()
    shelf.check_run(ME, unmarked)  # it was marked as the database knows it
    for whose, run_id in ((OTHER, kept), (ME, unknown)):
        with pytest.raises(Missing, match="no such training run"):
            shelf.check_run(whose, run_id)


def test_the_supervisor_tidies_at_once_and_then_once_in_an_hour(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied = []
    monkeypatch.setattr(shelf, "tidy", tidied.append)
    worker = supervisor.Supervisor(store, service.seat(store), "cold")
    left, fresh = (desk._file(desk.ask("predict", picture="x"), "ask") for _ in range(2))
    os.utime(left, (0, time.time() - desk.FORGOTTEN_S - 1))
    for _ in range(3):
        worker._tidy()
    assert tidied == [store]
    assert (left.exists(), fresh.exists()) == (False, True)
    now = time.monotonic()
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now + supervisor.TIDY_S + 1)
    worker._tidy()
    assert tidied == [store] * 2
