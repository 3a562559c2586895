"""A refusal: one sentence with its values apart, so that it can be said in any language."""

import pytest

from core.i18n import Language, Refusal, Sentence, Text, language

EN = language("en")


def shout(message):
    """An upper-case sentence whose places keep their names."""
    parts = message.split("{")
    return parts[0].upper() + "".join(
        "{" + name + "}" + rest.upper() for name, rest in (p.split("}") for p in parts[1:])
    )


SHOUTED = Language("zh_Hans", shout)
"""A language that changes every sentence, so that what is not said in it stands out."""


def test_a_refusal_reads_as_its_english_sentence():
    error = Refusal("{field} is {value}.", field=Text("Price", "价格"), value=3)
    assert str(error) == "Price is 3."
    assert EN.refusal(error) == "Price is 3."
    assert SHOUTED.refusal(error) == "价格 IS 3."
    assert isinstance(error, ValueError)


def test_a_refusal_inside_a_refusal_is_said_in_the_same_language():
    inner = Refusal("{name} is too large", name=Text("Cost", "成本"))
    middle = Refusal("line {line}: {error}", line=4, error=inner)
    outer = Refusal("{field} failed, {error}!", field=Text("Plan", "计划"), error=middle)
    assert EN.refusal(outer) == "Plan failed, line 4: Cost is too large!"
    assert SHOUTED.refusal(outer) == "计划 FAILED, LINE 4: 成本 IS TOO LARGE!"


def test_a_sentence_inside_a_refusal_and_a_refusal_inside_a_sentence_are_said_too():
    sentence = Sentence.of("about {what}", what=Text("cash", "现金"))
    assert SHOUTED.refusal(Refusal("no: {why}", why=sentence)) == "NO: ABOUT 现金"
    told = Sentence.of("because {error}", error=Refusal("not {x}", x=1))
    assert SHOUTED.sentence(told) == "BECAUSE NOT 1"
    assert EN.sentence(told) == "because not 1"


def test_values_are_never_read_as_places():
    error = Refusal("“{text}” is wrong.", text="{field} {0} {} {{")
    assert str(error) == "“{field} {0} {} {{” is wrong."
    assert EN.refusal(error) == str(error)
    again = Refusal("{field}: {error}", field="{x}", error=error)
    assert EN.refusal(again) == "{x}: “{field} {0} {} {{” is wrong."
    assert str(again) == EN.refusal(again)
    assert SHOUTED.refusal(again) == "{x}: “{field} {0} {} {{” IS WRONG."


def test_a_refusal_without_values_may_have_braces():
    assert str(Refusal("Write {price}.")) == "Write {price}."
    assert EN.refusal(Refusal("Write {price}.")) == "Write {price}."


def test_a_sentence_is_a_value_that_can_be_compared_and_kept_in_a_set():
    one, other = Sentence.of("{a}", a=1), Sentence.of("{a}", a=1)
    assert one == other
    assert len({one, other, Sentence.of("{a}", a=2)}) == 2
    with pytest.raises(AttributeError):
        one.message = "x"
