"""Fuzzes CLIXML for as long as asked: ``python tests/fuzz/fuzz_clixml.py [seconds] [seed]``.

With atheris installed its coverage guides the search; without it documents of the records are mutated at random. A
find is printed and kept beside this file as ``find-*.clixml``; it becomes a test.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.fuzz.clixml_mutations import documents, mutate
from tests.fuzz.clixml_target import check


def guarded(data: bytes) -> None:
    """Run one input; keep it if it is a find."""
    try:
        check(data)
    except Exception:  # noqa: BLE001  whatever it is, it is a find
        name = Path(__file__).with_name(f"find-{hashlib.sha256(data).hexdigest()[:12]}.clixml")
        name.write_bytes(data)
        traceback.print_exc()
        raise SystemExit(f"a find: {name}") from None


def at_random(seconds: float, seed: int) -> None:
    """Mutate recorded documents until the time is over."""
    source, known = random.Random(seed), documents()
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutate(source.choice(known), source)
        guarded(data)
        count += 1
    print(f"{count} inputs in {seconds:.0f} s, seed {seed}, no find")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    try:
        import atheris  # noqa: PLC0415  it cannot be installed everywhere
    except ImportError:
        at_random(seconds, seed)
        return
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", f"-seed={seed}"], guarded)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
