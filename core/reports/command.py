"""``python -m core xlsx``: a venture as an Excel file, from the shell."""

from pathlib import Path
from typing import Any

from core.finance import SEED, simulate
from core.i18n import LANGUAGES, Refusal, language
from core.reports.xlsx import workbook
from core.venture import Venture


def write_xlsx(
    venture: Venture,
    path: Path,
    *,
    code: str = "en",
    draws: int = 1024,
    seed: int = SEED,
) -> dict[str, Any]:
    """Write the Excel file of ``venture`` to ``path``; what was written, ready for JSON.

    ``draws`` paths are simulated for the sheet of the simulation; 0 leaves it out. Raises a
    :class:`Refusal` for a language that is not there, for a plan that cannot be computed, and where
    the file cannot be written.
    """
    if code not in LANGUAGES:
        raise Refusal(
            "There is no language “{code}”; allowed are {allowed}.", code=code, allowed=", ".join(LANGUAGES)
        )
    simulation = simulate(venture, draws, seed) if draws else None
    data = workbook(venture, language(code), simulation, seed=seed)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refusal("{file} cannot be written: {reason}.", file=str(path), reason=error.strerror) from None
    return {"file": str(path), "bytes": len(data), "language": code, "draws": draws, "seed": seed}
