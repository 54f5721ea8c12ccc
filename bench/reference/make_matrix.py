"""Makes classifier files as exporters write them, with reference gradients from PyTorch.

usage: make_matrix.py FOLDER [TEXT ...] [--list] [--again]
Writes the rows of matrix_models.py whose name contains one of the TEXTs (all without one). NAME.onnx is the file as
the exporter wrote it, less its notes on the code that it came from. NAME.safetensors holds
  x [2, C, H, W] float32 (whatever layout the file has), label [2] int64, logits [2, 10], loss [1] (mean cross-entropy),
  dx = dloss/dx, dp/<initialiser> = dloss/dp for each initialiser that holds a parameter of the module, and
  d2x = d(sum of the squared dp of the file)/dx.
An initialiser holds a parameter when it has its name, shape and numbers, or when its numbers (or those of its
transpose) are found in one parameter and one initialiser only. Where the exporter folded a batch norm into the convolution
before it, so does the reference, and takes the numbers of the file: else rounding decides kinks otherwise. Parameters of a file in half precision are rounded to it,
but everything is computed in single precision. Files exported in training mode are held against evaluation mode;
networks are given statistics and no closed paths (`perturb`), but rows marked "fresh" are taken as they are built.
Images are drawn again where PyTorch does not agree with itself, after a change by 1e-6 or with its plain convolutions in
place of oneDNN's: there a ReLU or a maximum is within rounding, or the network amplifies it. Statistics that leave no such
image are made tamer.
Made with torch 2.13, timm 1.0.29, torchvision 0.29.1, transformers 5.18 and keras 3.15, all on the CPU.
"""

import argparse
import collections
import contextlib
import copy
import io
import logging
import os
import pathlib
import sys
import time
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)


def settle(module, channels, size, g, share):
    """Batch norms of about the scale of what they see: with their start values the signal of a deep network dies out.

    By the second moment, not the variance: noise images differ little, and dividing by that would amplify rounding.
    `share` of the mean is taken off.
    """

    def measure(part, inputs):
        value = inputs[0].transpose(0, 1).flatten(1)
        count = len(value)
        part.running_mean.copy_(value.mean(1) * share + torch.randn(count, generator=g) * 0.05 * value.std(1))
        part.running_var.copy_((value**2).mean(1) * (torch.rand(count, generator=g) * 0.5 + 0.75) + 1e-3)

    norms = [part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)]
    hooks = [part.register_forward_pre_hook(measure) for part in norms if part.running_mean is not None]
    module.eval()
    if hooks:
        module(torch.randn(8, channels, size, size, generator=g))
    for hook in hooks:
        hook.remove()
    if hasattr(module, "settle"):
        module.settle(torch.randn(8, channels, size, size, generator=g))


def perturb(module, channels, size, share=0.5, seed=7):
    """Statistics that differ from their start, and no path that starts closed (gains and scales of zero)."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.is_floating_point() and parameter.dim() >= 2 and not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=g) * 0.05)
        for part in module.modules():
            if "Norm" in type(part).__name__ and getattr(part, "weight", None) is not None and not part.weight.any():
                part.weight.fill_(0.5)
        settle(module, channels, size, g, share)
    return g


def strip(graph_or_function):
    for node in graph_or_function.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        for attribute in node.attribute:
            if attribute.HasField("g"):
                strip(attribute.g)
    for name in ("value_info", "input", "output", "initializer"):
        for value in getattr(graph_or_function, name, []):
            if hasattr(value, "metadata_props") and not isinstance(value, str):
                value.ClearField("metadata_props")


class Scores(torch.nn.Module):
    """Ends in a softmax, as files that are made to be deployed do."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.softmax(self.inner(x), -1)


def export(module, x, path, row):
    names = dict(input_names=[row.input], output_names=list(row.outputs))
    mode = {}
    if "fp16" in row.flags:
        module, x = copy.deepcopy(module).half(), x.half()
    if "train" in row.flags:
        module = copy.deepcopy(module).train()
        for part in module.modules():
            if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
                part.momentum = 0.0  # being traced must not change the statistics
        mode = dict(training=torch.onnx.TrainingMode.TRAINING) if row.exporter == "script" else {}
    if "softmax" in row.flags:
        module = Scores(module).train(module.training)
    shape = {0: "batch", **({2: "height", 3: "width"} if "sizes" in row.flags else {})}
    if row.exporter == "dynamo":
        dynamic = ({0: torch.export.Dim("batch")},) if "batch" in row.flags else None
        torch.onnx.export(
            module, (x,), path, dynamo=True, opset_version=row.opset, external_data="external" in row.flags,
            dynamic_shapes=dynamic, optimize="raw" not in row.flags, verbose=False, **names,
        )
    elif row.exporter == "script":
        axes = {row.input: shape, **{name: {0: "batch"} for name in row.outputs}}
        torch.onnx.export(
            module, (x,), path, dynamo=False, opset_version=row.opset,
            dynamic_axes=axes if "batch" in row.flags or "sizes" in row.flags else None,
            do_constant_folding=not row.flags & {"unfolded", "train"},
            keep_initializers_as_inputs=True if row.opset < 9 else None, **mode, **names,
        )
    else:
        raise ValueError(row.exporter)


def store_as_half(model):
    """float16 initialisers, each under a Cast: half the size of the file, the computation as before."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or array.size < 2:
            continue
        wide = f"{tensor.name}_wide"
        for node in graph.node:
            for i, name in enumerate(node.input):
                if name == tensor.name:
                    node.input[i] = wide
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [wide], name=f"{wide}/Cast", to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float16), tensor.name))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def finish(path, row):
    model = onnx.load(path, load_external_data=False)
    for part in [model.graph, *model.functions]:
        strip(part)
    if "half" in row.flags:
        store_as_half(model)
    if "external" in row.flags and row.exporter != "dynamo":
        name = f"{pathlib.Path(path).stem}.weights"
        pathlib.Path(path).with_suffix(".weights").unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=name, size_threshold=0)
    else:
        onnx.save(model, path)
    return onnx.load(path)


def turn(array):
    """As Keras stores kernels: [in, out] and [height, width, in, out]."""
    return array.T if array.ndim == 2 else np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else None


def turn_back(grad):
    return grad.T if grad.ndim == 2 else grad.permute(3, 2, 0, 1)


def pair_up(arrays, parameters, buffers):
    """[(initialiser, parameter, whether it is turned)]: by name, else by numbers that occur once on either side."""
    key = lambda array: (array.shape, np.ascontiguousarray(array).tobytes())
    counts = collections.Counter(key(t.detach().numpy()) for t in (*parameters.values(), *buffers))
    known = {key(p.detach().numpy()): p for p in parameters.values()}
    seen = collections.Counter(key(a) for a in arrays.values())
    pairs = {}
    for name, array in arrays.items():
        parameter = parameters.get(name)
        # An initialiser that stands for several equal parameters, or statistics, has the sum of their gradients.
        if parameter is not None and np.array_equal(array, parameter.detach().numpy()) and counts[key(array)] <= seen[key(array)]:
            pairs[name] = (name, parameter, False)
    taken = {p for _, p, _ in pairs.values()}
    for name, array in arrays.items():
        if name in pairs or array.size < 2 or array.min() == array.max() or seen[key(array)] > 1:
            continue
        for turned, view in ((False, array), (True, turn(array))):
            if view is None or counts[key(view)] != 1 or known[key(view)] in taken:
                continue
            pairs[name] = (name, known[key(view)], turned)
            break
    return list(pairs.values())


def convolutions_before_norms(module, x):
    """[(name of the convolution, name of the batch norm)] where the one's output is the other's input."""
    made, found, keep = {}, [], []

    def after(name, output):
        keep.append(output)  # else another tensor may get its id
        made[id(output)] = name

    hooks = []
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.modules.conv._ConvNd):
            hooks.append(part.register_forward_hook(lambda _, __, output, name=name: after(name, output)))
        elif isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            hooks.append(
                part.register_forward_pre_hook(
                    lambda _, inputs, name=name: found.append((made[id(inputs[0])], name)) if id(inputs[0]) in made else None
                )
            )
    with torch.no_grad():
        module(x)
    for hook in hooks:
        hook.remove()
    return found


def fold(module, x, arrays):
    """The module with the batch norms folded that the file has no longer; numbers of the file where they are the same."""
    module = copy.deepcopy(module)
    sums = {(array.shape, np.ascontiguousarray(array).tobytes()) for array in arrays.values()}
    for conv_name, norm_name in convolutions_before_norms(module, x):
        conv, norm = module.get_submodule(conv_name), module.get_submodule(norm_name)
        weight = conv.weight.detach().numpy()
        if not isinstance(conv, torch.nn.Conv2d) or (weight.shape, weight.tobytes()) in sums:
            continue
        folded = torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm)
        for parameter in (folded.weight, folded.bias):
            value = parameter.detach().numpy()
            near = [a for a in arrays.values() if a.shape == value.shape]
            near = min(near, key=lambda a: np.abs(a - value).max(), default=None)
            if near is not None and np.abs(near - value).max() <= 1e-5 * np.abs(value).max():
                parameter.data.copy_(torch.tensor(near))
        rest = [part for part in (getattr(norm, "drop", None), getattr(norm, "act", None)) if part is not None]
        module.set_submodule(conv_name, folded)
        module.set_submodule(norm_name, torch.nn.Sequential(*rest))
    return module.eval()


def reference(module, x, label, arrays, row):
    parameters = {name: p for name, p in module.named_parameters() if p.is_floating_point()}
    for p in parameters.values():
        p.requires_grad_(True)
    pairs = pair_up(arrays, parameters, [b for b in module.buffers() if b.is_floating_point()])
    x = x.clone().requires_grad_(True)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        logits = module(x)
        logits = logits[row.outputs.index("logits")] if isinstance(logits, (tuple, list)) else logits
        loss = torch.nn.functional.cross_entropy(logits, label)
        wanted = [x, *(p for _, p, _ in pairs)]
        second = "no-d2x" not in row.flags
        grads = torch.autograd.grad(loss, wanted, create_graph=second, allow_unused=True)
        tensors = dict(x=x, label=label, logits=logits, loss=loss.reshape(1), dx=grads[0])
        for (name, _, turned), grad in zip(pairs, grads[1:]):
            if grad is not None:
                tensors[f"dp/{name}"] = turn_back(grad) if turned else grad
        if second and pairs:
            square = sum((grad**2).sum() for grad in grads[1:] if grad is not None)
            with contextlib.suppress(RuntimeError):
                (tensors["d2x"],) = torch.autograd.grad(square, [x])
    return {name: t.detach().contiguous().clone() for name, t in tensors.items()}, len(pairs), len(parameters)


def is_steady(module, x, label, row):
    """Whether rounding leaves logits and gradient as they are: files round otherwise than PyTorch does."""

    def answer(noise):
        g = torch.Generator().manual_seed(1)
        image = (x * (1 + noise * torch.randn(x.shape, generator=g))).requires_grad_(True)
        logits = module(image)
        logits = logits[row.outputs.index("logits")] if isinstance(logits, (tuple, list)) else logits
        return logits.detach(), torch.autograd.grad(torch.nn.functional.cross_entropy(logits, label), image)[0]

    logits, gradient = answer(0)
    with torch.backends.mkldnn.flags(enabled=False):
        plain_logits, plain_gradient = answer(0)
    if (plain_logits - logits).norm() > 4e-6 * logits.norm():
        return False
    others = [plain_gradient, *(answer(n)[1] for n in (1e-6, -1e-6, 2e-6))]
    return all((other - gradient).norm() <= 5e-5 * gradient.norm() for other in others)


def draw(module, channels, row, g):
    """(images, labels) at which the module is steady, else the last that were tried and False."""
    for _ in range(5):
        x = torch.randn(2, channels, row.size, row.size, generator=g)
        label = torch.randint(0, 10, (2,), generator=g)
        if is_steady(module, x, label, row):
            return x, label, True
    return x, label, False


def build(row):
    """(module, channels, generator), with the first statistics at which some image is steady."""
    for share in (0.5, 0.25, 0.0):
        torch.manual_seed(sum(map(ord, row.model)))
        module, channels = row.build()
        g = torch.Generator().manual_seed(7) if "fresh" in row.flags else perturb(module, channels, row.size, share)
        module.eval()
        if draw(module, channels, row, g)[2]:
            break
    return module, channels, g


def make(row, folder):
    start = time.perf_counter()
    path = str(folder / f"{row.name}.onnx")
    module, channels, g = build(row)
    if row.flags & {"half", "fp16"}:
        with torch.no_grad():
            for tensor in [*module.parameters(), *module.buffers()]:
                if tensor.is_floating_point():
                    tensor.copy_(tensor.half().float())
    x = torch.randn(2, channels, row.size, row.size, generator=g)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if row.exporter in ("dynamo", "script"):
            example = x[:1] if "one" in row.flags else x
            export(module, example, path, row)
        else:
            module.write(path, row)
    model = finish(path, row)
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    tensors = [(i.name, i) for i in model.graph.initializer]
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors.append((node.output[0], node.attribute[0].t))
    arrays = {name: onnx.numpy_helper.to_array(t).astype(np.float32) for name, t in tensors if t.data_type in floats}
    if row.exporter in ("dynamo", "script"):
        module = fold(module, x, arrays)
    x, label, steady = draw(module, channels, row, g)
    tensors, found, count = reference(module, x, label, arrays, row)
    save_file(tensors, str(folder / f"{row.name}.safetensors"))
    ops = sorted({n.op_type for n in model.graph.node} | {n.op_type for f in model.functions for n in f.node})
    print(
        f"{row.name}: opset {model.opset_import[0].version}, {os.path.getsize(path) / 1e6:.1f} MB,"
        f" {len(model.graph.node)} nodes, {found} of {count} parameters, |dx| {tensors['dx'].norm():.2e},"
        f" {'with' if 'd2x' in tensors else 'without'} d2x, {time.perf_counter() - start:.0f} s;"
        f"{'' if steady else ' PyTorch does not agree with itself;'} {' '.join(ops)}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("text", nargs="*")
    parser.add_argument("--list", action="store_true", help="names only")
    parser.add_argument("--again", action="store_true", help="also those that are there")
    options = parser.parse_args()
    from matrix_models import rows

    chosen = [row for row in rows if not options.text or any(text in row.name for text in options.text)]
    if options.list:
        print("\n".join(row.name for row in chosen))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for row in chosen:
        if (options.folder / f"{row.name}.safetensors").exists() and not options.again:
            continue
        try:
            make(row, options.folder)
        except Exception as error:
            failed += 1
            lines = [line for line in str(error).splitlines() if line.strip()] or [""]
            print(f"{row.name}: FAILED {type(error).__name__}: {lines[0][:200]} … {lines[-1][:120]}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
