"""The training worker's command line.

``python -m core.training.worker serve`` takes runs from the queue until there is no more need. Started
by the web process where there is one; on a machine of its own, start it by hand or as a service.

Environment: ``COMPUTE_CANVAS_WORKER_MODE`` ("warm": runs are forked from a process that holds Keras
ready; "cold": each imports Keras anew, which takes seconds but no memory in between),
``COMPUTE_CANVAS_WORKER_SLOTS`` (runs at a time, beside GPUs one more on the processor; if not set, one on each
GPU, or one), the limits of ``core.training.limits``, and
``COMPUTE_CANVAS_CLUSTER`` (the address of a Ray cluster, which then trains every run; it says itself how
many at a time).

This module is imported again in every process it starts, so it imports nothing that takes time.
"""

import argparse
import os
import sys

MODE, SLOTS = "COMPUTE_CANVAS_WORKER_MODE", "COMPUTE_CANVAS_WORKER_SLOTS"
CLUSTER = "COMPUTE_CANVAS_CLUSTER"

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # NumPy's own threads have nothing to do here, and the fork server must have none.
    "OPENBLAS_NUM_THREADS": "1",
    # Where JAX computes: leave the rest of a GPU's memory to others.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    # CUDA counts the cards as the driver does: the card that is measured is the one that trains.
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
}
"""What the processes of a run find set, unless it was set already."""


def main(arguments: list[str]) -> int:
    """``serve [--mode warm|cold] [--slots N]``; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.training.worker", description="Train queued runs.")
    serve = parser.add_subparsers(dest="command", required=True).add_parser(
        "serve", help="take runs from the queue"
    )
    serve.add_argument("--mode", choices=("warm", "cold"), default=os.environ.get(MODE, "").strip() or "warm")
    serve.add_argument("--slots", type=int, default=os.environ.get(SLOTS, "").strip() or 0)
    given = parser.parse_args(arguments)
    if given.mode not in ("warm", "cold"):
        parser.error(f"{MODE} is {given.mode}; warm and cold are allowed")
    if not 0 <= given.slots <= 64:
        parser.error(f"{given.slots} slots; 0 (one on each GPU, or one) to 64 are allowed")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    return _serve(given.mode, given.slots)


def _serve(mode: str, slots: int) -> int:
    import logging

    from core.i18n import Refusal
    from core.storage import data_folder, open_store
    from core.training.cards import usual_slots
    from core.training.limits import Limits
    from core.training.seat import Seat
    from core.training.supervisor import Supervisor

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s", stream=sys.stderr)
    try:
        Limits.from_environment()
    except Refusal as refusal:
        logging.error("%s", refusal)
        return 2
    cluster = os.environ.get(CLUSTER, "").strip()
    if cluster:
        from core.training.cluster import connect

        try:
            slots = connect(cluster)
        except Refusal as refusal:
            logging.error("%s", refusal)
            return 2
    store = open_store()
    store.migrate()
    seat = Seat(data_folder(), store.place)
    if not Supervisor(
        store, seat, "cold" if mode == "cold" else "warm", slots or usual_slots(), cluster=bool(cluster)
    ).serve():
        logging.info("another worker is at work for %s", store.place)
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
