"""The setting of a cluster where there is none: one sentence, and the worker does not begin."""

import sys

import pytest

from core.i18n import Refusal
from core.training.cluster import connect
from core.training.worker import main


def test_without_ray_the_setting_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        Refusal, match=r"COMPUTE_CANVAS_CLUSTER is set, but Ray is not installed: pip install"
    ):
        connect("somewhere:6379")


def test_a_cluster_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        @staticmethod
        def init(**_settings: object) -> None:
            raise ConnectionError("nobody is there.")

    monkeypatch.setitem(sys.modules, "ray", Silent)
    with pytest.raises(Refusal, match=r"The cluster at somewhere:6379 does not answer: nobody is there\."):
        connect("somewhere:6379")


def test_the_worker_ends_with_status_2(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COMPUTE_CANVAS_CLUSTER", "somewhere:6379")
    assert main(["serve"]) == 2
