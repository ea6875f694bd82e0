"""``python -m tests.chaos --minutes N --seed S --nodes K``."""

from __future__ import annotations

import argparse
import logging
import random
import sys

from tests.chaos.trial import Trial


def main() -> int:
    """Run a trial and report; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Chaos under sessions with nodes.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the weather is bad (default: 1)")
    parser.add_argument("--seed", type=int, default=None, help="gives the same calls and faults again")
    parser.add_argument("--nodes", type=int, default=16, help="nodes, each with a client thread (default: 16)")
    given = parser.parse_args()
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    print(f"python -m tests.chaos --minutes {given.minutes:g} --seed {seed} --nodes {given.nodes}", flush=True)
    logging.disable(logging.CRITICAL)
    trial = Trial(seed=seed, nodes=given.nodes)
    trial.run(given.minutes * 60)
    print("\n".join(trial.report()))
    return 1 if trial.broken else 0


if __name__ == "__main__":
    sys.exit(main())
