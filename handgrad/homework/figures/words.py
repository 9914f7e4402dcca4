"""Every word in the figures, in one table a language."""

from __future__ import annotations

from collections.abc import Callable

from handgrad import checks

__all__ = ["WORDS", "wording"]

WORDS = {
    "en": {
        "section": "Section {section}.",
        "section_equations": "Section {section}, {equations}.",
        "name_identity": "Identity",
        "name_sigmoid": "Sigmoid",
        "name_tanh": "TanH",
        "name_relu": "ReLU",
        "name_leaky_relu": "Leaky ReLU",
        "name_prelu": "PReLU",
        "name_softmax": "Softmax",
        "function": "{name}: function",
        "derivative": "{name}: derivative",
        "z": "pre-activation z",
        "g": "activation g(z)",
        "dg": "derivative g′(z)",
        "about_identity": "g(z) = z: no activation, as the output layer of a regression has it.",
        "about_sigmoid": "g(z) = 1/(1 + e^−z): increasing, between 0 and 1.",
        "about_tanh": "g(z) = tanh z: zero-centred, between −1 and 1.",
        "about_relu": "g(z) = max(0, z): zero below, unbounded above.",
        "about_leaky_relu": "g(z) = z for z > 0, otherwise {slope} z: a small slope instead of 0.",
        "about_prelu": "g(z) = z for z > 0, otherwise α z: the slope α is learned. Here α = {slope}.",
        "about_softmax": "Three logits become probabilities: z_1 varies, z_2 = {second}, z_3 = {third}.",
        "slope_identity": "g′(z) = 1 everywhere.",
        "slope_sigmoid": "g′(z) = g(z)(1 − g(z)): at most 1/4, tiny at the extremes, where the gradient vanishes.",
        "slope_tanh": "g′(z) = 1 − tanh² z: at most 1, tiny at the extremes, where the gradient vanishes.",
        "slope_relu": "g′(z) = 0 where z < 0: a dead unit stops learning. At z = 0 the value taken is 0 (filled dot).",
        "slope_leaky_relu": "g′(z) = {slope} where z < 0, not 0. At z = 0 the value taken is the slope (filled dot).",
        "slope_prelu": "g′(z) = α where z < 0, not 0. At z = 0 the value taken is α (filled dot).",
        "slope_softmax": "First row of the Jacobian: a_1(1 − a_1), −a_1·a_2, −a_1·a_3. It sums to 0.",
        "logit": "logit z_1",
        "probability": "probability a_j",
        "softmax_derivative": "derivative ∂a_j/∂z_1",
        "cross_entropy": "Cross-entropy",
        "p": "probability p of the true class",
        "loss_nats": "loss L_i (nats)",
        "about_cross_entropy": "L_i = −log p. It strictly decreases in p (the notes say increasing): 0 at p = 1, without "
        "bound at p → 0.",
        "squared_error": "Squared error",
        "squared_error_derivative": "Squared error: derivative",
        "error": "error a − y (units of y)",
        "loss_squared": "loss L_i (squared units of y)",
        "dL_da": "dL/da (units of y)",
        "about_squared_error": "L_i = (a − y)², the term of one neuron.",
        "about_squared_error_derivative": "dL/da = 2(a − y): the line through 0 that starts the way back.",
        "norms_by_layer": "Gradient by layer, L = {depth}",
        "norms_by_depth": "Gradient in the first layer",
        "layer": "layer l",
        "depth": "depth: number of layers L",
        "norm": "norm of dL/dw (units of L per unit of w)",
        "about_norms_by_layer": "Width n = {width}, random weights. Where g′ is small, the gradient shrinks with each "
        "layer back: it vanishes.{zeros}",
        "about_norms_by_depth": "The same networks, from shallow to deep: what is left of the gradient in layer 1.{zeros}",
        "zeros": " Hollow marks on the lower edge: exactly 0.",
        "saturation_derivative": "g′ of a saturated sigmoid",
        "saturation_norms": "Gradient in a saturated network",
        "stable": "stable: g(−z) g(z)",
        "textbook": "as in the notes:\ng(z)(1 − g(z))",
        "log_g": "derivative g′(z)",
        "about_saturation_derivative": "Beyond z = {last} rounding makes 1 − g(z) zero, and the notes' form with it (hollow "
        "marks on the lower edge); the other form of the same number keeps every digit.",
        "about_saturation_norms": "{depth} layers of one sigmoid neuron, z ≈ {z} in each but the last. By the notes' form "
        "the layers before the last get exactly 0 (hollow marks on the lower edge).",
        "losses": "Loss during training",
        "epoch": "epoch",
        "loss": "loss L (squared units of y, or nats)",
        "loss_of_squared_error": "loss L (squared units of y)",
        "loss_of_cross_entropy": "loss L (nats)",
        "loss_of_binary_cross_entropy": "loss L (nats)",
        "about_losses": "The loss of each epoch, before its steps: each step goes against the gradient vector ∇L.",
        "dead_units": "Dead ReLU units during training",
        "share": "dead units (% of the layer)",
        "layer_units": "layer {number} ({units} units)",
        "layer_unit": "layer {number} (1 unit)",
        "about_dead_units": "A unit is dead where z ≤ 0 for every example: its derivative is 0 and its weights stop "
        "learning. Epoch 0: before training.",
        "boundary": "Decision boundary",
        "x_1": "input x_1",
        "x_2": "input x_2",
        "predicted": "predicted: {label}",
        "example": "example of {label}",
        "about_boundary": "Shaded: the class that the network predicts. Marks: the examples, by their class.",
        "before": "Layer {number} before",
        "after": "Layer {number} after",
        "from": "from neuron k of layer {number} (b: bias)",
        "from_input": "from input k (b: bias)",
        "to": "to neuron j",
        "weight": "weight w_jk, bias b_j",
        "about_weights": "w_jk goes to neuron j from neuron k of the layer before; b_j is right of the white line.",
        "about_scale": "One scale for all layers. Dark: negative; light: positive; 0 is in the middle.",
    },
    "es": {
        "section": "Sección {section}.",
        "section_equations": "Sección {section}, {equations}.",
        "name_identity": "Identidad",
        "name_sigmoid": "Sigmoide",
        "name_tanh": "TanH",
        "name_relu": "ReLU",
        "name_leaky_relu": "Leaky ReLU",
        "name_prelu": "PReLU",
        "name_softmax": "Softmax",
        "function": "{name}: función",
        "derivative": "{name}: derivada",
        "z": "preactivación z",
        "g": "activación g(z)",
        "dg": "derivada g′(z)",
        "about_identity": "g(z) = z: sin activación, como la capa de salida de una regresión.",
        "about_sigmoid": "g(z) = 1/(1 + e^−z): creciente, entre 0 y 1.",
        "about_tanh": "g(z) = tanh z: centrada en cero, entre −1 y 1.",
        "about_relu": "g(z) = max(0, z): cero por debajo, sin cota por arriba.",
        "about_leaky_relu": "g(z) = z si z > 0; si no, {slope} z: una pendiente pequeña en lugar de 0.",
        "about_prelu": "g(z) = z si z > 0; si no, α z: la pendiente α se aprende. Aquí α = {slope}.",
        "about_softmax": "Tres logits pasan a ser probabilidades: z_1 varía, z_2 = {second}, z_3 = {third}.",
        "slope_identity": "g′(z) = 1 en todas partes.",
        "slope_sigmoid": "g′(z) = g(z)(1 − g(z)): como mucho 1/4, diminuta en los extremos, donde el gradiente se desvanece.",
        "slope_tanh": "g′(z) = 1 − tanh² z: como mucho 1, diminuta en los extremos, donde el gradiente se desvanece.",
        "slope_relu": "g′(z) = 0 si z < 0: una neurona muerta deja de aprender. En z = 0 se toma el valor 0 (punto relleno).",
        "slope_leaky_relu": "g′(z) = {slope} si z < 0, y no 0. En z = 0 se toma la pendiente (punto relleno).",
        "slope_prelu": "g′(z) = α si z < 0, y no 0. En z = 0 se toma α (punto relleno).",
        "slope_softmax": "Primera fila del jacobiano: a_1(1 − a_1), −a_1·a_2, −a_1·a_3. Sus términos suman 0.",
        "logit": "logit z_1",
        "probability": "probabilidad a_j",
        "softmax_derivative": "derivada ∂a_j/∂z_1",
        "cross_entropy": "Entropía cruzada",
        "p": "probabilidad p de la clase verdadera",
        "loss_nats": "pérdida L_i (nats)",
        "about_cross_entropy": "L_i = −log p. Es estrictamente decreciente en p (los apuntes dicen creciente): 0 en p = 1, "
        "no acotada cuando p → 0.",
        "squared_error": "Error cuadrático",
        "squared_error_derivative": "Error cuadrático: derivada",
        "error": "error a − y (unidades de y)",
        "loss_squared": "pérdida L_i (unidades de y al cuadrado)",
        "dL_da": "dL/da (unidades de y)",
        "about_squared_error": "L_i = (a − y)², el término de una neurona.",
        "about_squared_error_derivative": "dL/da = 2(a − y): la recta que pasa por 0 y con la que empieza la propagación "
        "hacia atrás.",
        "norms_by_layer": "Gradiente por capa, L = {depth}",
        "norms_by_depth": "Gradiente en la primera capa",
        "layer": "capa l",
        "depth": "profundidad: número de capas L",
        "norm": "norma de dL/dw (unidades de L por unidad de w)",
        "about_norms_by_layer": "Anchura n = {width}, pesos aleatorios. Donde g′ es pequeña, el gradiente se reduce "
        "con cada capa hacia atrás: se desvanece.{zeros}",
        "about_norms_by_depth": "Las mismas redes, de menos a más capas: lo que queda del gradiente en la capa 1.{zeros}",
        "zeros": " Marcas huecas en el borde inferior: exactamente 0.",
        "saturation_derivative": "g′ de una sigmoide saturada",
        "saturation_norms": "Gradiente en una red saturada",
        "stable": "estable: g(−z) g(z)",
        "textbook": "como en los apuntes:\ng(z)(1 − g(z))",
        "log_g": "derivada g′(z)",
        "about_saturation_derivative": "Más allá de z = {last} el redondeo anula 1 − g(z), y con ello la forma de los "
        "apuntes (marcas huecas en el borde inferior); la otra forma del mismo número conserva todas las cifras.",
        "about_saturation_norms": "{depth} capas de una neurona sigmoide, z ≈ {z} en todas menos la última. Con la forma de "
        "los apuntes, las capas anteriores a la última reciben exactamente 0 (marcas huecas en el borde inferior).",
        "losses": "Pérdida durante el entrenamiento",
        "epoch": "época",
        "loss": "pérdida L (unidades de y al cuadrado, o nats)",
        "loss_of_squared_error": "pérdida L (unidades de y al cuadrado)",
        "loss_of_cross_entropy": "pérdida L (nats)",
        "loss_of_binary_cross_entropy": "pérdida L (nats)",
        "about_losses": "La pérdida de cada época, antes de sus pasos: cada paso va en contra del vector gradiente ∇L.",
        "dead_units": "Neuronas ReLU muertas durante el entrenamiento",
        "share": "neuronas muertas (% de la capa)",
        "layer_units": "capa {number} ({units} neuronas)",
        "layer_unit": "capa {number} (1 neurona)",
        "about_dead_units": "Una neurona está muerta si z ≤ 0 para todos los ejemplos: su derivada es 0 y sus pesos dejan de"
        " aprender. Época 0: antes de entrenar.",
        "boundary": "Frontera de decisión",
        "x_1": "entrada x_1",
        "x_2": "entrada x_2",
        "predicted": "predicción: {label}",
        "example": "ejemplo de {label}",
        "about_boundary": "Sombreado: la clase que predice la red. Marcas: los ejemplos, según su clase.",
        "before": "Capa {number}, antes",
        "after": "Capa {number}, después",
        "from": "desde la neurona k de la capa {number} (b: sesgo)",
        "from_input": "desde la entrada k (b: sesgo)",
        "to": "hacia la neurona j",
        "weight": "peso w_jk, sesgo b_j",
        "about_weights": "w_jk va hacia la neurona j desde la neurona k de la capa anterior; b_j está a la derecha de la "
        "línea blanca.",
        "about_scale": "Una sola escala para todas las capas. Oscuro: negativo; claro: positivo; el 0, en el medio.",
    },
}


def wording(language: str) -> Callable[..., str]:
    """Return a function from a key of `WORDS`, and what fills its gaps, to the words in a language.

    Parameters
    ----------
    language : str
        "en" or "es".

    Returns
    -------
    callable
        `say(key, **fields)`.

    Raises
    ------
    TypeError, ValueError
        If there are no words in the language.

    Examples
    --------
    >>> wording("es")("layer_units", number=1, units=4)
    'capa 1 (4 neuronas)'
    """
    table = WORDS[checks.one_of("language", language, WORDS)]

    def say(key: str, **fields: object) -> str:
        return table[key].format(**fields)

    return say
