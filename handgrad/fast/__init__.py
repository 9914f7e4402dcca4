"""The gradient of a network, fast: the numbers of `Network.trace` with fewer calls and less memory.

Machinery: nobody needs it to understand the rest. `network` hands its gradient to `engine`, and `descent` its steps;
`engine` lends out `plan`s, which are rows of `stages`, which compute `in_place`. `written_out` is backpropagation of one
example as a program of plain numbers, whose lines are in `straight_line`.
"""
