"""Ventures to JSON and back: the only door, and it lets nothing malformed in.

A file is ``{"schema_version": n, ...}``. Reading checks the size before the text, the text before
the version, migrates older versions step by step as plain dicts, and only then builds the venture.
Whatever is wrong is one sentence that names the place; what was open stays as it was, because
nothing but a whole valid venture ever comes out.
"""

import json
from collections import Counter
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json as parse_json

from core.i18n import Refusal
from core.venture.earlier import STEPS
from core.venture.frozen import refusal_of
from core.venture.venture import Venture

SCHEMA_VERSION = 2
MAX_BYTES = 2_000_000
MAX_PARTS = 50_000
MAX_NAMES = 100
"""A full venture has some ten thousand objects and lists, and an object a dozen names."""


def to_json(venture: Venture) -> str:
    """The venture as JSON text in the newest schema, complete, so that no default can change it later."""
    document = {"schema_version": SCHEMA_VERSION, **venture.model_dump(mode="json")}
    return json.dumps(document, ensure_ascii=False, indent=1)


def from_json(text: str | bytes) -> Venture:
    """The venture in ``text``; a :class:`Refusal` that names the place of what is wrong."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise Refusal(
            "The file has {size} MB; at most {most} MB are allowed.",
            size=round(len(data) / 1e6, 1),
            most=MAX_BYTES / 1e6,
        )
    parts = data.count(b"{") + data.count(b"[")
    if parts > MAX_PARTS:
        raise Refusal(
            "The file has {count} objects and lists; at most {most} are allowed.", count=parts, most=MAX_PARTS
        )
    try:
        parse_json(data, allow_inf_nan=False)  # refuses depth, NaN, and what is not UTF-8
    except ValueError as error:
        raise Refusal("The file is not valid JSON: {reason}.", reason=str(error)[:200]) from None
    document = json.loads(data, object_pairs_hook=_once)
    if not isinstance(document, dict):
        raise Refusal("The file holds no venture: an object with a schema_version is needed.")
    document = _migrated(document)
    try:
        return Venture.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise refusal_of(error) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of ``pairs``; where a name stands twice, readers would differ on which counts."""
    if len(pairs) > MAX_NAMES:
        raise Refusal(
            "An object in the file has {count} names; at most {most} are allowed.",
            count=len(pairs),
            most=MAX_NAMES,
        )
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise Refusal("The file names “{name}” twice in one object.", name=counts.most_common(1)[0][0][:60])
    return found


def _migrated(document: dict[str, Any]) -> dict[str, Any]:
    version = document.get("schema_version")
    if type(version) is not int or version < 1:
        raise Refusal("schema_version is {value}; a whole number from 1 is needed.", value=repr(version)[:40])
    if version > SCHEMA_VERSION:
        raise Refusal(
            "schema_version is {value}; this version of Compute Canvas reads up to {most}.",
            value=version,
            most=SCHEMA_VERSION,
        )
    for step in range(version, SCHEMA_VERSION):
        document = STEPS[step](document)
    return {key: value for key, value in document.items() if key != "schema_version"}
