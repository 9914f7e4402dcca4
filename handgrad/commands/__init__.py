"""The commands of `python -m handgrad`, a module each: `TEXT` and `EXAMPLE` of its --help, `add` its options, `run` it.

`options` holds what several of them take. Only `handgrad.__main__` uses them; whatever a command needs is loaded when it runs.
"""
