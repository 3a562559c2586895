"""``python -m core``: the same jobs as the pages, from a shell.

Results are JSON on standard output (``--csv``: CSV where the result is a table). What is wrong is
one sentence on standard error, with exit status 2.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from core.commands import compute, plan, training
from core.commands.options import Answer, Parser, Usage
from core.i18n import Refusal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    try:
        chosen = _parser().parse_args(arguments)
        answer: Answer = chosen.run(chosen)
    except (Refusal, Usage) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    try:
        if isinstance(answer, str):
            print(answer, end="" if answer.endswith("\n") else "\n")
        else:
            json.dump(answer, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
            print()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough; what is left must not be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m core", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for part in (plan, training, compute):
        part.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
