"""The plug-pull drill: a workflow is run in a sandbox whose process is killed at every step boundary in turn.

`manage.py drill FOLDER` is the sandbox: a process of its own on a throw-away SQLite database in that folder, where
calls and mails reach a recorder (`recorder.py`) in place of the world. `rounds.py` forks a worker for each round, has
it killed with SIGKILL, starts the next one in its place, and says what came of it. Nothing else sets failpoints
outside of a test build: the sandbox has neither the installation's database nor its keys.
"""
