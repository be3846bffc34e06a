"""Run the benchmarks that need no GPU, or those that are named: `make bench ARGS="embeddings.search_quality"`."""

import subprocess
import sys

EVERYWHERE = ("embeddings.service_overhead", "embeddings.search_quality", "search.peers")


def main(names: list[str]) -> int:
    """Run each in its own process, so that none warms up for the next; return the highest exit code."""
    return max(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(EVERYWHERE)))
