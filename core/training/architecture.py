"""The networks as data: counted here, built by ``core.training.networks``.

A network is a list of layers on inputs of ``height × width × channels``; a row of a table is
``1 × 1 × columns``. From that list follow the parameters and the floating-point operations (FLOP)
without any framework, so that a page can say what a run will cost before it is started.

FLOP count as in the literature on training cost: a multiplication and an addition are two operations;
biases, activations, pooling and normalisation are left out (under 1 %), and so is what the optimiser does.
Training an example costs the forward pass and two passes of the same size backward, one for the gradient of
the weights and one for that of the inputs: a layer without weights has only the second, and the first layer
with weights only the first. Looking a vector up multiplies nothing, forward or backward: an example changes
the vectors of its own names and no others, though Adam moves all of them a little.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.i18n import Text
from core.training.described import Input

Shape = tuple[int, int, int]
"""Height, width, channels of what a layer hands on; a flat vector is ``(1, 1, length)``."""

HIDDEN_UNITS = 128
"""Units of the dense layer behind the convolutions, and of the usual perceptron."""

LEAST_SIDE = 12
"""Pixels; a convolution on smaller pictures pads them, or soon nothing would be left."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """``filters`` square filters of ``size`` pixels, step 1; ``padded`` keeps the size of the picture.

    The activation follows at once if ``activated``, else in a layer of its own.
    """

    filters: int
    size: int
    activated: bool = True
    padded: bool = False

    def shape(self, given: Shape) -> Shape:
        lost = 0 if self.padded else self.size - 1
        return given[0] - lost, given[1] - lost, self.filters

    def parameters(self, given: Shape) -> int:
        return self.filters * (self.size**2 * given[2] + 1)

    def forward_flop(self, given: Shape) -> int:
        height, width, filters = self.shape(given)
        return 2 * height * width * filters * self.size**2 * given[2]


@dataclass(frozen=True, slots=True)
class Pooling:
    """The largest of each square of ``size`` pixels; an odd rest is dropped."""

    size: int

    def shape(self, given: Shape) -> Shape:
        return given[0] // self.size, given[1] // self.size, given[2]

    def parameters(self, given: Shape) -> int:
        return 0

    def forward_flop(self, given: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Flatten:
    """The picture as one row of numbers."""

    def shape(self, given: Shape) -> Shape:
        return 1, 1, given[0] * given[1] * given[2]

    def parameters(self, given: Shape) -> int:
        return 0

    def forward_flop(self, given: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class _Pointwise:
    """A layer that changes numbers and leaves their shape."""

    def shape(self, given: Shape) -> Shape:
        return given

    def parameters(self, given: Shape) -> int:
        return 0

    def forward_flop(self, given: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Activation(_Pointwise):
    """The activation in a layer of its own."""


@dataclass(frozen=True, slots=True)
class Dropout(_Pointwise):
    """Sets a share ``rate`` of the numbers to zero, other ones in every step of training."""

    rate: float


@dataclass(frozen=True, slots=True)
class Normalization(_Pointwise):
    """Batch normalisation: every channel to mean 0 and deviation 1, then a learned scale and shift."""

    def parameters(self, given: Shape) -> int:
        return 2 * given[2]


@dataclass(frozen=True, slots=True)
class Dense:
    """``units`` weighted sums of everything, then the activation if ``activated``.

    ``output`` is the last layer: softmax over classes, or the plain sum for a number.
    """

    units: int
    output: bool = False
    activated: bool = True

    def shape(self, given: Shape) -> Shape:
        return 1, 1, self.units

    def parameters(self, given: Shape) -> int:
        return (given[2] + 1) * self.units

    def forward_flop(self, given: Shape) -> int:
        return 2 * given[2] * self.units


HELD_VECTORS, HELD_BIASES = 40, 10
"""How firmly the numbers of a name are held towards zero: as if so many ratings more had been seen of it, all of
them at the mean. Chosen like the rest of the recipe, see ``benchmarks.ratings``."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """For each of ``names`` a vector of ``width`` numbers and a bias; of a row, those of the names in it."""

    names: int
    width: int

    def shape(self, given: Shape) -> Shape:
        return 1, given[2], self.width + 1

    def parameters(self, given: Shape) -> int:
        return self.names * (self.width + 1)

    def forward_flop(self, given: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Pairs:
    """The vectors of a row multiplied two by two, all of it summed, and the biases added: a number.

    A factorisation machine (S. Rendle, ICDM 2010). Of two columns, who rates and what is rated, it is matrix
    factorisation with biases (Y. Koren, R. Bell, C. Volinsky, IEEE Computer 42 (2009) 8). All pairs cost no
    more than one pass over the vectors, since Σᵢ﹤ⱼ vᵢ·vⱼ = ½ (|Σ v|² - Σ |v|²).
    """

    def shape(self, given: Shape) -> Shape:
        return 1, 1, 1

    def parameters(self, given: Shape) -> int:
        return 0

    def forward_flop(self, given: Shape) -> int:
        # Of each of width numbers: columns - 1 additions and a square; columns squares and columns - 1
        # additions; one difference, and one addition to the sum.
        columns, width = given[1], given[2] - 1
        return width * (3 * columns + 1)


Stacked = Convolution | Pooling | Flatten | Activation | Dropout | Normalization | Dense
Layer = Stacked | Lookup | Pairs


@dataclass(frozen=True, slots=True)
class Network:
    """A network by its layers, and what it costs to train on inputs of ``given`` shape."""

    given: Shape
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Numbers that training adjusts."""
        return sum(layer.parameters(given) for layer, given in self._inputs())

    @property
    def forward_flop(self) -> int:
        """FLOP to answer for one example."""
        return sum(layer.forward_flop(given) for layer, given in self._inputs())

    @property
    def training_flop(self) -> int:
        """FLOP to train on one example once."""
        total, learned = 0, False
        for layer, given in self._inputs():
            weights = layer.parameters(given) > 0
            total += layer.forward_flop(given) * (1 + weights + learned)
            learned = learned or weights
        return total

    def _inputs(self) -> list[tuple[Layer, Shape]]:
        """Each layer with the shape that it is given."""
        pairs: list[tuple[Layer, Shape]] = []
        shape = self.given
        for layer in self.layers:
            pairs.append((layer, shape))
            shape = layer.shape(shape)
        return pairs


@dataclass(frozen=True, slots=True)
class Options:
    """What may be varied about a kind of network."""

    width: int
    depth: int
    dropout: float = 0.0
    batch_norm: bool = False
    names: int = 0
    """In the columns of ratings together."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of network: its words, its usual ``width`` and ``depth``, and its layers.

    ``width``: filters of the first convolution (each further one has twice as many), units of every
    hidden layer, or numbers of a vector. ``depth``: convolutions, or hidden layers; 1 where there are none.
    ``takes``: what it may be given, as ``Dataset.input`` names it.
    """

    key: str
    label: Text
    note: Text
    takes: tuple[Input, ...]
    width: int
    depth: int
    _body: Callable[[Shape, Options], list[Layer]]

    def network(self, given: Shape, outputs: int, options: Options) -> Network:
        """The network for inputs of ``given`` shape with ``outputs`` classes, or 1 for a number."""
        body = self._body(given, options)
        if self.layered:
            body.append(Dense(outputs, output=True))
        return Network(given, tuple(body))

    @property
    def layered(self) -> bool:
        """Whether it is a stack of layers, with a depth, an activation and what else belongs to one."""
        return "ratings" not in self.takes


def _hidden(units: int, options: Options) -> list[Layer]:
    """A dense layer with what belongs to it."""
    layers: list[Layer] = [Dense(units, activated=not options.batch_norm)]
    if options.batch_norm:
        layers += [Normalization(), Activation()]
    if options.dropout:
        layers.append(Dropout(options.dropout))
    return layers


def _perceptron(given: Shape, options: Options) -> list[Layer]:
    layers: list[Layer] = [Flatten()]
    for _ in range(options.depth):
        layers += _hidden(options.width, options)
    return layers


def _factors(given: Shape, options: Options) -> list[Layer]:
    return [Lookup(options.names, options.width), Pairs()]


def _convolutional(size: int, *, pool_first: bool) -> Callable[[Shape, Options], list[Layer]]:
    """Blocks of convolution, activation and pooling, in that order or with pooling before the activation.

    The largest of some numbers is the same before and after a rising activation, but pooling first
    leaves a quarter of the work to the activation and its gradient.
    """

    def body(given: Shape, options: Options) -> list[Layer]:
        layers: list[Layer] = []
        shape = given
        for block in range(options.depth):
            small = min(shape[:2]) < LEAST_SIDE
            apart = pool_first or options.batch_norm
            made: list[Layer] = [
                Convolution(options.width * 2**block, size, activated=not apart, padded=small)
            ]
            if options.batch_norm:
                made.append(Normalization())
            pooled = made[0].shape(shape)
            pooling: list[Layer] = [Pooling(2)] if min(pooled[:2]) >= 2 else []
            activation: list[Layer] = [Activation()] if apart else []
            made += [*pooling, *activation] if pool_first else [*activation, *pooling]
            for layer in made:
                shape = layer.shape(shape)
            layers += made
        return [*layers, Flatten(), *_hidden(HIDDEN_UNITS, options)]

    return body


NETWORKS = {
    "cnn": Kind(
        "cnn",
        Text(en="Convolutional network", zh="卷积神经网络"),
        Text(
            en="Layers of small filters find strokes and corners, then 128 units decide. "
            "More accurate on pictures, about forty times the work of the perceptron.",
            zh="多层小卷积核提取笔画和拐角，再由 128 个神经元判断。对图像更准确，运算量约为感知机的四十倍。",
        ),
        ("images",),
        32,
        2,
        _convolutional(3, pool_first=False),
    ),
    "fast": Kind(
        "fast",
        Text(en="Slim convolutional network", zh="精简卷积神经网络"),
        Text(
            en="Half as many, larger filters, and the picture is shrunk before the activation. "
            "Under half the work of the convolutional network, and as accurate.",
            zh="卷积核更大但数量减半，并在激活之前先缩小图像。运算量不到卷积神经网络的一半，准确率相当。",
        ),
        ("images",),
        16,
        2,
        _convolutional(5, pool_first=True),
    ),
    "mlp": Kind(
        "mlp",
        Text(en="Perceptron", zh="感知机"),
        Text(
            en="All inputs go to layers of 128 units at once. Much less work than a convolutional network, "
            "a little less accurate on pictures; the one for tables.",
            zh="所有输入直接送入每层 128 个神经元。运算量远小于卷积神经网络，对图像略欠准确；适合表格数据。",
        ),
        ("images", "table"),
        HIDDEN_UNITS,
        1,
        _perceptron,
    ),
    "factors": Kind(
        "factors",
        Text(en="Factors for each name", zh="每个名称的因子"),
        Text(
            en="A few learned numbers for each student, each lecturer and whatever else is known; those that agree "
            "add to the rating (matrix factorisation of every pair of columns). The one for ratings.",
            zh="为每名学生、每位讲师及其他已知信息各学习几个数；彼此吻合的数会提高评分（对每两列做矩阵分解）。适合评分数据。",
        ),
        ("ratings",),
        8,
        1,
        _factors,
    ),
}
"""The kinds of network there are, by key."""


def networks_for(given: Input) -> dict[str, Kind]:
    """The kinds of network that take what is ``given``, by key."""
    return {key: kind for key, kind in NETWORKS.items() if given in kind.takes}
