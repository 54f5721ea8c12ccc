"""DLG or iDLG by PyTorch on the nets, images and starts that `npm run bench -- --leakage --cases DIR` wrote.

python leakage_runs.py dlg|idlg STEPS DIR

Prints a line of JSON for each case, as --log does. The loss is looked at after every outer step, which ends below 1e-6.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

from leakage_step import LeNetZhu


def run(path, attack, steps):
    index, label = map(int, path.stem.split("-"))
    numbers = torch.from_numpy(np.fromfile(path, dtype="<f4"))
    net = LeNetZhu()
    weights = list(net.parameters())
    at = 0

    def take(*shape):
        nonlocal at
        size = int(np.prod(shape))
        at += size
        return numbers[at - size : at].view(*shape).clone()

    with torch.no_grad():
        for weight in weights:
            weight.copy_(take(*weight.shape))
    image, x, y = take(1, 1, 28, 28), take(1, 1, 28, 28), take(1, 10)
    truth = torch.tensor([label])
    shared = [g.detach() for g in torch.autograd.grad(F.cross_entropy(net(image), truth), weights)]
    x.requires_grad_(True)
    guessed = [x] if attack == "idlg" else [x, y.requires_grad_(True)]
    known = shared[-1].argmin().view(1)
    optimiser = torch.optim.LBFGS(guessed)
    evaluations, best = 0, (float("inf"), x.detach().clone())

    def closure():
        nonlocal evaluations, best
        evaluations += 1
        optimiser.zero_grad()
        if attack == "idlg":
            loss = F.cross_entropy(net(x), known)
        else:
            loss = (-torch.softmax(y, -1) * torch.log_softmax(net(x), -1)).sum(-1).mean()
        own = torch.autograd.grad(loss, weights, create_graph=True)
        distance = sum(((a - b) ** 2).sum() for a, b in zip(own, shared))
        distance.backward()
        if distance.item() < best[0]:
            best = (distance.item(), x.detach().clone())
        return distance

    for step in range(steps):
        before = x.detach().clone()
        optimiser.step(closure)
        distance = closure().item()
        if distance < 1e-6:
            end = "converged"
            break
        if not np.isfinite(distance):
            end = "diverged"
            break
        # Nothing that moved no entry of x will move one later.
        if torch.equal(before, x.detach()):
            end = "stalled"
            break
    else:
        end = "finished"
    found = known if attack == "idlg" else y.argmax(-1)
    return {
        "attack": attack,
        "index": index,
        "isLabelRight": bool(found.item() == label),
        "mse": ((best[1] - image) ** 2).mean().item(),
        "distance": best[0],
        "end": end,
        "steps": step + 1,
        "evaluations": evaluations,
    }


def main():
    attack, steps, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    torch.set_num_threads(1)
    for path in sorted(folder.glob("*.f32"), key=lambda path: int(path.stem.split("-")[0])):
        print(json.dumps(run(path, attack, steps)), flush=True)


if __name__ == "__main__":
    main()
