"""Which model made a report: a short mark of its formulas, so that two files can be told apart."""

import hashlib

from core.finance import Model
from core.venture import SCHEMA_VERSION


def edition(model: Model) -> str:
    """ "2.3f9c0a7b": the version of the document's schema and a digest of every formula and constant.

    Two ventures of one edition were computed by the same formulas; their numbers may differ.
    """
    parts = [
        f"{key}|{line.unit}|{model.formulas[key].text}|{model.openings[key].text if key in model.openings else ''}"
        for key, line in model.lines.items()
    ]
    parts += [f"{key}|{constant.unit}|{constant.value!r}" for key, constant in model.constants.items()]
    digest = hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()
    return f"{SCHEMA_VERSION}.{digest[:8]}"
