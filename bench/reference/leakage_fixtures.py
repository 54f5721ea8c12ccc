"""What PyTorch's L-BFGS does, for core/train/lbfgs.ort.test.ts and core/leakage/attack.ort.test.ts.

python leakage_fixtures.py core/train/fixtures/lbfgs.json core/leakage/fixtures/dlg-trace.json
"""

import json
import math
import sys

import torch
import torch.nn.functional as F


def scattered(count, salt):
    """Numbers in [0, 1) that both sides can make: the fraction of a large multiple of a sine."""
    return [math.modf(abs(math.sin(12.9898 * (i + 1) + 78.233 * salt)) * 43758.5453)[0] for i in range(count)]


def valley(x):
    """Smooth, without a closed form for its minimum."""
    i = torch.arange(len(x), dtype=x.dtype)
    bowls = torch.log(torch.cosh(x - torch.sin(i))) * (1 + i)
    return bowls.sum() + 0.5 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def valley_trace(calls, **options):
    x = torch.tensor([2 * v - 1 for v in scattered(8, 1)], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([x], **options)
    losses, points = [], []

    def closure():
        optimiser.zero_grad()
        loss = valley(x)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(calls):
        optimiser.step(closure)
        points.append(x.tolist())
    return {"options": options, "calls": calls, "losses": losses, "points": points}


class LeNetZhu(torch.nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        layers = []
        for inputs, stride in ((channels, 2), (12, 2), (12, 1)):
            layers += [torch.nn.Conv2d(inputs, 12, 5, stride=stride, padding=2), torch.nn.Sigmoid()]
        self.body = torch.nn.Sequential(*layers)
        self.fc = torch.nn.Sequential(torch.nn.Linear(hidden, classes))

    def forward(self, x):
        return self.fc(self.body(x).flatten(1))


def dlg_trace(side, evaluations, start, dtype):
    """The first outer step of DLG: up to 20 iterations, one evaluation each. `start` names the first guess."""
    torch.set_default_dtype(dtype)
    net = LeNetZhu(1, 12 * (side // 4) ** 2, 10)
    with torch.no_grad():
        for salt, parameter in enumerate(net.parameters()):
            values = torch.tensor([v - 0.5 for v in scattered(parameter.numel(), salt)])
            parameter.copy_(values.view_as(parameter))
    bell = lambda count, salt: [
        math.sqrt(3) * (sum(parts) - 2) for parts in zip(*[scattered(count, salt + part) for part in range(4)])
    ]
    image = torch.tensor(scattered(side * side, 100)).view(1, 1, side, side)
    shared = torch.autograd.grad(F.cross_entropy(net(image), torch.tensor([3])), list(net.parameters()))
    x = torch.tensor(bell(side * side, start)).view_as(image).requires_grad_(True)
    y = torch.tensor(bell(10, start + 4)).view(1, 10).requires_grad_(True)
    optimiser = torch.optim.LBFGS([x, y])
    losses = []

    def closure():
        optimiser.zero_grad()
        loss = (-torch.softmax(y, -1) * torch.log_softmax(net(x), -1)).sum(-1).mean()
        own = torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
        distance = sum(((a - b) ** 2).sum() for a, b in zip(own, shared))
        distance.backward()
        losses.append(distance.item())
        return distance

    while len(losses) < evaluations:
        optimiser.step(closure)
    return {"side": side, "label": 3, "start": start, "losses": losses[:evaluations]}


def calm_dlg_trace(side, evaluations):
    """In double precision, from a start whose way single precision follows: elsewhere rounding grows past 1e-4 by itself."""
    for start in range(200, 400, 8):
        trace = dlg_trace(side, evaluations, start, torch.float64)
        single = dlg_trace(side, evaluations, start, torch.float32)["losses"]
        rounding = max(abs(a - b) / b for a, b in zip(single, trace["losses"]))
        if rounding < 1e-5:
            return {**trace, "rounding": rounding}
    raise RuntimeError("no calm start")


def main():
    torch.set_num_threads(1)
    valleys = {
        "torch": torch.__version__,
        "start": 1,
        "plain": valley_trace(4, lr=0.1, max_iter=6),
        "short": valley_trace(3, lr=0.3, max_iter=8, history_size=3),
        "wolfe": valley_trace(2, max_iter=8, line_search_fn="strong_wolfe"),
    }
    for path, content in zip(sys.argv[1:3], (valleys, {"torch": torch.__version__, **calm_dlg_trace(12, 20)})):
        with open(path, "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
