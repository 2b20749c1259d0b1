"""The engine: pure functions over frozen values. No database, clock, chance or I/O (but `ids.py`, which makes ids).

The engine owns: which step is next, joins and skipped branches, failures and their routes, how often and when to try
again, waits, and the end of a run. The shell (`runtime/interpreter`) owns: running steps, the clock, the dice, rows,
leases, intents and their resolution after a crash.

    graph = parse(document)                            # once per version
    state, commands = advance(graph, state, fact)      # once per thing that happens
    commands = resume(graph, state, at)                # once after a run was loaded
    problems = check(document, catalog)                # at every save

Read first: `state.py` (words), `facts.py` (what comes in), `commands.py` (what goes out), `advance.py` (the law).
A retried run goes on in its next generation (`replay.py`; `advance` looks at the run's generation only). What was done
is undone backwards (`undo.py`). Room is kept, and nothing built, for containers (`parent` in the document; each item is
a run of its own).
"""
