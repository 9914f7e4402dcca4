"""The benchmark: handgrad's gradient beside the same gradient by others, in time and in memory.

`running` measures, in `workers` of its own; `report` and `chart` show. It uses `autograd`, and nothing uses it but `__main__`.
"""
