"""Writes core/train/fixtures/*.json: what PyTorch computes for the cases of core/train/*.test.ts.

usage: train_fixtures.py FOLDER      (made with torch 2.13 on the CPU)
Weights and images come from sines, so that the tests can make the same ones without storing them.
"""

import json
import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def wave(shape, phase, scale):
    """scale · sin(0.37·i + phase) in row-major order, computed in float64."""
    count = math.prod(shape)
    values = torch.sin(torch.arange(count, dtype=torch.float64) * 0.37 + phase) * scale
    return values.to(torch.float32).reshape(shape)


def optimisers():
    cases = []
    for kind, make, options in [
        ("sgd", torch.optim.SGD, {"lr": 0.1}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
        ("adam", torch.optim.Adam, {"lr": 0.01}),
        ("adam", torch.optim.Adam, {"lr": 0.01, "betas": (0.5, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
        ("adamw", torch.optim.AdamW, {"lr": 0.01}),
        ("adamw", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.3, "betas": (0.8, 0.95)}),
    ]:
        parameter = wave((6,), 0.5, 1.0).requires_grad_(True)
        optimiser = make([parameter], **options)
        after = []
        for step in range(6):
            parameter.grad = wave((6,), 2.0 + step, 0.3 * 10.0 ** (step - 4))
            optimiser.step()
            after.append(parameter.detach().tolist())
        cases.append({"kind": kind, "options": options, "after": after})
    return cases


def schedules():
    def rates(make, steps):
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
        schedule = make(optimiser)
        seen = []
        for _ in range(steps):
            seen.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        return seen

    lr = torch.optim.lr_scheduler
    return {
        "step": rates(lambda o: lr.MultiStepLR(o, milestones=[3, 7], gamma=0.1), 10),
        "cosine": rates(lambda o: lr.CosineAnnealingLR(o, T_max=10, eta_min=0.01), 11),
        "oneCycle": rates(lambda o: lr.OneCycleLR(o, max_lr=0.2, total_steps=20), 20),
    }


def losses():
    logits, other = wave((4, 5), 0.1, 3.0), wave((4, 5), 1.7, 4.0)
    labels = torch.tensor([0, 3, 4, 1])
    soft = torch.softmax(wave((4, 5), 0.9, 2.0), 1)

    def both(compute):
        x = logits.clone().requires_grad_(True)
        loss = compute(x)
        loss.backward()
        return {"loss": loss.item(), "gradient": x.grad.flatten().tolist()}

    def distance(x):
        dot = (x * other).sum(1)
        return (1 - dot / (x.norm(dim=1) * other.norm(dim=1) + 1e-6)).sum()

    def distil(x):
        student, teacher = F.log_softmax(x / 4, 1), F.log_softmax(other / 4, 1)
        return F.kl_div(student, teacher, log_target=True, reduction="batchmean") * 16

    return {
        "hard": both(lambda x: F.cross_entropy(x, labels)),
        "smoothed": both(lambda x: F.cross_entropy(x, labels, label_smoothing=0.1)),
        "soft": both(lambda x: F.cross_entropy(x / 3, soft)),
        "distillation": both(distil),
        "l1": both(lambda x: F.l1_loss(x, other)),
        "cosine": both(distance),
    }


class LeNet5Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 5, padding=2)
        self.conv2 = nn.Conv2d(3, 8, 5)
        self.fc1 = nn.Linear(200, 60)
        self.fc2 = nn.Linear(60, 42)
        self.fc3 = nn.Linear(42, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


def trace(model, shape, classes, optimiser, steps):
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            fan = parameter[0].numel() if parameter.dim() > 1 else 16
            parameter.copy_(wave(parameter.shape, float(index), 1.5 / math.sqrt(fan)))
    optimiser = optimiser(model.parameters())
    seen = []
    for step in range(steps):
        images = wave(shape, 0.3 * step, 0.5) + 0.5
        labels = (torch.arange(shape[0]) * 3 + step) % classes
        optimiser.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        seen.append(loss.item())
    state = {name: value for name, value in model.state_dict().items() if value.dtype == torch.float32}
    return {
        "losses": seen,
        "norms": {name: value.norm().item() for name, value in state.items()},
        "heads": {name: value.flatten()[:4].tolist() for name, value in state.items()},
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    content = {
        "optimisers": optimisers(),
        "schedules": schedules(),
        "losses": losses(),
        "lenet5-half": trace(
            LeNet5Half(), (8, 1, 28, 28), 10, lambda p: torch.optim.Adam(p, lr=2e-3), 5
        ),
        "small": trace(Small(), (6, 2, 8, 8), 3, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), 4),
    }
    for name, value in content.items():
        (folder / f"{name}.json").write_text(json.dumps({"torch": torch.__version__, "value": value}) + "\n")


main()
