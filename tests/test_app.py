"""The launcher and its settings: what keeps pages fast and errors out of sight."""

import gzip
import os
import sqlite3
import subprocess
import sys
import tomllib
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from core.storage import open_store
from core.storage.migrate import newest_revision
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
        again = start(COMPUTE_CANVAS_PORT=str(app.port), COMPUTE_CANVAS_DATA_DIR=str(tmp_path))
        assert again.returncode == 1
        assert again.stderr.strip() == (
            f"Port {app.port} is taken. Stop what runs there or set COMPUTE_CANVAS_PORT to another port."
        )


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """A start of the app that is expected to fail."""
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_database_of_a_newer_program_is_left_alone_and_said_in_one_sentence(tmp_path):
    file = tmp_path / "compute_canvas.sqlite3"
    store = open_store(f"sqlite:///{file}")
    store.migrate()
    store.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    ended = start(COMPUTE_CANVAS_DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"The database (SQLite, {file}) is at schema 9999, newer than this program knows "
        f"({newest_revision()}): update the program."
    )


@pytest.mark.parametrize("port", ["eighty", "-1", "70000", ""])
def test_a_port_that_is_none_is_said_in_one_sentence(tmp_path, port):
    ended = start(COMPUTE_CANVAS_DATA_DIR=str(tmp_path), COMPUTE_CANVAS_PORT=port)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"COMPUTE_CANVAS_PORT is “{port}”; a number from 1 to 65535 is needed."
