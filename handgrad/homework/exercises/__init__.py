"""Exercises: a small network with numbers for paper, a sheet with blanks, and its answer key.

From the bottom up: `levels`, `blanks` (what is asked, under which name), `paper` (the numbers as they are found on paper),
`lots` (the numbers given), `values` (tables to look up), `sheet` (as text, Markdown, LaTeX, HTML), `exercise` (as
`handgrad.exercise`), `class_set` (a sheet for each student).
"""
