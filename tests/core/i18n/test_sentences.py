"""The code says its sentences so that the catalogue can find them."""

import ast
from pathlib import Path

import core
from core.i18n.extract import KEYWORDS, messages, sentences

ROOT = Path(core.__file__).parents[1]
SAYING = {"_", "N_", "say", "Refusal", "FormulaRefusal", "Sentence", "of", "Reason", "refusal", "Missing"}


def calls():
    """Every call in the code whose first argument is a sentence, with its place."""
    for folder in ("core", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    function = node.func
                    name = (
                        function.id
                        if isinstance(function, ast.Name)
                        else function.attr
                        if isinstance(function, ast.Attribute)
                        else ""
                    )
                    if name in SAYING:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", name, node.args[0]


def test_no_sentence_is_put_together_where_it_is_said():
    """An f-string, a sum or a choice of literals is a sentence that no catalogue holds."""
    wrong = []
    for place, _name, first in calls():
        if isinstance(first, (ast.JoinedStr, ast.BinOp, ast.IfExp)):
            literals = [
                part
                for part in ast.walk(first)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            if literals:
                wrong.append(place)
        elif (
            isinstance(first, ast.Call)
            and isinstance(first.func, ast.Attribute)
            and first.func.attr == "format"
        ):
            wrong.append(place)
    assert wrong == []


def test_sentences_are_found_wherever_they_are_said():
    source = """
label = f"**{_('Inside an f-string')} · {other}**"
told = Sentence.of("Outer {x}", x=f(1, _("Nested")))
raise Refusal(
    "Over two "
    "lines {field}", field=_('And again'))
choice = _("One") if good else say("Other")
class Tongue:
    def words(self): return self("Spoken by itself")
nothing = _(""), _(name), f("No sentence"), _(f"No {literal}"), _(3), _(), self.words("No sentence either")
"""
    assert set(sentences(source)) == {
        "Inside an f-string",
        "Outer {x}",
        "Nested",
        "Over two lines {field}",
        "And again",
        "One",
        "Other",
        "Spoken by itself",
    }


def test_a_literal_is_never_said_through_a_call_that_the_catalogue_does_not_know():
    """A refusal of a kind of its own must mark its sentence, or be among the extractor's calls."""
    wrong = [
        (place, name)
        for place, name, first in calls()
        if name in ("refusal", "Missing") and isinstance(first, ast.Constant) and isinstance(first.value, str)
    ]
    assert wrong == []


def test_every_kind_of_refusal_is_known_to_the_extractor_or_has_its_sentences_marked():
    bases = {}
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    kinds = {"Refusal"}
    while more := {name for name, above in bases.items() if above & kinds} - kinds:
        kinds |= more
    assert {"FormulaRefusal", "Missing", "Stale"} <= kinds
    # Missing and Stale are made with a sentence that is marked by N_ where it stands.
    assert kinds - KEYWORDS <= {"Missing", "Stale"}


def test_each_sentence_is_found_with_its_places():
    found = messages()
    assert set(found["There is no driver “{key}”."]) == {"core/venture/venture.py"}
    assert len(found) > 500
    assert any(place.startswith("pages/") for places in found.values() for place in places)
    assert "" not in found
