"""Try every attack against a stack of its own: `make attack`, or `python -m drills.attack [part of a name]`.

A run of all writes the table in `docs/security.md`, and `drills/results/attack.json`, unless those are read-only, as in
`docker run --rm localhost/paliapi-development:local python -m drills.attack`. Exits with 1 if any succeeded.
"""

import json
import os
import sys

import httpx

from benchmarks.harness.stack import temporary_folder
from drills.attack import connections, processes, requests, rights, table
from drills.attack.scene import Attack, Broken, Scene, prepared

ATTACKS = (*requests.ATTACKS, *connections.ATTACKS, *rights.ATTACKS, *processes.ATTACKS)


def main() -> int:
    wanted = [attack for attack in ATTACKS if not sys.argv[1:] or any(part in attack.name for part in sys.argv[1:])]
    with temporary_folder() as folder, prepared(folder) as scene:
        rows = [try_attack(scene, attack) for attack in wanted]
    if len(wanted) == len(ATTACKS) and os.access(table.RESULTS, os.W_OK):
        table.RESULTS.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        table.write(rows)
    broken = [row for row in rows if not row["held"]]
    sys.stdout.write(f"{len(rows) - len(broken)} of {len(rows)} held.\n")
    return 1 if broken else 0


def try_attack(scene: Scene, attack: Attack) -> table.Row:
    """Try one attack, and check that the stack is well afterwards."""
    try:
        now, held = attack.run(scene), True
        scene.answers(within_s=30)
    except (Broken, httpx.HTTPError) as error:
        now, held = str(error) or type(error).__name__, False
    sys.stdout.write(f"{'held  ' if held else 'BROKEN'}  {attack.name}: {now}\n")
    sys.stdout.flush()
    return {"attack": attack.name, "before": attack.before, "now": now, "held": held}


if __name__ == "__main__":
    sys.exit(main())
