"""Random networks with data: architectures, what fills them, shrinking, printing as code.

The ground floor: every room may use it, and it uses handgrad alone (`strategies` Hypothesis besides).
"""
