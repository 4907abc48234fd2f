"""Phantoms are worth learning: a small network sees what no linear model of the pixels can. Patients are disjoint."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score
from torch import nn

from osteon.images import read_image
from osteon.phantoms import draw

SIDE, EPOCHS, BATCH = 128, 10, 32


def letterbox(path: Path) -> np.ndarray:
    image = read_image(path).pixels
    scale = SIDE / max(image.shape)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    out = np.zeros((SIDE, SIDE), np.uint8)
    y, x = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    out[y : y + small.shape[0], x : x + small.shape[1]] = small
    return out


class Small(nn.Module):
    """Five convolutions, then mean and maximum over the film."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 24, 48, 96, 128, 128)
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if number < 4 else []
        self.features, self.head = nn.Sequential(*layers), nn.Linear(256, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.features(x)
        return self.head(torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], 1))[:, 0]


def batch(images: np.ndarray) -> torch.Tensor:
    return ((torch.from_numpy(images)[:, None].float() - 60) / 60).contiguous(memory_format=torch.channels_last)


def learn(images: np.ndarray, target: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    network = Small().to(memory_format=torch.channels_last)
    rng, steps = np.random.default_rng(0), EPOCHS * -(-len(images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in np.array_split(rng.permutation(len(images)), steps // EPOCHS):
            x = batch(images[chosen])
            with torch.autocast("cpu", torch.bfloat16):
                score = network(x.flip(3) if rng.random() < 0.5 else x)
            loss = nn.functional.binary_cross_entropy_with_logits(score.float(), torch.tensor(target[chosen]).float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        return torch.cat([network(batch(unseen[i : i + 64])) for i in range(0, len(unseen), 64)]).numpy()


@pytest.mark.slow
def test_a_small_network_sees_hip_fractures_that_a_linear_model_does_not(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    root = draw("hip", tmp_path, 585, 0)
    table = pd.read_csv(root / "labels.csv")
    images = np.stack([letterbox(root / path) for path in table["path"]])
    target = table["fracture"].to_numpy()
    test = table["patient_id"].isin(sorted(table["patient_id"].unique())[::3]).to_numpy()
    pixels = np.stack([cv2.resize(i, (32, 32), interpolation=cv2.INTER_AREA).ravel() for i in images]) / 255
    ridge = RidgeCV(np.logspace(0, 6, 13)).fit(pixels[~test], target[~test])
    linear = roc_auc_score(target[test], ridge.predict(pixels[test]))
    network = roc_auc_score(target[test], learn(images[~test], target[~test], images[test]))
    assert linear < 0.75
    assert network > 0.85
    assert network > linear + 0.15
