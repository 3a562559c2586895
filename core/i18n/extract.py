"""The sentences of the program against those of the catalogue: ``python -m core.i18n.extract``.

A sentence is the first argument, a literal, of ``_(...)``, ``N_(...)``, ``Refusal(...)``,
``FormulaRefusal(...)`` or ``Sentence.of(...)``. They are read off the syntax trees, since Babel's own
extractor passes by those inside an f-string. The command brings the catalogue up to date: new
sentences come in without a translation, unused ones go, translations stay.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
PLACES = ("app.py", "core", "pages")
CATALOGUE = Path(__file__).with_name("locale") / "zh_Hans" / "LC_MESSAGES" / "messages.po"
KEYWORDS = frozenset(("_", "N_", "say", "Refusal", "FormulaRefusal", "Sentence", "of", "Reason", "self"))
"""The calls that say a sentence; ``self("…")`` is a :class:`core.i18n.Language` that speaks."""


def messages() -> dict[str, list[str]]:
    """Every sentence of the program, with the files in which it stands."""
    found: dict[str, list[str]] = {}
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for text in sentences(file.read_text(encoding="utf-8")):
                found.setdefault(text, []).append(file.relative_to(ROOT).as_posix())
    return found


def sentences(source: str) -> Iterator[str]:
    """The sentences that Python source says."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        text = node.args[0].value
        if name in KEYWORDS and isinstance(text, str) and text:
            yield text


def catalogue() -> Catalog:
    """The catalogue as it stands."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def updated() -> Catalog:
    """The catalogue with exactly the program's sentences, sorted."""
    old = catalogue()
    new = Catalog(
        locale="zh_Hans",
        project="Compute Canvas",
        version="1",
        fuzzy=False,
        header_comment="# Compute Canvas in simplified Chinese.",
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        last_translator="",
        language_team="",
        msgid_bugs_address="",
    )
    for text in sorted(messages()):
        known = old.get(text)
        new.add(text, known.string if known else "", flags=known.flags & {"fuzzy"} if known else ())
    return new


def main() -> None:
    """Bring the catalogue up to date and say what is missing."""
    new = updated()
    with CATALOGUE.open("wb") as file:
        write_po(file, new, width=0, sort_output=True, no_location=True)
    missing = [message.id for message in new if message.id and not message.string]
    print(f"{len(new)} sentences, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
