"""A finished network as an ONNX file, which programs without Keras can run; in a process of the worker.

Keras writes it by tf2onnx. It is made when somebody asks, not at the end of every run: it takes about a
second and imports two more libraries, and most networks are never taken elsewhere.

The file takes 32-bit numbers named ``pictures`` (batch, height, width, channels), brightness 0 to 1, or
``rows`` (batch, columns) that are already encoded, and answers with ``probabilities`` (batch, classes) or
one ``number`` (batch, 1), scaled. Its metadata say the rest: ``run``, ``dataset``, ``classes`` (JSON),
``input`` in words, and for a table ``encoding`` (JSON, :class:`core.training.encoding.Encoding`): mean and
deviation of every column and of the target.
"""

import contextlib
import io
import json
import tempfile
import warnings
from pathlib import Path

import keras
import onnx

from core.i18n import Refusal
from core.training import networks, start
from core.training.answers import network
from core.training.encoding import Encoding
from core.training.shelf import MODEL, ONNX, check_run, run_folder
from core.training.spec import RunSpec


def make(owner: str, run_id: str, spec_json: str) -> int:
    """Write the ONNX file of a run beside its network; its size in bytes.

    Raises a Refusal like :func:`write`, and if the run is not the owner's.
    """
    check_run(owner, run_id)
    return write(run_folder(run_id), run_id, RunSpec.from_json(spec_json), owner)


def write(folder: Path, name: str, spec: RunSpec, owner: str = "") -> int:
    """Write the network in ``folder`` as ONNX beside it; the size of the file in bytes.

    ``name`` is that of the run. Raises a Refusal if the network is not there, is not the one of ``spec``,
    or cannot be written; if it is of a table, also if the owner has deleted the data that says how a row is
    encoded.
    """
    model = _in_32_bits(network(folder / MODEL), spec)
    encoding = start.load(spec, owner).encoding if spec.data.kind == "table" else None
    try:
        graph = _converted(model, spec)
        onnx.helper.set_model_props(graph, _metadata(name, spec, encoding))
        onnx.checker.check_model(graph, full_check=True)
    except Exception as error:  # A converter may stumble over anything, and has no error of its own.
        raise Refusal(
            "The network cannot be written as ONNX: {reason}.",
            reason=" ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip("."),
        ) from error
    data: bytes = graph.SerializeToString()
    half = folder / f"{ONNX}.half"
    half.write_bytes(data)
    half.replace(folder / ONNX)
    return len(data)


def _in_32_bits(trained: keras.Model, spec: RunSpec) -> keras.Model:
    """The same network with the same weights, computing in 32 bits whatever it was trained in."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = networks.build(spec)
    finally:
        keras.config.set_dtype_policy(policy)
    kinds = [[type(layer) for layer in each.layers] for each in (trained, model)]
    shapes = [[weight.shape for weight in each.weights] for each in (trained, model)]
    if kinds[0] != kinds[1] or shapes[0] != shapes[1]:
        raise Refusal(
            "The network that is kept has other layers than this run; it cannot be written as ONNX."
        )
    model.set_weights(trained.get_weights())
    return model


def _converted(model: keras.Model, spec: RunSpec) -> onnx.ModelProto:
    """The graph, its input and output named for what they are and the number of examples left open."""
    given = "pictures" if spec.data.kind == "images" else "rows"
    said = "number" if spec.data.task == "number" else "probabilities"
    signature = [keras.InputSpec(shape=(None, *spec.data.shape), dtype="float32", name=given)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ONNX
        # tf2onnx speaks of NumPy names that Keras sets right for it; nobody who waits can use that.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", FutureWarning)
            model.export(file, format="onnx", verbose=False, input_signature=signature)
        graph = onnx.load(file)
    (last,) = graph.graph.output
    for node in graph.graph.node:
        for names in (node.input, node.output):
            names[:] = [said if used == last.name else used for used in names]
    last.name = said
    for value in (*graph.graph.input, last):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return graph


def _metadata(name: str, spec: RunSpec, encoding: Encoding | None) -> dict[str, str]:
    data = spec.data
    if encoding is None:
        height, width, channels = data.shape
        words = f"{height} x {width} pixels, {channels} channels last, brightness divided by 255"
    elif data.ids:
        words = ", ".join(f"{column.key} 1 to {column.count}" for column in data.ids) + (
            ": each less its mean in the key encoding, 0 for one not known"
        )
    else:
        words = f"{data.shape[0]} numbers, encoded as the key encoding says"
    return {
        "run": name,
        "dataset": data.label.en,
        "task": data.task,
        "classes": json.dumps(data.class_names, ensure_ascii=False),
        "input": words,
        **({} if encoding is None else {"encoding": encoding.to_json()}),
    }
