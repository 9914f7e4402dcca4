"""Homework: a small network derived number by number, the notes' figures, exercises and grading, networks fitted and saved.

`worked` (as `handgrad.worked`) derives; `exercises` and `grading` (as `handgrad.exercise` and `handgrad.grade`) ask and
grade; `examples` holds published numbers, recomputed; `figures` draws; `advice` (as `Network.advice`) remarks. `described`
reads a network and its data from a file, `dataset` examples from a table, which `training` trains on (`text_files` opens
tables and answers); `saving` (as `Network.save` and `handgrad.load`) keeps networks, whose files `archive` opens;
`written_out` (as `handgrad.written_out`) shows a network's backpropagation as a program. Behind `worked`, from the bottom up:
`digits`, `expressions`, `symbols`, `writing`; `quantities`, `steps`, `forward`, `backward`, `totals`, `derivation`;
`solution`, `given`, `lines`; `plain`, `document`, `drawing`, `page`. The words of all of them are in `words`.
Nothing here is loaded by `import handgrad`, and whatever needs more than NumPy (the extra homework) loads it when it
is called.
"""
