"""Run the stack of `benchmarks.load.compare` until standard input ends. Its text is passed to Python, not its name.

In this way it runs in checkouts that do not have it, with their own harness.
"""

import json
import sys

from benchmarks.harness.household import household, served
from benchmarks.search import corpus


def main(pages: str) -> None:
    """Fill a stack with that many pages; print its port and the API keys of its owners."""
    corpus.load(int(pages))
    with household({"RATE_PER_MINUTE": "10000000", "RATE_BURST": "1000000"}) as house:
        fill = ("-m", "benchmarks.harness.in_django", "benchmarks.load.load_data", "fill", pages)
        keys = json.loads(house.run(*fill))
        with served(house) as running:
            sys.stdout.write(json.dumps({"port": running.port, "keys": keys}) + "\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
