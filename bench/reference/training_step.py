"""Times one training step in PyTorch eager mode on the CPU, for bench/training-step.ts.

usage: training_step.py SCENARIO BATCH THREADS REPEATS
Prints one JSON object: {"torch": version, "milliseconds": [one number a repeat]}.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = None
        if stride != 1 or inputs != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        blocks, inputs = [], 64
        for stage, filters in enumerate([64, 128, 256, 512]):
            for index in range(2):
                blocks.append(Block(inputs, filters, 2 if stage and not index else 1))
                inputs = filters
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def training_step(model, shape, batch):
    images = torch.rand(batch, *shape)
    labels = torch.arange(batch) % 10
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step():
        optimiser.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def impression_step(model, shape, batch):
    images = torch.rand(batch, *shape).requires_grad_(True)
    targets = torch.softmax(torch.randn(batch, 10), 1)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    optimiser = torch.optim.Adam([images], lr=0.05)

    def step():
        optimiser.zero_grad()
        loss = -(targets * F.log_softmax(model(images) / 20, 1)).sum()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            images.clamp_(0, 1)
        return loss.item()

    return step


scenarios = {
    "lenet5": lambda batch: training_step(LeNet5(), (1, 28, 28), batch),
    "resnet18": lambda batch: training_step(ResNet18(), (3, 32, 32), batch),
    "lenet5-impressions": lambda batch: impression_step(LeNet5(), (1, 28, 28), batch),
}


def main():
    scenario, batch, threads, repeats = sys.argv[1], *map(int, sys.argv[2:5])
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    step = scenarios[scenario](batch)
    for _ in range(3):
        step()
    milliseconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        milliseconds.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"torch": torch.__version__, "milliseconds": milliseconds}))


if __name__ == "__main__":
    main()
