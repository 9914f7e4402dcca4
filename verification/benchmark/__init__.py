"""The benchmark: handgrad's gradient beside the same gradient by others, in time and in memory.

`peers` are whom it measures, with what numba compiles in `jitted`; `running` measures them, in `workers` of its own; `report`
and `chart` show. It uses `autograd`, and nothing uses it but `__main__`.
"""
