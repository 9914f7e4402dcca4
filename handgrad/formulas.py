"""The notes' equations as a person writes them in a line, for a terminal; `equations.EQUATIONS` has them in LaTeX."""

FORMULAS = {
    1: "L_i = −log P(Y = y_i | X = x_i); of a sigmoid unit P(1) = a, and its derivative is a − y",
    2: "L_i = −log(e^s_k / Σ_j e^s_j), k = y_i; with p = softmax(s) its derivative is p − y",
    3: "dL/dw = dL/da · da/dz · dz/dw",
    4: "dL/da = 2 (a − y)",
    5: "da/dz = g(z) (1 − g(z))",
    6: "dz/dw = a of the layer before",
    7: "dz/db = 1, so that dL/db = da/dz · dL/da",
    8: "z_j = b_j + Σ_k w_jk · a_k of the layer before",
    9: "a_j = g(z_j)",
    10: "L_i = Σ_j (a_j − y_j)²",
    11: "dL/dw_jk = dz_j/dw_jk · da_j/dz_j · dL/da_j, summed over the examples",
    12: "da_j/dz_j = g′(z_j)",
    13: "dz_j/dw_jk = a_k of the layer before",
    14: "dL/da_k of the layer before = Σ_j dz_j/da_k · da_j/dz_j · dL/da_j",
}
