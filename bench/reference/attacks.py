"""Attacks on LeNet-5 in PyTorch, written from the papers: what core/attacks is compared with.

usage: attacks.py verdicts MODEL.onnx IMAGES LABELS COUNT           verdicts by image, from the starts that core/attacks draws
       attacks.py table    MODEL.onnx IMAGES LABELS COUNT ATTACK... robust accuracy, ATTACK = name:norm:epsilon[:key=value]...
       attacks.py universal MODEL.onnx IMAGES LABELS EPSILON PASSES  fooling rates of the algorithm of Moosavi-Dezfooli et al.
       attacks.py time     MODEL ATTACK BATCH STEPS REPEATS         seconds of an attack on random images; MODEL: lenet5, resnet18

IMAGES and LABELS are IDX files. Prints JSON. The only parts of PyTorch that are used are autograd and operators: the attacks
themselves follow the papers and, where a released implementation decides, the released code as it is described in the paper's
repository (APGD, FAB and Square of AutoAttack; Carlini and Wagner's L2 attack).
"""

import gzip
import json
import math
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# -- models and data


def lenet(path=None):
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    if path:
        import onnx
        from onnx import numpy_helper

        held = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
        layers = {"conv1": 0, "conv2": 3, "fc1": 7, "fc2": 9, "fc3": 11}
        for name, index in layers.items():
            net[index].weight.data = torch.tensor(held[name + ".weight"])
            net[index].bias.data = torch.tensor(held[name + ".bias"])
    return net.eval().requires_grad_(False)


def resnet18():
    """The CIFAR form: 3 x 3 stem, no pooling, batch norm in inference mode."""

    class Block(nn.Module):
        def __init__(self, a, b, stride):
            super().__init__()
            self.f = nn.Sequential(
                nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(),
                nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b),
            )
            self.s = nn.Identity() if stride == 1 and a == b else nn.Sequential(
                nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))

        def forward(self, x):
            return F.relu(self.f(x) + self.s(x))

    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    width = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(width, out, stride), Block(out, out, 1)]
        width = out
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    return net.eval().requires_grad_(False)


def idx(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        rank = struct.unpack(">I", f.read(4))[0] & 255
        dims = struct.unpack(">" + "I" * rank, f.read(4 * rank))
        return np.frombuffer(f.read(), np.uint8).reshape(dims)


# -- the random streams of core/base/rng.ts, one a row


class Streams:
    def __init__(self, seed, paths):
        state = np.array([self.hash(seed, path) for path in paths], np.uint32)
        self.a, self.b, self.c, self.n = (state[:, i].copy() for i in range(4))
        self.spare = None
        for _ in range(12):
            self.uint32()

    @staticmethod
    def hash(seed, path):
        m = 0xFFFFFFFF
        s = [0x9E3779B9, 0x243F6A88, 0xB7E15162, 0xDEADBEEF]

        def absorb(word):
            for i in range(4):
                h = ((s[i] ^ (((word + i * 0x85EBCA6B) & m) * 0xCC9E2D51)) & m)
                h = ((h ^ (h >> 16)) * 0x85EBCA6B) & m
                h = ((h ^ (h >> 13)) * 0xC2B2AE35) & m
                s[i] = (h ^ (h >> 16) ^ s[(i + 3) & 3]) & m

        def number(v):
            absorb(v & m)
            absorb((v >> 32) & m)

        number(seed)
        for part in path:
            if isinstance(part, str):
                absorb(2 + len(part))
                for ch in part:
                    absorb(ord(ch))
            else:
                absorb(1)
                number(part)
        return s

    def uint32(self):
        with np.errstate(over="ignore"):
            t = self.a + self.b + self.n
            self.n = self.n + np.uint32(1)
            self.a = self.b ^ (self.b >> np.uint32(9))
            self.b = self.c + (self.c << np.uint32(3))
            self.c = ((self.c << np.uint32(21)) | (self.c >> np.uint32(11))) + t
        return t

    def uniform(self):
        high = (self.uint32() >> np.uint32(5)).astype(np.float64)
        low = (self.uint32() >> np.uint32(6)).astype(np.float64)
        return (high * 0x4000000 + low) / 0x20000000000000

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        radius = np.sqrt(-2 * np.log(1 - self.uniform()))
        angle = 2 * np.pi * self.uniform()
        self.spare = radius * np.sin(angle)
        return radius * np.cos(angle)


def drawn(attack, indices, restart, kind, size, seed=0):
    """[N, size] numbers of the streams (seed, 'attack', attack, index, restart), and one uniform more."""
    streams = Streams(seed, [("attack", attack, int(i), restart) for i in indices])
    draw = streams.uniform if kind == "uniform" else streams.normal
    return np.stack([draw() for _ in range(size)], 1), streams


# -- losses, to be made larger


def others(z, y):
    return z.masked_fill(F.one_hot(y, z.shape[1]).bool(), -1e30).max(1)[0]


def picked(z, y):
    return z.gather(1, y[:, None])[:, 0]


def loss_of(kind, z, y, t=None):
    if kind == "ce":
        return F.cross_entropy(z, y, reduction="none")
    ranked = z.sort(1, descending=True)[0]
    if kind == "dlr":
        return -(picked(z, y) - others(z, y)) / (ranked[:, 0] - ranked[:, 2] + 1e-12)
    if kind == "dlr-targeted":
        return -(picked(z, y) - picked(z, t)) / (ranked[:, 0] - 0.5 * (ranked[:, 2] + ranked[:, 3]) + 1e-12)
    raise ValueError(kind)


def gradient(net, kind, x, y, t=None):
    x = x.detach().requires_grad_(True)
    z = net(x)
    loss = loss_of(kind, z, y, t)
    return z.detach(), loss.detach(), torch.autograd.grad(loss.sum(), x)[0]


def rows(v):
    return v.reshape(v.shape[0], -1)


def l2(v):
    return rows(v).norm(dim=1).reshape(-1, 1, 1, 1)


# -- attacks: images and labels in; fooled [N], adversarial images out


def fgsm(net, x, y, norm, eps, **_):
    _, _, g = gradient(net, "ce", x, y)
    step = g.sign() if norm == "linf" else g / l2(g).clamp_min(1e-12)
    adv = (x + eps * step).clamp(0, 1)
    return net(adv).argmax(1) != y, adv


def ball_start(x, norm, eps, indices, attack="pgd", restart=0):
    size = x[0].numel()
    if norm == "linf":
        u, _ = drawn(attack, indices, restart, "uniform", size)
        d = eps * (2 * u - 1)
    else:
        n, streams = drawn(attack, indices, restart, "normal", size)
        # The last pair of normals may have left one over: the radius is the next uniform number.
        d = n * (eps * streams.uniform() ** (1 / size) / np.sqrt((n**2).sum(1)))[:, None]
    return (x + torch.tensor(d, dtype=torch.float32).reshape(x.shape)).clamp(0, 1)


def pgd(net, x, y, norm, eps, steps=40, step=0.01, start=None, last=False, momentum=None, **_):
    """A success counts at any step; `last`: only the last image counts."""
    adv = x.clone() if start is None else start.clone()
    fooled = torch.zeros(len(x), dtype=torch.bool)
    kept = x.clone()
    m = torch.zeros_like(x)
    for _ in range(steps):
        z, _, g = gradient(net, "ce", adv, y)
        now = (z.argmax(1) != y) & ~fooled
        kept[now] = adv[now]
        fooled |= now
        if momentum is not None:
            m = momentum * m + g / rows(g).abs().sum(1).reshape(-1, 1, 1, 1).clamp_min(1e-12)
            g = m
        if norm == "linf":
            adv = torch.min(torch.max(adv + step * g.sign(), x - eps), x + eps).clamp(0, 1)
        else:
            d = adv + step * g / l2(g).clamp_min(1e-12) - x
            adv = (x + d * (eps / l2(d).clamp_min(1e-12)).clamp_max(1)).clamp(0, 1)
    now = net(adv).argmax(1) != y
    if last:
        return now, adv
    kept[now & ~fooled] = adv[now & ~fooled]
    return fooled | now, kept


def surface_start(x, norm, eps, indices, attack, restart=0):
    u, _ = drawn(attack, indices, restart, "uniform" if norm == "linf" else "normal", x[0].numel())
    d = 2 * u - 1 if norm == "linf" else u
    length = np.abs(d).max(1) if norm == "linf" else np.sqrt((d**2).sum(1))
    d = eps * d / (length + 1e-12)[:, None]
    return (x + torch.tensor(d, dtype=torch.float32).reshape(x.shape)).clamp(0, 1)


def apgd_run(net, x, y, norm, eps, loss, start, steps, t=None, rho=0.75):
    def project(p):
        if norm == "linf":
            return torch.min(torch.max(p, x - eps), x + eps).clamp(0, 1)
        d = p - x
        return (x + d / (l2(d) + 1e-12) * l2(d).clamp_max(eps)).clamp(0, 1)

    adv = start.clone()
    z, f, g = gradient(net, loss, adv, y, t)
    fooled = z.argmax(1) != y
    kept = adv.clone()
    best, best_f, best_g = adv.clone(), f.clone(), g.clone()
    rate = torch.full((len(x), 1, 1, 1), 2 * eps)
    before = adv.clone()
    window, since, rises = max(int(0.22 * steps), 1), 0, torch.zeros(len(x))
    last_f = torch.zeros(len(x))
    checked, halved = best_f.clone(), torch.ones(len(x), dtype=torch.bool)
    for i in range(steps):
        inertia, before = adv - before, adv.clone()
        a = 0.75 if i else 1.0
        ahead = project(adv + rate * (g.sign() if norm == "linf" else g / (l2(g) + 1e-12)))
        adv = project(adv + (ahead - adv) * a + inertia * (1 - a))
        z, f, g = gradient(net, loss, adv, y, t)
        wrong = z.argmax(1) != y
        kept[wrong & ~fooled] = adv[wrong & ~fooled]
        fooled |= wrong
        rises += (f > last_f).float()
        last_f = f
        up = f > best_f
        best[up], best_g[up], best_f[up] = adv[up], g[up], f[up]
        since += 1
        if since == window:
            stuck = (rises <= window * rho) | (~halved & (checked >= best_f))
            halved, checked = stuck, best_f.clone()
            rate[stuck] /= 2
            adv[stuck], g[stuck] = best[stuck], best_g[stuck]
            window, since, rises = max(window - max(int(0.03 * steps), 1), max(int(0.06 * steps), 1)), 0, torch.zeros(len(x))
    return fooled, kept


def survivors_only(net, x, y, attack, runs):
    """The pointwise worst case over runs, each on what still stands."""
    fooled = net(x).argmax(1) != y
    adv = x.clone()
    for run in runs:
        left = (~fooled).nonzero()[:, 0]
        if len(left) == 0:
            break
        hit, images = attack(left, run)
        adv[left[hit]] = images[hit]
        fooled[left[hit]] = True
    return fooled, adv


def apgd(net, x, y, norm, eps, steps=100, loss="ce", indices=None, classes=9, **_):
    name = {"ce": "apgd-ce", "dlr": "apgd-dlr", "dlr-targeted": "apgd-t"}[loss]
    indices = np.arange(len(x)) if indices is None else indices
    ranked = net(x).masked_fill(F.one_hot(y, 10).bool(), -1e30).argsort(1, descending=True)

    def attack(left, rank):
        t = ranked[left, rank] if loss == "dlr-targeted" else None
        start = surface_start(x[left], norm, eps, indices[left.numpy()], name, rank)
        return apgd_run(net, x[left], y[left], norm, eps, loss, start, steps, t)

    return survivors_only(net, x, y, attack, range(classes if loss == "dlr-targeted" else 1))


def plane_step(norm, t, w, b):
    """The smallest d with <w, t + d> = b inside [0, 1], by bisection; as far as the box lets it where there is none."""
    gap = (w * t).sum(1) - b
    down = w * torch.where(gap >= 0, 1.0, -1.0)[:, None] > 0
    room = torch.where(down, t, 1 - t)
    weight = w.abs()
    low, high = torch.zeros(len(t), 1), torch.full((len(t), 1), 1e4 if norm == "l2" else 1.0)
    if norm == "l2":
        high = (room / weight.clamp_min(1e-12)).clamp_max(1e9).max(1, keepdim=True)[0]

    def at(lam):
        return torch.minimum(room, lam.expand_as(room) if norm == "linf" else lam * weight) * (weight > 0)

    for _ in range(60):
        middle = (low + high) / 2
        less = (weight * at(middle)).sum(1, keepdim=True) < gap.abs()[:, None]
        low, high = torch.where(less, middle, low), torch.where(less, high, middle)
    return torch.where(down, -at(high), at(high))


def fab_t(net, x, y, norm, eps, steps=100, classes=9, **_):
    ranked = net(x).masked_fill(F.one_hot(y, 10).bool(), -1e30).argsort(1, descending=True)
    size = (lambda d: d.abs().max(1)[0]) if norm == "linf" else (lambda d: d.norm(dim=1))

    def attack(left, rank):
        clean, label, target = rows(x[left]), y[left], ranked[left, rank]
        here, best, kept = clean.clone(), torch.full((len(left),), 1e10), clean.clone()
        for _ in range(steps):
            p = here.reshape(x[left].shape).detach().requires_grad_(True)
            z = net(p)
            f = picked(z, target) - picked(z, label)
            w = rows(torch.autograd.grad(f.sum(), p)[0])
            b = (w * here).sum(1) - f.detach()
            d1, d2 = plane_step(norm, here, w, b), plane_step(norm, clean, w, b)
            a1, a2 = size(d1).clamp_min(1e-8), size(d2).clamp_min(1e-8)
            alpha = (a1 / (a1 + a2)).clamp_max(0.1)[:, None]
            here = ((here + 1.05 * d1) * (1 - alpha) + (clean + 1.05 * d2) * alpha).clamp(0, 1)
            adversarial = net(here.reshape(x[left].shape)).argmax(1) != label
            distance = size(here - clean)
            better = adversarial & (distance < best)
            kept[better], best[better] = here[better], distance[better]
            here[adversarial] = (clean + 0.9 * (here - clean))[adversarial]
        return best <= eps, kept.reshape(x[left].shape)

    return survivors_only(net, x, y, attack, range(classes))


def square(net, x, y, norm, eps, queries=5000, first=0.8, rescale=False, **_):
    """Linf only; one square for the whole batch, corners without the last row and column, as released."""
    assert norm == "linf"
    n, c, h, w = x.shape
    best = (x + eps * (2 * torch.randint(0, 2, (n, c, 1, w)) - 1)).clamp(0, 1)

    def margin(images, labels):
        z = net(images)
        return picked(z, labels) - others(z, labels)

    least = margin(best, y)
    for i in range(queries):
        left = (least > 0).nonzero()[:, 0]
        if len(left) == 0:
            break
        at = int(i / queries * 10000) if rescale else i
        share = first / 2 ** sum(at > k for k in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))
        s = max(int(round(math.sqrt(share * h * w))), 1)
        top, side = (int(torch.randint(0, max(h - s, 1), (1,))) for _ in range(2))
        new = best[left].clone()
        new[:, :, top:top + s, side:side + s] += 2 * eps * (2 * torch.randint(0, 2, (c, 1, 1)) - 1)
        new = torch.min(torch.max(new, x[left] - eps), x[left] + eps).clamp(0, 1)
        now = margin(new, y[left])
        good = (now < least[left]) | (now <= 0)
        best[left[good]], least[left[good]] = new[good], now[good]
    return least <= 0, best


def autoattack(net, x, y, norm, eps, **_):
    stages = [
        lambda a, b: apgd(net, a, b, norm, eps),
        lambda a, b: apgd(net, a, b, norm, eps, loss="dlr-targeted"),
        lambda a, b: fab_t(net, a, b, norm, eps),
        lambda a, b: square(net, a, b, norm, eps),
    ]
    return survivors_only(net, x, y, lambda left, stage: stages[stage](x[left], y[left]), range(4))


def deepfool(net, x, y, norm="l2", eps=None, steps=50, overshoot=0.02, box=False, **_):
    """The paper's algorithm 2: without the box, and the overshoot on the whole perturbation. `box`: every image is clipped."""
    total, adv = torch.zeros_like(x), x.clone()
    fooled = torch.zeros(len(x), dtype=torch.bool)
    for _ in range(steps):
        left = (~fooled).nonzero()[:, 0]
        if len(left) == 0:
            break
        p = adv[left].detach().requires_grad_(True)
        z = net(p)
        nearest, move = torch.full((len(left),), 1e30), torch.zeros_like(p)
        for k in range(10):
            f = z[:, k] - picked(z, y[left])
            w = torch.autograd.grad(f.sum(), p, retain_graph=True)[0]
            f = f.detach()
            distance = torch.where(y[left] == k, torch.tensor(1e30), f.abs() / l2(w)[:, 0, 0, 0].clamp_min(1e-12))
            better = distance < nearest
            nearest[better] = distance[better]
            move[better] = ((f.abs() / (l2(w)[:, 0, 0, 0] ** 2).clamp_min(1e-24)).reshape(-1, 1, 1, 1) * w)[better]
        total[left] += move
        adv[left] = x[left] + (1 + overshoot) * total[left]
        if box:
            adv[left] = adv[left].clamp(0, 1)
        fooled[left] = net(adv[left]).argmax(1) != y[left]
    return fooled, adv


def carlini_wagner(net, x, y, norm="l2", eps=None, rounds=5, steps=200, rate=0.1, constant=0.1, **_):
    w0 = torch.atanh(0.999999 * (2 * x - 1))
    n = len(x)
    low, high, c = torch.zeros(n), torch.full((n,), 1e10), torch.full((n,), constant)
    best, kept = torch.full((n,), 1e10), x.clone()
    for _ in range(rounds):
        w = w0.clone().requires_grad_(True)
        adam = torch.optim.Adam([w], lr=rate)
        won = torch.zeros(n, dtype=torch.bool)
        for _ in range(steps):
            adv = (w.tanh() + 1) / 2
            z = net(adv)
            distance = rows(adv - x).pow(2).sum(1)
            f = (picked(z, y) - others(z, y)).clamp_min(0)
            adam.zero_grad()
            (distance + c * f).sum().backward()
            adam.step()
            hit = z.argmax(1) != y
            won |= hit
            better = hit & (distance.detach() < best)
            best[better], kept[better] = distance.detach()[better], adv.detach()[better]
        high = torch.where(won, torch.minimum(high, c), high)
        low = torch.where(won, low, torch.maximum(low, c))
        c = torch.where(high < 1e9, (low + high) / 2, c * 10)
    return best < 1e9, kept


attacks = {
    "fgsm": fgsm, "pgd": pgd, "apgd-ce": apgd,
    "apgd-dlr": lambda *a, **k: apgd(*a, loss="dlr", **k),
    "apgd-t": lambda *a, **k: apgd(*a, loss="dlr-targeted", **k),
    "fab-t": fab_t, "square": square, "autoattack": autoattack,
    "deepfool": deepfool, "carlini-wagner": carlini_wagner,
}  # fmt: skip


def loaded(model, images, labels, count):
    x = torch.tensor(idx(images)[:count].astype(np.float32) / 255)[:, None]
    return lenet(model), x, torch.tensor(idx(labels)[:count].astype(np.int64))


def verdicts(model, images, labels, count):
    net, x, y = loaded(model, images, labels, int(count))
    right = net(x).argmax(1) == y
    indices = np.arange(len(x))
    runs = {
        "fgsm linf 0.1": fgsm(net, x, y, "linf", 0.1),
        "fgsm linf 0.2": fgsm(net, x, y, "linf", 0.2),
        "pgd linf 0.1": pgd(net, x, y, "linf", 0.1, start=ball_start(x, "linf", 0.1, indices)),
        "pgd l2 1.5": pgd(net, x, y, "l2", 1.5, step=0.15, start=ball_start(x, "l2", 1.5, indices)),
        "mi-fgsm linf 0.1": pgd(net, x, y, "linf", 0.1, steps=10, step=0.01, momentum=1.0),
        "apgd-ce linf 0.1": apgd(net, x, y, "linf", 0.1),
        "apgd-ce l2 1.5": apgd(net, x, y, "l2", 1.5),
        "apgd-dlr linf 0.1": apgd(net, x, y, "linf", 0.1, loss="dlr"),
        "apgd-t linf 0.1": apgd(net, x, y, "linf", 0.1, loss="dlr-targeted", steps=15),
    }
    few, own = x[:32], y[:32]
    minimal = {"deepfool": deepfool(net, few, own), "carlini-wagner": carlini_wagner(net, few, own, rounds=4, steps=60)}
    medians = {}
    for name, (fooled, adv) in minimal.items():
        sizes = rows(adv - few).norm(dim=1)[fooled & right[:32]]
        medians[name] = {"count": 32, "fooled": int((fooled & right[:32]).sum()), "medianL2": round(float(sizes.median()), 4)}
    return {
        "torch": torch.__version__,
        "model": model.split("/")[-1],
        "count": len(x),
        "right": "".join(str(int(v)) for v in right),
        "fooled": {name: "".join(str(int(v)) for v in fooled & right) for name, (fooled, _) in runs.items()},
        "minimal": medians,
    }


def table(model, images, labels, count, *wanted):
    net, x, y = loaded(model, images, labels, int(count))
    right = net(x).argmax(1) == y
    results = []
    for text in wanted:
        name, norm, eps, *options = text.split(":")
        keys = {k: json.loads(v) for k, v in (option.split("=") for option in options)}
        if keys.pop("random", False):
            torch.manual_seed(0)
            keys["start"] = (x + float(eps) * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
        if keys.pop("radial", False):
            torch.manual_seed(0)
            d = torch.randn_like(x)
            keys["start"] = (x + d / l2(d) * torch.rand(len(x), 1, 1, 1) * float(eps)).clamp(0, 1)
        if keys.pop("ball", False):
            keys["start"] = ball_start(x, norm, float(eps), np.arange(len(x)))
        torch.manual_seed(0)
        start = time.perf_counter()
        fooled, adv = attacks[name](net, x, y, norm=norm, eps=float(eps), **keys)
        seconds = time.perf_counter() - start
        sizes = rows(adv - x).norm(dim=1)[fooled & right]
        results.append({
            "attack": text, "clean": float(right.float().mean()), "robust": float((right & ~fooled).float().mean()),
            "medianL2": float(sizes.median()) if len(sizes) else None, "seconds": round(seconds, 2),
        })  # fmt: skip
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    return {"torch": torch.__version__, "results": results}


def way_over(net, x, steps=10, overshoot=0.02):
    """DeepFool from one image, outside any box; the whole way with its overshoot, and whether it arrived."""
    answer = net(x).argmax(1)
    total, here = torch.zeros_like(x), x
    for _ in range(steps):
        p = here.detach().requires_grad_(True)
        z = net(p)[0]
        own = torch.autograd.grad(z[answer[0]], p, retain_graph=True)[0]
        nearest, step = math.inf, None
        for k in range(len(z)):
            w = torch.autograd.grad(z[k], p, retain_graph=True)[0] - own
            distance = ((z[k] - z[answer[0]]).abs() / w.norm()).item() if k != answer[0] else math.inf
            if distance < nearest:
                nearest, step = distance, (distance + 1e-4) * w / w.norm()
        total = total + step
        here = x + (1 + overshoot) * total
        if net(here).argmax(1) != answer:
            return (1 + overshoot) * total, True
    return (1 + overshoot) * total, False


def universal(model, images, labels, epsilon, passes):
    """Algorithm 1 of Moosavi-Dezfooli et al. 2017 over the images from 1,000 to 1,500, shown to the first 1,000; with and without
    the box of pixels."""
    net, x, _ = loaded(model, images, labels, 1500)
    eps, shown, made = float(epsilon), x[:1000], x[1000:]
    results = []
    for box in (True, False):
        torch.manual_seed(0)
        v, ways = torch.zeros_like(x[:1]), []
        under = lambda images: (images + v).clamp(0, 1) if box else images + v  # noqa: E731
        rate = lambda images: round(float((net(under(images)).argmax(1) != net(images).argmax(1)).float().mean()), 4)  # noqa: E731
        rates = []
        for _ in range(int(passes)):
            for i in torch.randperm(len(made)).tolist():
                image = made[i : i + 1]
                if net(under(image)).argmax(1) != net(image).argmax(1):
                    continue
                way, arrived = way_over(net, under(image))
                if arrived:
                    ways.append(float(way.abs().max()))
                    v = (v + way).clamp(-eps, eps)
            rates.append({"made": rate(made), "shown": rate(shown)})
        results.append({"box": box, "medianLargestChangeOfAStep": round(float(np.median(ways)), 3), "afterPass": rates})
    return {"torch": torch.__version__, "model": model.split("/")[-1], "epsilon": eps, "results": results}


def timed(model, attack, batch, steps, repeats):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net, shape = (lenet(), (1, 28, 28)) if model == "lenet5" else (resnet18(), (3, 32, 32))
    x = torch.rand(int(batch), *shape)
    y = net(x).argmax(1)
    milliseconds = []
    for _ in range(int(repeats) + 1):
        start = time.perf_counter()
        if attack == "pgd":
            begin = (x + 1e-4 * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
            pgd(net, x, y, "linf", 1e-4, steps=int(steps), step=1e-5, start=begin)
        else:
            begin = (x + 1e-4 * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
            apgd_run(net, x, y, "linf", 1e-4, "ce", begin, int(steps))
        milliseconds.append((time.perf_counter() - start) * 1000)
    return {"torch": torch.__version__, "milliseconds": milliseconds[1:]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    task = {"verdicts": verdicts, "table": table, "time": timed, "universal": universal}[sys.argv[1]]
    print(json.dumps(task(*sys.argv[2:]), indent=1))
