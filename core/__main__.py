"""``python -m core``: the same jobs as the pages, from a shell.

Results are JSON on standard output (``--csv``: CSV where the result is a table). What is wrong is
one sentence on standard error, with exit status 2.
"""

import argparse
import json
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
    if isinstance(answer, str):
        print(answer, end="" if answer.endswith("\n") else "\n")
    else:
        json.dump(answer, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
        print()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m core", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for part in (plan, training, compute):
        part.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
