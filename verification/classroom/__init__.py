"""A class's hand-ins checked at once: a line each in a table, a page, and what a course's system reads.

`hand_ins` finds them in folders, `marking` checks them, in several processes if asked, each to a row of `rows`; `table`, `page`
and `gradescope` write the rows down. `checking` judges, and knows of no class.
"""
