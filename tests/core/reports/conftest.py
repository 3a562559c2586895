"""A spreadsheet program that calculates without a screen."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def recalculated(tmp_path):
    """A function: the Excel files at some paths, calculated anew by LibreOffice, at new paths."""
    program = shutil.which("soffice")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("LibreOffice is missing (Debian: apt install libreoffice-calc)")
        pytest.skip("needs LibreOffice (Debian: apt install libreoffice-calc)")

    def run(paths: list[Path]) -> list[Path]:
        out = tmp_path / "recalculated"
        subprocess.run(
            [
                program,
                f"-env:UserInstallation=file://{tmp_path / 'profile'}",
                "--headless",
                "--norestore",
                "--convert-to",
                "xlsx:Calc MS Excel 2007 XML",
                "--outdir",
                str(out),
                *map(str, paths),
            ],
            check=True,
            capture_output=True,
            timeout=100,
        )
        return [out / path.name for path in paths]

    return run
