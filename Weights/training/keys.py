"""Which key a piece of music is in: correlation of its chroma with Krumhansl's key profiles (Krumhansl 1990).

python3 keys.py [--data FOLDER]     how often that is right for the held-out pieces: the ceiling for generated ones
"""

import numpy as np

from common import RATE, data_folder, parser
from data import Pack
from music import TONICS

MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def key_scores(wave: np.ndarray) -> np.ndarray:
    """(2, 12): correlation with every major and minor key, tonic C first."""
    import librosa

    chroma = librosa.feature.chroma_cqt(y=wave, sr=RATE, hop_length=512, fmin=65.4, n_octaves=6).mean(1)
    return np.array([[np.corrcoef(chroma, np.roll(p, k))[0, 1] for k in range(12)] for p in (MAJOR, MINOR)])


def verdict(wave: np.ndarray, tonic: str, mode: str) -> dict[str, bool]:
    """Whether the key is exactly right, and whether its seven notes are (the relative key counts)."""
    scores = np.nan_to_num(key_scores(wave))
    kind, key = np.unravel_index(scores.argmax(), scores.shape)
    wanted = TONICS.index(tonic), ["major", "minor"].index(mode)
    notes = (key + 3 * kind) % 12 == (wanted[0] + 3 * wanted[1]) % 12
    return {"key": bool((key, kind) == wanted), "notes": bool(notes)}


def rates(verdicts: list[dict[str, bool]]) -> dict[str, float]:
    return {name: float(np.mean([v[name] for v in verdicts])) for name in ("key", "notes")}


def main():
    pack = Pack(data_folder(parser(__doc__).parse_args().data))
    pieces = [r for r in pack.select("heldout", "music") if r["mode"] not in ("", "-") and r["drums"] == "-"]
    found = [verdict(pack.wave(r)[: 5 * RATE], r["tonic"], r["mode"]) for r in pieces]
    print(f"{len(found)} held-out pieces: {rates(found)}; by chance 0.04 and 0.08")


if __name__ == "__main__":
    main()
