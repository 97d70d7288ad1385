"""The command line of the benchmark."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.plan import WORKLOADS, Plan
from bench.run import run


def main() -> None:
    """Read the options and run."""
    quick = Plan()
    parser = argparse.ArgumentParser(prog="ambroise bench", description="Measure this software on this machine.")
    parser.add_argument("--patients", type=int, default=quick.patients, metavar="N", help="citizens with open spaces")
    parser.add_argument("--observations", type=int, default=quick.observations, metavar="N", help="results for each")
    parser.add_argument("--documents", type=int, default=quick.documents, metavar="N", help="documents for each")
    parser.add_argument("--long", type=int, default=quick.long, metavar="N", help="documents of the longest record")
    parser.add_argument("--copied", type=int, default=quick.copied, metavar="N", help="documents of an export")
    parser.add_argument("--seconds", type=float, default=quick.seconds, metavar="S", help="of each measure")
    parser.add_argument("--warm-up", type=float, default=quick.warm_up, metavar="S", help="before each measure")
    parser.add_argument("--connections", type=int, default=quick.connections, metavar="N", help="requests under way")
    parser.add_argument("--processes", type=int, default=quick.processes, metavar="N", help="of the server that answer")
    parser.add_argument("--floor-seconds", type=float, default=quick.floor_seconds, metavar="S", help="of each floor")
    parser.add_argument("--starts", type=int, default=quick.starts, metavar="N", help="starts that are timed")
    names = [*(target.name for target in WORKLOADS), "bulk", "export"]
    parser.add_argument("--only", action="append", default=[], choices=names, help="these workloads")
    parser.add_argument("--scale", type=int, default=0, metavar="N", help="then measure again with N citizens")
    parser.add_argument("--out", type=Path, default=quick.out, metavar="DIR", help="where RESULTS.md goes")
    given = vars(parser.parse_args())
    run(Plan(**{**given, "only": frozenset(given["only"])}))


if __name__ == "__main__":
    main()
