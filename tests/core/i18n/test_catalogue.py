"""The catalogue holds every sentence of the program, and nothing else."""

import re
import string

import pytest

from core.i18n import language
from core.i18n.extract import catalogue, messages

FIELDS = re.compile(r"\{[^{}]*\}")


@pytest.fixture(scope="module")
def translated() -> dict[str, str]:
    return {message.id: message.string for message in catalogue() if message.id}


def test_no_sentence_is_missing_and_none_is_unused(translated):
    program = messages()
    missing = {text: places for text, places in program.items() if not translated.get(text)}
    assert missing == {}
    assert sorted(set(translated) - set(program)) == []


def test_no_translation_is_a_guess(translated):
    assert [message.id for message in catalogue() if message.id and message.fuzzy] == []


def test_a_translation_has_the_places_of_its_sentence(translated):
    wrong = {
        text: other
        for text, other in translated.items()
        if other and set(FIELDS.findall(text)) != set(FIELDS.findall(other))
    }
    assert wrong == {}


def test_every_translation_can_be_filled(translated):
    reader = language("zh_Hans")
    for text, other in translated.items():
        if "%{" in text:  # a template of Plotly's, which fills it in the browser
            continue
        names = [name for _, name, _, _ in string.Formatter().parse(other) if name]
        if names:
            assert reader(text, **dict.fromkeys(names, "1"))


def test_the_language_says_what_the_catalogue_says(translated):
    reader = language("zh_Hans")
    assert reader("Why?") == translated["Why?"] != "Why?"
    assert reader("A sentence that nobody has translated.") == "A sentence that nobody has translated."
