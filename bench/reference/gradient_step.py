"""PyTorch's side of bench/gradient-step.ts: writes untrained networks as ONNX files, then times their gradients.

usage: gradient_step.py export NETWORK BATCH FOLDER
       gradient_step.py measure NETWORK BATCH dx|dw THREADS

`export` writes FOLDER/NETWORK-BATCH.onnx, batch norm unfolded, so that both sides have the same parameters, and
NETWORK-BATCH.f32, the images. `measure` makes the same network, then answers each line of its standard input, a number
of repeats, with a line of JSON: {"milliseconds": [...], "cpuMilliseconds": [...], "loss", "squaredNorm" of the gradient,
"peakBytes", "torch"}. The network is in evaluation mode, the loss the mean cross-entropy; dx is the gradient by the
images alone, dw by all parameters alone.
"""

import json
import pathlib
import re
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from training_step import ResNet18


def vgg11():
    layers, inputs = [], 3
    for width in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"):
        if width == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def from_timm(name):
    def make():
        import timm

        return timm.create_model(name)

    return make


networks = {
    "resnet18-cifar": (ResNet18, 32, 10),
    "vgg11-cifar": (vgg11, 32, 10),
    "resnet18": (from_timm("resnet18"), 224, 1000),
    "mobilenetv2": (from_timm("mobilenetv2_100"), 224, 1000),
    "densenet121": (from_timm("densenet121"), 224, 1000),
    "vit-tiny": (from_timm("vit_tiny_patch16_224"), 224, 1000),
    "convnext-atto": (from_timm("convnext_atto"), 224, 1000),
}


def prepare(network, batch):
    make, size, classes = networks[network]
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():
        # Exporters merge parameters of equal content, and a gain of zero would close a path.
        for values in (*model.parameters(), *model.buffers()):
            if values.dim() == 1:
                values.add_(0.05 * torch.rand(values.shape) + 0.05)
    images = torch.rand(batch, 3, size, size)
    labels = torch.arange(batch) % classes
    return model, images, labels


def export(network, batch, folder):
    model, images, _ = prepare(network, batch)
    path = pathlib.Path(folder, f"{network}-{batch}.onnx")
    images.numpy().tofile(path.with_suffix(".f32"))
    torch.onnx.export(
        model, (images,), str(path), dynamo=True, opset_version=20, optimize=False, external_data=False, verbose=False,
        input_names=["images"], output_names=["logits"],
    )


def peak_bytes():
    try:
        # ru_maxrss begins with what the parent process had.
        return 1024 * int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(network, batch, kind, threads):
    torch.set_num_threads(threads)
    model, images, labels = prepare(network, batch)
    images.requires_grad_(kind == "dx")
    for parameter in model.parameters():
        parameter.requires_grad_(kind == "dw")
    wanted = [images] if kind == "dx" else list(model.parameters())

    def step():
        for value in wanted:
            value.grad = None
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        return loss.item()

    for line in sys.stdin:
        wall, cpu = [], []
        for _ in range(int(line)):
            start, used = time.perf_counter(), time.process_time()
            loss = step()
            wall.append((time.perf_counter() - start) * 1000)
            cpu.append((time.process_time() - used) * 1000)
        squared = sum((value.grad.double() ** 2).sum().item() for value in wanted)
        answer = {"milliseconds": wall, "cpuMilliseconds": cpu, "loss": loss, "squaredNorm": squared}
        print(json.dumps({**answer, "peakBytes": peak_bytes(), "torch": torch.__version__}), flush=True)


def main():
    verb, network, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if verb == "export":
        export(network, batch, sys.argv[4])
    else:
        measure(network, batch, sys.argv[4], int(sys.argv[5]))


main()
