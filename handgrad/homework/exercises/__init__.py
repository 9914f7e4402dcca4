"""Exercises: a small network with numbers for paper, a sheet with blanks, and its answer key.

From the bottom up: `blanks` (what is asked, under which name), `paper` (the numbers as they are found on paper), `lots` (the
numbers given), `exercise` (as `handgrad.exercise`), `values` (tables to look up), `sheet` (as text, Markdown, LaTeX, HTML),
`class_set` (a sheet for each student).
"""
