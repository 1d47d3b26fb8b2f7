"""Stage 16, the quick way: a judge that is a forest of trees over band statistics of the VAE's mels.  It trains on a
CPU, on the same training files as the convolutional one; `evaluate.py --judge forest` measures with it.

A second one, `--judge accustomed`, has also heard its training clips through VAE and vocoder: what it still recognizes is in
the sound, whatever the vocoder adds to all of them.

    python3 forest.py [--data FOLDER] [--per-class N]            trains, prints the figures for held-out files
    python3 forest.py --accustomed 6 [--data FOLDER]             the second one, on N of each class as they come back, too
"""

import json

import joblib
import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from common import data_folder, parser
from data import Pack
from evaluate import normalised, round_trip
from mel import log_mel
from train_classifier import class_names, heldout_scenes, scores


def statistics(waves: torch.Tensor) -> np.ndarray:
    """(n, samples) to (n, features): level, spread, percentiles and movement of each band, the spectrum of the loudest
    frames, and how the loudness moves."""
    mel = log_mel(waves).clamp(min=-9)
    level = mel.logsumexp(2)
    loudest = level.topk(level.shape[1] // 10, dim=1).indices
    bright = mel.gather(1, loudest[..., None].expand(-1, -1, mel.shape[2])).mean(1)
    envelope = level - level.amax(1, keepdim=True)
    pulse = torch.fft.rfft(envelope - envelope.mean(1, keepdim=True)).abs()[:, 1:97].log1p()
    quantiles = torch.quantile(mel, torch.tensor([0.1, 0.5, 0.9, 0.99]), dim=1)
    features = [
        mel.mean(1),
        mel.std(1),
        *quantiles,
        mel.diff(dim=1).abs().mean(1),
        bright - bright.mean(1, keepdim=True),
        bright.diff(dim=1),
        torch.quantile(envelope, torch.linspace(0.05, 0.95, 10), dim=1).T,
        envelope.diff(dim=1).abs().mean(1, keepdim=True),
        pulse.unflatten(1, (24, 4)).mean(2),
    ]
    return torch.cat(features, 1).numpy()


class Forest:
    """The trained forest, in the place of evaluate.Judge: log-probabilities and an embedding of waveforms."""

    def __init__(self, data, name: str = "forest"):
        saved = joblib.load(data / f"states/{name}.joblib")
        self.trees, self.embedding, self.names = saved["trees"], saved["embedding"], saved["names"]

    def __call__(self, waves: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
        """(log-probabilities over `names`, embeddings (n, 64)) of (n, samples)."""
        found = np.concatenate([statistics(w) for w in waves.split(64)])
        logits = np.full((len(found), len(self.names)), -20.0)
        logits[:, self.trees.classes_] = np.log(self.trees.predict_proba(found) + 1e-6)
        return torch.from_numpy(logits).float(), self.embedding.transform(found)


def main():
    p = parser(__doc__)
    p.add_argument("--per-class", type=int, default=40)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--accustomed", type=int, default=0, help="clips of each class through VAE and vocoder as well")
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    data = data_folder(args.data)
    pack = Pack(data)
    names = class_names(pack)
    waves, truth = heldout_scenes(pack, args.per_class, split="train")
    if args.accustomed:
        more, same = heldout_scenes(pack, args.accustomed, split="train")
        waves = torch.cat([waves, normalised(round_trip(more, data, torch.device("cpu")))])
        truth = truth + same
    name = "accustomed" if args.accustomed else "forest"
    found = np.concatenate([statistics(w) for w in waves.split(64)])
    trees = ExtraTreesClassifier(500, max_features=0.1, class_weight="balanced", random_state=0, n_jobs=args.threads)
    trees.fit(found, [names.index(t) for t in truth])
    embedding = make_pipeline(StandardScaler(), PCA(64, random_state=0)).fit(found)
    (data / "states").mkdir(exist_ok=True)
    joblib.dump({"trees": trees, "embedding": embedding, "names": names}, data / f"states/{name}.joblib", compress=3)
    waves, truth = heldout_scenes(pack, 4)
    print(json.dumps(scores(Forest(data, name)(waves)[0], names, truth), indent=1))


if __name__ == "__main__":
    main()
