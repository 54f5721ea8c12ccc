"""PyTorch's side of the leakage scenarios: the time of one evaluation of DLG, and Inverting Gradients on given images.

python leakage_step.py dlg REPEATS THREADS
python leakage_step.py inverting STEPS THREADS < {"shape": [C, H, W], "images": [[...]], "labels": [...], "variation": A}

Prints JSON: milliseconds of evaluations or steps, and for the second the PSNR of each image.
"""

import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class LeNetZhu(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for inputs, stride in ((1, 2), (12, 2), (12, 1)):
            layers += [nn.Conv2d(inputs, 12, 5, stride=stride, padding=2), nn.Sigmoid()]
        self.body = nn.Sequential(*layers)
        self.fc = nn.Linear(588, 10)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)

    def forward(self, x):
        return self.fc(self.body(x).flatten(1))


class SmallConvNet(nn.Module):
    def __init__(self, shape):
        super().__init__()
        channels, height, width = shape
        self.conv1 = nn.Conv2d(channels, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, stride=2, padding=1)
        side = lambda size: math.ceil(math.ceil(size / 2) / 2)
        self.fc = nn.Linear(64 * side(height) * side(width), 10)

    def forward(self, x):
        for layer in (self.conv1, self.conv2, self.conv3):
            x = F.relu(layer(x))
        return self.fc(x.flatten(1))


def dlg(repeats):
    """Closures of L-BFGS as DLG makes them, the optimiser's own work between them included."""
    net = LeNetZhu()
    weights = list(net.parameters())
    milliseconds = []
    while len(milliseconds) < repeats:
        image, label = torch.rand(1, 1, 28, 28), torch.randint(10, (1,))
        shared = [g.detach() for g in torch.autograd.grad(F.cross_entropy(net(image), label), weights)]
        x = torch.randn(1, 1, 28, 28).requires_grad_(True)
        y = torch.randn(1, 10).requires_grad_(True)
        optimiser = torch.optim.LBFGS([x, y])

        def closure():
            optimiser.zero_grad()
            loss = (-torch.softmax(y, -1) * torch.log_softmax(net(x), -1)).sum(-1).mean()
            own = torch.autograd.grad(loss, weights, create_graph=True)
            distance = sum(((a - b) ** 2).sum() for a, b in zip(own, shared))
            distance.backward()
            return distance

        for _ in range(5):
            start = time.perf_counter()
            optimiser.step(closure)
            state = optimiser.state[x]
            used = state["func_evals"] - state.get("seen", 0)
            state["seen"] = state["func_evals"]
            if used >= 10:
                milliseconds.append((time.perf_counter() - start) * 1000 / used)
    return {"milliseconds": milliseconds}


def inverting(steps):
    case = json.load(sys.stdin)
    shape, variation = case["shape"], case["variation"]
    net = SmallConvNet(shape).eval()
    weights = list(net.parameters())
    milliseconds, psnr = [], []
    for pixels, label in zip(case["images"], case["labels"]):
        image, label = torch.tensor(pixels).view(1, *shape), torch.tensor([label])
        shared = [g.detach() for g in torch.autograd.grad(F.cross_entropy(net(image), label), weights)]
        x = torch.randn(1, *shape).requires_grad_(True)
        optimiser = torch.optim.Adam([x], lr=0.1)
        milestones = [steps * eighths // 8 for eighths in (3, 5, 7)]
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones, gamma=0.1)
        start = time.perf_counter()
        for _ in range(steps):
            optimiser.zero_grad()
            own = torch.autograd.grad(F.cross_entropy(net(x), label), weights, create_graph=True)
            product = sum((a * b).sum() for a, b in zip(own, shared))
            lengths = sum((a**2).sum() for a in own).sqrt() * sum((b**2).sum() for b in shared).sqrt()
            across = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().mean()
            down = (x[:, :, 1:, :] - x[:, :, :-1, :]).abs().mean()
            (1 - product / lengths + variation * (across + down)).backward()
            x.grad.sign_()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                x.clamp_(0, 1)
        milliseconds.append((time.perf_counter() - start) * 1000 / steps)
        psnr.append(-10 * math.log10(max(((x.detach() - image) ** 2).mean().item(), 1e-12)))
    return {"milliseconds": milliseconds, "psnr": psnr}


def main():
    kind, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    result = dlg(count) if kind == "dlg" else inverting(count)
    print(json.dumps({"torch": torch.__version__, **result}))


if __name__ == "__main__":
    main()
