"""The launcher and its settings: what keeps pages fast and errors out of sight."""

import gzip
import os
import socket
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import running

ROOT = Path(__file__).parents[1]


def test_the_settings_that_keep_pages_fast_and_private_are_in_place():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["runner"] == {"postScriptGC": False, "fastReruns": True, "magicEnabled": False}
    assert settings["server"]["fileWatcherType"] == "none"
    assert settings["server"]["enableStaticServing"] is False
    assert settings["server"]["maxUploadSize"] <= 5
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["browser"]["gatherUsageStats"] is False


@pytest.mark.timeout(120)
def test_the_app_answers_when_it_is_ready_and_compresses_what_it_sends(tmp_path):
    with running(tmp_path) as app:
        assert app.store.ventures.rows("local") == [], (
            "the tables are there before the app says it is healthy"
        )
        with urllib.request.urlopen(app.url, timeout=10) as answer:
            page = answer.read().decode()
        script = page.split('src="./static/js/')[1].split('"')[0]
        request = urllib.request.Request(f"{app.url}/static/js/{script}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            sent = answer.read()
            assert answer.headers["Content-Encoding"] == "gzip"
        assert len(sent) < 0.6 * len(gzip.decompress(sent))
        again = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={
                **os.environ,
                "COMPUTE_CANVAS_PORT": str(app.port),
                "COMPUTE_CANVAS_DATA_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert again.returncode == 1
        assert again.stderr.strip() == (
            f"Port {app.port} is taken. Stop what runs there or set COMPUTE_CANVAS_PORT to another port."
        )


@pytest.mark.timeout(120)
def test_streamlit_run_serves_the_same_app(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "COMPUTE_CANVAS_DATA_DIR": str(tmp_path)}
    from tests.browser.conftest import App, until

    app = App(tmp_path)
    app.port, app.url = port, f"http://localhost:{port}"
    app._process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until(app._healthy, 60)
    finally:
        app.clear()
