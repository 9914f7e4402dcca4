"""The gradient of a network, fast: the numbers of `Network.trace` with fewer calls and less memory.

Machinery: nobody needs it to understand the rest. `network` hands its gradient to `engine`, and `descent` its steps. `engine`
asks `tiny` for one example of a few units, which runs the network `written_out` in `straight_line`s, and lends out `plan`s for
all else: `passes` over `blocks` of rows, made of `stages` and `outputs`, which compute `in_place`. `weights` and what a plan
hands out are memory that is lent (`lending`). All of them know the network by its `architecture`.
"""
