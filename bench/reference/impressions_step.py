"""Time of one synthesis step in PyTorch eager: gradient on the pixels of a batch through LeNet-5, Adam on the pixels.

usage: impressions_step.py BATCH STEPS REPEATS THREADS VIEWS(0|1) 
Prints one JSON object: {"torch": version, "milliseconds": [one number a repeat]}.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

batch, steps, repeats, threads, views = (int(a) for a in sys.argv[1:6])
torch.set_num_threads(threads)
torch.manual_seed(0)

lenet = torch.nn.Sequential(
    torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(6, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
    torch.nn.Linear(400, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU(), torch.nn.Linear(84, 10),
).eval().requires_grad_(False)
targets = torch.softmax(torch.randn(batch, 10), 1)


def random_views(x):
    angle = (torch.rand(batch) * 2 - 1) * math.radians(17)
    scale = 0.85 + 0.3 * torch.rand(batch)
    shift = (torch.rand(batch, 2) * 2 - 1) * 2 / 14
    c, s = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.stack([torch.stack([c, -s, shift[:, 0]], 1), torch.stack([s, c, shift[:, 1]], 1)], 1)
    return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)


def run():
    x = torch.rand(batch, 1, 28, 28).requires_grad_(True)
    optimiser = torch.optim.Adam([x], lr=0.05)
    start = time.perf_counter()
    for _ in range(steps):
        optimiser.zero_grad()
        seen = random_views(x) if views else x
        loss = -(targets * F.log_softmax(lenet(seen) / 20, 1)).sum()
        if views:
            tv = (x[:, :, 1:] - x[:, :, :-1]).abs().sum() + (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().sum()
            loss = loss + 0.005 * tv + 0.003 * x.abs().sum()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    return (time.perf_counter() - start) / steps


run()
times = [run() for _ in range(repeats)]
print(json.dumps({"torch": torch.__version__, "milliseconds": [1000 * t for t in times]}))
