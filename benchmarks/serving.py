"""Starts servers for the benchmarks: the app, or any Streamlit script, each with a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Server:
    """A server at ``url`` that was healthy ``started`` seconds after its start."""

    url: str
    started: float
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Processor time that the server has used, its worker left out."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory_mib(self) -> float:
        """Memory that the server holds, its worker left out."""
        return self.process.memory_info().rss / 2**20


@contextmanager
def served(command: list[str] | None = None) -> Iterator[Server]:
    """A server while the block lasts; ended with all it started.

    ``command`` may hold "{port}"; None starts the app as ``make run`` does.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "COMPUTE_CANVAS_PORT": str(port), "COMPUTE_CANVAS_DATA_DIR": folder}
        environment.pop("COMPUTE_CANVAS_DATABASE_URL", None)
        words = [word.format(port=port) for word in command or [sys.executable, "app.py"]]
        began = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while not _healthy(url):
                if process.poll() is not None:
                    raise SystemExit(f"{words} ended with status {process.returncode}")
                time.sleep(0.01)
            yield Server(url, time.perf_counter() - began, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            for other in psutil.process_iter():
                try:
                    if other.environ().get("COMPUTE_CANVAS_DATA_DIR") == folder:
                        other.kill()
                except psutil.Error:
                    continue


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
