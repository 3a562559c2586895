"""The two networks as data: counted here, built by ``core.training.networks``.

A network is a list of layers on images of ``height × width × channels``. From that list follow the
parameters and the floating-point operations (FLOP) without any framework, so that a page can say what
a run will cost before it is started. The networks are those of the usual first lesson on MNIST: a
small convolutional network, and a perceptron with one hidden layer.

FLOP count as in the literature on training cost: a multiplication and an addition are two operations;
biases, activations and pooling are left out (under 1 %). Training an image costs the forward pass and
two passes of the same size backward (gradients of the weights and of the inputs); the first layer with
weights needs no gradient of its inputs.
"""

from dataclasses import dataclass

from core.i18n import Text

Shape = tuple[int, int, int]
"""Height, width, channels of what a layer hands on; a flat vector is ``(1, 1, length)``."""

CLASSES = 10
HIDDEN_UNITS = 128


@dataclass(frozen=True, slots=True)
class Convolution:
    """``filters`` square filters of ``size`` pixels, step 1, without padding, then the activation."""

    filters: int
    size: int

    def shape(self, given: Shape) -> Shape:
        return given[0] - self.size + 1, given[1] - self.size + 1, self.filters

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
    """The image as one row of numbers."""

    def shape(self, given: Shape) -> Shape:
        return 1, 1, given[0] * given[1] * given[2]

    def parameters(self, given: Shape) -> int:
        return 0

    def forward_flop(self, given: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Dense:
    """``units`` weighted sums of everything, then the activation; ``output`` uses softmax instead."""

    units: int
    output: bool = False

    def shape(self, given: Shape) -> Shape:
        return 1, 1, self.units

    def parameters(self, given: Shape) -> int:
        return (given[2] + 1) * self.units

    def forward_flop(self, given: Shape) -> int:
        return 2 * given[2] * self.units


Layer = Convolution | Pooling | Flatten | Dense


@dataclass(frozen=True, slots=True)
class Network:
    """A network by its layers, and what it costs to train on images of ``image`` shape."""

    key: str
    label: Text
    note: Text
    image: Shape
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Numbers that training adjusts."""
        return sum(layer.parameters(given) for layer, given in self._inputs())

    @property
    def forward_flop(self) -> int:
        """FLOP to recognise one image."""
        return sum(layer.forward_flop(given) for layer, given in self._inputs())

    @property
    def training_flop(self) -> int:
        """FLOP to train on one image once."""
        first = next(flop for layer, given in self._inputs() if (flop := layer.forward_flop(given)))
        return 3 * self.forward_flop - first

    def _inputs(self) -> list[tuple[Layer, Shape]]:
        """Each layer with the shape that it is given."""
        pairs: list[tuple[Layer, Shape]] = []
        shape = self.image
        for layer in self.layers:
            pairs.append((layer, shape))
            shape = layer.shape(shape)
        return pairs


_IMAGE = (28, 28, 1)
_CLASSIFIER = (Flatten(), Dense(HIDDEN_UNITS), Dense(CLASSES, output=True))

NETWORKS = {
    "cnn": Network(
        "cnn",
        Text(en="Convolutional network", zh="卷积神经网络"),
        Text(
            en="Two layers of small filters find strokes and corners, then 128 units decide. "
            "More accurate, about forty times the work of the perceptron.",
            zh="两层小卷积核提取笔画和拐角，再由 128 个神经元判断。更准确，运算量约为感知机的四十倍。",
        ),
        _IMAGE,
        (Convolution(32, 3), Pooling(2), Convolution(64, 3), Pooling(2), *_CLASSIFIER),
    ),
    "mlp": Network(
        "mlp",
        Text(en="Perceptron with one hidden layer", zh="单隐层感知机"),
        Text(
            en="All 784 pixels go to 128 units at once. Much less work, a little less accurate.",
            zh="784 个像素直接送入 128 个神经元。运算量小得多，准确率略低。",
        ),
        _IMAGE,
        _CLASSIFIER,
    ),
}
"""The networks on offer, by key."""
