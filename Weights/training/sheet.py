"""Looks at the data: spectrogram contact sheets, one row per class, to find wrong labels by eye.

python3 sheet.py OUT_FOLDER [--data FOLDER] [--domain effect] [--columns N] [--rows N]
"""

from pathlib import Path

import matplotlib
import numpy as np
import torch

from common import data_folder, parser
from data import Pack
from mel import log_mel

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def thumbnail(wave: np.ndarray, seconds: float = 2.56) -> np.ndarray:
    """A (64, 128) picture of the first seconds at peak 0.5."""
    wave = wave[: int(seconds * 16000)]
    wave = np.pad(wave, (0, max(0, int(seconds * 16000) - len(wave))))
    wave = 0.5 * wave / max(1e-4, np.abs(wave).max())
    return log_mel(torch.from_numpy(wave.astype(np.float32))[None])[0, ::2].numpy().T


def main():
    p = parser(__doc__)
    p.add_argument("out", type=Path)
    p.add_argument("--columns", type=int, default=14)
    p.add_argument("--rows", type=int, default=21)
    p.add_argument("--domain", default="effect", choices=["effect", "music", "speech"])
    args = p.parse_args()
    data = data_folder(args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    pack, groups = Pack(data), {}
    for row in pack.rows:
        if row["domain"] == args.domain:
            groups.setdefault(row["class"], []).append(row)
    names = sorted(groups)
    for start in range(0, len(names), args.rows):
        rows = names[start : start + args.rows]
        sheet = np.full((66 * len(rows), 130 * args.columns), 0.0, dtype=np.float32)
        for r, name in enumerate(rows):
            files = groups[name]
            step = max(1, len(files) / args.columns)
            for c in range(min(args.columns, len(files))):
                picture = thumbnail(pack.wave(files[int(c * step)]))
                sheet[66 * r : 66 * r + 64, 130 * c : 130 * c + 128] = picture[::-1]
        figure, axes = plt.subplots(figsize=(19, 0.9 * len(rows)))
        axes.imshow(sheet, aspect="auto", vmin=-9, vmax=1, cmap="magma")
        axes.set_yticks([66 * r + 32 for r in range(len(rows))], [f"{n} ({len(groups[n])})" for n in rows], fontsize=7)
        axes.set_xticks([])
        figure.tight_layout()
        figure.savefig(args.out / f"sheet{start // args.rows}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main()
