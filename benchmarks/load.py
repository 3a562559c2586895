"""Many people at once: ``python -m benchmarks.load TOOL [--sessions 1,10,50]``.

TOOL is a load tester for Streamlit's own protocol with the options used below (one that opens
``/_stcore/stream``, changes a widget and waits for the chart). Every session edits a venture of its
own. Beside the app, in the same run, stands an empty Streamlit script: the floor.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.serving import served

EMPTY = """import streamlit as st
value = st.number_input("Price", value=1.0, key="price")
st.write(value)
"""


def main() -> None:
    """Print what the tester prints, for the app and for the empty script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tool", type=Path)
    parser.add_argument("--sessions", default="1,10,50")
    chosen = parser.parse_args()
    with served() as (url, _started):
        print("Compute Canvas, plan page, a driver typed", flush=True)
        _test(
            chosen,
            url,
            "--page",
            "plan",
            "--query",
            "venture=new",
            "--widget",
            "driver::price_per_seat",
            "--values",
            "60,70,80,90,100",
            "--watch",
            "plotly_chart",
        )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(EMPTY, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            "{port}",
            "--server.headless",
            "true",
        ]
        with served(command) as (url, _started):
            print("An empty script under streamlit run", flush=True)
            _test(chosen, url, "--widget", "price", "--values", "1:100")


def _test(chosen: argparse.Namespace, url: str, *options: str) -> None:
    subprocess.run(
        [
            sys.executable,
            str(chosen.tool),
            "--url",
            url,
            "--sessions",
            chosen.sessions,
            "--think",
            "5",
            "--changes",
            "4",
            *options,
        ],
        check=False,
    )


if __name__ == "__main__":
    main()
