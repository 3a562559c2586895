"""What the catalogue must hold: every sentence that the code says, read from the code itself.

``python -m core.i18n.extract`` brings each ``messages.po`` up to date in place: sentences that are new
come in without a translation, those that nothing says any more go, translations stay. The entries are
sorted by sentence and name files without line numbers, so that a change of code is a small change here.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.i18n.language import LANGUAGES

KEYWORDS: dict[str, tuple[int, ...] | None] = dict.fromkeys(
    ("_", "N_", "Refusal", "FormulaRefusal", "Sentence", "of", "self")
)
"""The calls whose first argument is a sentence: ``Sentence.of`` counts as ``of``, and
``self("…")`` is a :class:`core.i18n.Language` that speaks."""

FOLDERS = ("core", "pages")

_ROOT = Path(__file__).resolve().parents[2]


def messages(root: Path = _ROOT) -> dict[str, list[str]]:
    """Every sentence of the code under ``root`` with the places ("core/venture/amount.py:120") that say it."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for file, line, message, _comments, _context in extract_from_dir(
            str(root / folder), method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            if isinstance(message, str) and message:
                found.setdefault(message, []).append(f"{folder}/{Path(file).as_posix()}:{line}")
    return dict(sorted(found.items()))


def catalogue_file(code: str) -> Path:
    """Where the catalogue of a language lies."""
    return Path(__file__).with_name("locale") / code / "LC_MESSAGES" / "messages.po"


def update(path: Path, said: dict[str, list[str]], code: str) -> tuple[int, int, int]:
    """Write the catalogue at ``path`` for the sentences ``said``; how many came, went and lack a translation."""
    text = path.read_text(encoding="utf-8")
    header = text.split("\n\n")[0]
    old = read_po(io.StringIO(text), locale=code)
    new = Catalog(locale=code)
    for message, places in said.items():
        known = old.get(message)
        new.add(
            message,
            known.string if known else "",
            locations=[(file, 0) for file in sorted({place.partition(":")[0] for place in places})],
            flags=known.flags & {"fuzzy"} if known else (),
        )
    body = io.BytesIO()
    write_po(body, new, width=0, omit_header=True, sort_output=True, include_lineno=False)
    path.write_text(f"{header.strip()}\n\n{body.getvalue().decode().strip()}\n", encoding="utf-8")
    before = {entry.id for entry in old if entry.id}
    return len(said.keys() - before), len(before - said.keys()), sum(not e.string for e in new if e.id)


if __name__ == "__main__":
    said = messages()
    for code in LANGUAGES:
        if code != "en":
            added, dropped, empty = update(catalogue_file(code), said, code)
            print(f"{code}: {added} added, {dropped} dropped, {empty} of {len(said)} without a translation")
