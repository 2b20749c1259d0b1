"""`make schema-calls`: calls made up from the whole published document, as each role and as nobody.

    python -m tests.schema_calls [--seed N] [--by-chance N] [--sample] [WORDS of operations]

Prints what failed, and one JSON line. The exit code is 1 when anything did.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.product import Product
from tests.schema_calls import cases, town
from tests.schema_calls.calls import Tally, make

#: What the coverage phase gives is fixed by the document; so many by chance are added of each kind.
BY_CHANCE = 10
LEAST = 20_000


def main() -> int:
    """Call everything, and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--by-chance", type=int, default=BY_CHANCE)
    parser.add_argument("--sample", action="store_true", help="three calls of each operation, as `make test` does")
    parser.add_argument("words", nargs="*", help="only operations that hold one of these")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    tally, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="millrace-schema-") as place, Product(Path(place) / "data") as product:
        product.start()
        here = town.settle(product)
        document = here.api.client.get("/api/v1/schema").json()
        schema = cases.load(document, chosen.seed)
        for operation in cases.operations(schema):
            if chosen.words and not any(word in operation.label for word in chosen.words):
                continue
            dice = random.Random(f"{chosen.seed} {operation.label}")
            objects = here.objects(operation.path)
            if chosen.sample:
                made = cases.some_of(schema, operation, chosen.seed)
            else:
                made = list(cases.all_of(schema, operation, chosen.seed, chosen.by_chance))
            for case in made:
                here.give_objects(case, objects, dice)
            before = len(tally.failures)
            make(here, operation, made, tally)
            if len(tally.failures) > before:
                print(f"{operation.label}: {len(tally.failures) - before} kinds of failure", flush=True)
        crashes = product.log.count('"a view failed"')
        here.close()
    print(tally.told())
    total = sum(tally.calls.values())
    line = {
        "figure": "calls made up from the published schema",
        "seed": chosen.seed,
        "calls": total,
        "by_role": dict(tally.calls),
        "statuses": {
            role: {str(status): count for status, count in sorted(found.items())}
            for role, found in tally.statuses.items()
        },
        "unsent": tally.unsent,
        "failures": sum(count for count, _ in tally.failures.values()),
        "crashes_in_the_log": crashes,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(line))
    enough = bool(chosen.words) or chosen.sample or total >= LEAST
    return 0 if enough and not tally.failures and not crashes else 1


if __name__ == "__main__":
    sys.exit(main())
