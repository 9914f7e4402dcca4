"""Grading an exercise that was filled in: what is right, what follows rightly from an earlier slip, and which slip it was.

From the bottom up: `numbers` (as people write them), `answers` (read from a mapping, CSV or Markdown), `slips` (the classic
ones, as formulas), `verdicts` (blank by blank), `grade` (as `handgrad.grade`), `folder` (a class).
"""
