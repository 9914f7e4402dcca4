"""The sentences of the advice, one table a language: templates for `str.format`, filled with measured numbers."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS = {
    "en": {
        "nothing": "Nothing stands out: none of the usual reasons why a network does not learn is seen here.",
        "not-finite": (
            "The loss is {loss:.3g}, and of the {derivatives} derivatives {bad} are infinite or not a number. The largest |w| "
            "is {w:.3g}, the largest |x| {x:.3g}. Beyond the notes: take smaller weights, and scale the inputs."
        ),
        "zero-gradient": (
            "All {derivatives} derivatives are 0 though the loss is {loss:.3g}: no step changes anything, whatever the rate. "
            "Beyond the notes: either no gradient finds a way back, or this is a minimum."
        ),
        "relu-output": (
            "The output layer, layer {layer}, is relu. Outputs that are 0 where the target is greater, so that no gradient "
            "flows: {stuck} of {outputs}. ReLU is for hidden layers, not for the output layer (section {section})."
        ),
        "deep-squashing": (
            "Hidden layers that are sigmoid or tanh: {squashing}. The mean |dL/dw| of layer {layer} is {ratio:.2g} times that "
            "of layer {last}. Avoid sigmoid and tanh in deep networks; ReLU is the default for hidden layers (section "
            "{section})."
        ),
        "dead-units": (
            "Dead units in layer {layer} ({activation}): {dead} of {units}. Their z <= 0 on all {examples} examples, so the "
            "weights into them get no gradient (section {section}). If ReLU fails, try its variants, leaky_relu or prelu "
            "(section II.F)."
        ),
        "saturated-units": (
            "Saturated units in layer {layer} ({activation}): {saturated} of {units}. Over the {examples} examples g′(z) of "
            "the layer is below 1 % of its largest value in {percent:.3g} % of all cases, and the mean |z| is {z:.3g}; almost "
            "no gradient passes there (section {section}). Smaller weights or scaled inputs help."
        ),
        "squashed-regression": (
            "The output layer is {activation}, and the targets take {distinct} different values from {least:.3g} to "
            "{largest:.3g}: this looks like regression, for which the output layer is usually linear, with no activation "
            "(section {section})."
        ),
        "targets-out-of-range": (
            "Targets that the output layer, {activation}, cannot reach, since they lie beyond {low:g} and {high:g}: {beyond} "
            "of {targets}. They run from {least:.3g} to {largest:.3g}. Scale them into that range (section {section}), or for "
            "regression take a linear output (section II.F)."
        ),
        "softmax-squared-error": (
            "Softmax with squared error: the largest probability of a wrong class is {p:.3g}, and that example's largest "
            "|dL/dz| is {derivative:.2g}; with cross-entropy, p − y, it would be {joined:.2g}. Softmax goes together with "
            "cross-entropy (section {section})."
        ),
        "softmax-of-one-unit": (
            "The output layer is softmax of {units} unit: whatever z is, it gives 1, and every derivative is 0. Softmax needs "
            "a unit for each class (section {section})."
        ),
        "symmetric-weights": (
            "Units of layer {layer} that have a twin, with the same weights, bias and weights onward: {alike} of {units}. The "
            "derivatives of twins differ by {difference:.2g} at most, so they stay alike and do the work of one. Beyond the "
            "notes: start from random weights."
        ),
        "zero-weights": (
            "Every weight of layer {layer} is 0: its output does not depend on the inputs, and {zero} of the network's "
            "{derivatives} derivatives are 0. Beyond the notes: start from random weights."
        ),
        "inputs-not-scaled": (
            "The inputs are not scaled: the standard deviation of x[:, {narrow}] is {least:.3g}, that of x[:, {wide}] "
            "{largest:.3g}. Beyond the notes: take from every column its mean, and divide by its standard deviation."
        ),
        "inputs-far-from-zero": (
            "The inputs are far from 0: x[:, {column}] has the mean {mean:.3g} and the standard deviation {deviation:.3g}. "
            "Beyond the notes: take from every column its mean, and divide by its standard deviation."
        ),
        "inputs-constant": (
            "A column is far from 0 and constant: x[:, {column}] is {mean:.3g} on all {examples} examples. Beyond the notes: "
            "leave it out; the bias does its work."
        ),
        "class-missing": (
            "Classes that none of the {examples} examples has: {missing} of {classes}, the first of them class {first}. "
            "Beyond the notes: the network can only learn never to name them."
        ),
        "rate-diverges": (
            "With the rate {rate:g} the loss goes from {before:.4g} to {after:.4g} in {steps} steps; with {better:.3g} it "
            "falls to {reached:.4g}. Beyond the notes: take a smaller rate."
        ),
        "rate-diverges-still": (
            "With the rate {rate:g} the loss goes from {before:.4g} to {after:.4g} in {steps} steps, and with {better:.3g} it "
            "still does not fall. Beyond the notes: take a far smaller rate, smaller weights, and scaled inputs."
        ),
        "rate-crawls": (
            "With the rate {rate:g} the loss falls by {percent:.2g} % in {steps} steps, from {before:.4g}; with {better:.3g} "
            "it falls by {reached:.2g} %. Beyond the notes: take a larger rate."
        ),
    },
    "es": {
        "nothing": ("Nada llama la atención: aquí no se ve ninguna de las razones habituales por las que una red no aprende."),
        "not-finite": (
            "La pérdida es {loss:.3g}, y de las {derivatives} derivadas {bad} son infinitas o no son números. El mayor |w| es "
            "{w:.3g} y el mayor |x|, {x:.3g}. Más allá de los apuntes: usa pesos más pequeños y escala las entradas."
        ),
        "zero-gradient": (
            "Las {derivatives} derivadas son todas 0 aunque la pérdida es {loss:.3g}: ningún paso cambia nada, sea cual sea "
            "la tasa de aprendizaje. Más allá de los apuntes: o el gradiente no encuentra camino hacia atrás, o esto es un "
            "mínimo."
        ),
        "relu-output": (
            "La capa de salida, la capa {layer}, es relu. Salidas que valen 0 donde el objetivo es mayor, de modo que no pasa "
            "gradiente: {stuck} de {outputs}. ReLU es para las capas ocultas, no para la capa de salida (sección {section})."
        ),
        "deep-squashing": (
            "Capas ocultas con sigmoid o tanh: {squashing}. La media de |dL/dw| de la capa {layer} es {ratio:.2g} veces la de "
            "la capa {last}. Evita sigmoid y tanh en redes profundas; ReLU es la opción por defecto en las capas ocultas "
            "(sección {section})."
        ),
        "dead-units": (
            "Neuronas muertas en la capa {layer} ({activation}): {dead} de {units}. Su z <= 0 en los {examples} ejemplos, así "
            "que los pesos que llegan a ellas no reciben gradiente (sección {section}). Si ReLU falla, prueba sus variantes, "
            "leaky_relu o prelu (sección II.F)."
        ),
        "saturated-units": (
            "Neuronas saturadas en la capa {layer} ({activation}): {saturated} de {units}. En los {examples} ejemplos, g′(z) "
            "de la capa queda por debajo del 1 % de su valor máximo en el {percent:.3g} % de los casos, y la media de |z| es "
            "{z:.3g}; por ahí casi no pasa gradiente (sección {section}). Ayudan pesos más pequeños o entradas escaladas."
        ),
        "squashed-regression": (
            "La capa de salida es {activation}, y los objetivos toman {distinct} valores distintos, de {least:.3g} a "
            "{largest:.3g}: parece una regresión, para la que la capa de salida suele ser lineal, sin función de activación "
            "(sección {section})."
        ),
        "targets-out-of-range": (
            "Objetivos que la capa de salida, {activation}, no puede alcanzar, porque quedan fuera de {low:g} y {high:g}: "
            "{beyond} de {targets}. Van de {least:.3g} a {largest:.3g}. Escálalos a ese rango (sección {section}) o, si es "
            "una regresión, usa una salida lineal (sección II.F)."
        ),
        "softmax-squared-error": (
            "Softmax con error cuadrático: la mayor probabilidad de una clase equivocada es {p:.3g}, y el mayor |dL/dz| de "
            "ese ejemplo es {derivative:.2g}; con entropía cruzada, p − y, sería {joined:.2g}. Softmax va junto con la "
            "entropía cruzada (sección {section})."
        ),
        "softmax-of-one-unit": (
            "La capa de salida es softmax con {units} neurona: sea cual sea z, da 1, y todas las derivadas son 0. Softmax "
            "necesita una neurona por clase (sección {section})."
        ),
        "symmetric-weights": (
            "Neuronas de la capa {layer} que tienen una gemela, con los mismos pesos, sesgo y pesos de salida: {alike} de "
            "{units}. Las derivadas de las gemelas difieren como mucho en {difference:.2g}, así que seguirán iguales y hacen "
            "el trabajo de una sola. Más allá de los apuntes: empieza con pesos aleatorios."
        ),
        "zero-weights": (
            "Todos los pesos de la capa {layer} son 0: su salida no depende de las entradas, y {zero} de las {derivatives} "
            "derivadas de la red son 0. Más allá de los apuntes: empieza con pesos aleatorios."
        ),
        "inputs-not-scaled": (
            "Las entradas no están escaladas: la desviación típica de x[:, {narrow}] es {least:.3g} y la de x[:, {wide}], "
            "{largest:.3g}. Más allá de los apuntes: resta a cada columna su media y divídela por su desviación típica."
        ),
        "inputs-far-from-zero": (
            "Las entradas están lejos de 0: x[:, {column}] tiene media {mean:.3g} y desviación típica {deviation:.3g}. Más "
            "allá de los apuntes: resta a cada columna su media y divídela por su desviación típica."
        ),
        "inputs-constant": (
            "Una columna está lejos de 0 y es constante: x[:, {column}] vale {mean:.3g} en los {examples} ejemplos. Más allá "
            "de los apuntes: quítala; el sesgo hace su trabajo."
        ),
        "class-missing": (
            "Clases que no tiene ninguno de los {examples} ejemplos: {missing} de {classes}; la primera es la clase {first}. "
            "Más allá de los apuntes: la red solo puede aprender a no nombrarlas nunca."
        ),
        "rate-diverges": (
            "Con la tasa de aprendizaje {rate:g} la pérdida pasa de {before:.4g} a {after:.4g} en {steps} pasos; con "
            "{better:.3g} baja a {reached:.4g}. Más allá de los apuntes: usa una tasa menor."
        ),
        "rate-diverges-still": (
            "Con la tasa de aprendizaje {rate:g} la pérdida pasa de {before:.4g} a {after:.4g} en {steps} pasos, y con "
            "{better:.3g} sigue sin bajar. Más allá de los apuntes: usa una tasa mucho menor, pesos más pequeños y entradas "
            "escaladas."
        ),
        "rate-crawls": (
            "Con la tasa de aprendizaje {rate:g} la pérdida baja un {percent:.2g} % en {steps} pasos, desde {before:.4g}; con "
            "{better:.3g} baja un {reached:.2g} %. Más allá de los apuntes: usa una tasa mayor."
        ),
    },
}
