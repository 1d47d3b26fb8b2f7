"""Stage 16: the judge.  A small convolutional classifier over the VAE's mels of 5.12 s, trained on the training files
(the generator never saw the held-out ones, nor did this), tested on the held-out files.  All figures from it are in-
domain.

    python3 train_classifier.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import json

import torch

import models
from common import Average, Run, setup, training_parser
from data import Pack, SceneBank, Scenes, ahead
from mel import log_mel

SECONDS = 5.12


def class_names(pack: Pack) -> list[str]:
    """Effect classes, then "music: family", then "speech"."""
    effects = sorted({r["class"] for r in pack.rows if r["domain"] == "effect"})
    families = sorted({f"music: {r['class']}" for r in pack.rows if r["domain"] == "music"})
    return effects + families + ["speech"]


def name_of(scene: dict) -> str:
    """The class name of a scene's main sound."""
    return f"music: {scene['labels'][0]}" if scene["domain"] == "music" else scene["labels"][0]


class Classifier(torch.nn.Module):
    """Mel (batch, frames, 64) to (logits, embedding (batch, 128))."""

    def __init__(self, classes: int):
        super().__init__()
        layers, before = [], 1
        for width in (24, 48, 96, 160):
            for stride in (1, 2):
                layers += [
                    torch.nn.Conv2d(before, width, 3, stride, 1, bias=False),
                    torch.nn.BatchNorm2d(width),
                    torch.nn.ReLU(),
                ]
                before = width
        self.features = torch.nn.Sequential(*layers)
        self.embed = torch.nn.Linear(2 * 160, 128)
        self.last = torch.nn.Linear(128, classes)

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.features((mel[:, None] + 5) / 4).mean(3)  # frequency averaged last, after 4 strides
        embedding = self.embed(torch.cat([x.mean(2), x.amax(2)], 1))
        return self.last(torch.relu(embedding)), embedding


def heldout_scenes(pack: Pack, per_class: int, split: str = "heldout"):
    """Plain scenes of held-out files: (waveforms, class names), `per_class` for each class that has such files."""
    scenes, waves, names = Scenes(pack, SECONDS, 5, split=split, plain=True), [], []
    for domain, groups in sorted(scenes.groups.items()):
        for label in sorted(groups):
            for _ in range(per_class):
                wave, scene = scenes.speech() if domain == "speech" else getattr(scenes, domain)(label)
                waves.append(torch.from_numpy(wave))
                names.append(name_of(scene))
    return torch.stack(waves), names


@torch.no_grad()
def accuracy(model, names: list[str], waves: torch.Tensor, truth: list[str], device) -> dict[str, float]:
    """Top-1 and top-5 over all, and over the effects alone (then only effect classes can be answered)."""
    logits = torch.cat([model(log_mel(w.to(device)))[0].float().cpu() for w in waves.split(64)])
    return scores(logits, names, truth)


def scores(logits: torch.Tensor, names: list[str], truth: list[str]) -> dict[str, float]:
    effects = [i for i, n in enumerate(names) if not n.startswith("music: ") and n != "speech"]
    families = [i for i, n in enumerate(names) if n.startswith("music: ")]
    result = {}
    for title, allowed in (("all", list(range(len(names)))), ("effects", effects), ("music", families)):
        rows = [k for k, t in enumerate(truth) if names.index(t) in set(allowed)]
        if rows:
            ranked = logits[rows][:, allowed].argsort(1, descending=True)
            target = torch.tensor([allowed.index(names.index(truth[k])) for k in rows])[:, None]
            result[f"{title} top-1"] = float((ranked[:, :1] == target).any(1).float().mean())
            result[f"{title} top-5"] = float((ranked[:, :5] == target).any(1).float().mean())
    return result


def load_classifier(data, device):
    names = json.loads((data / "parts/classifier.names.json").read_text())
    return models.load(Classifier(len(names)), data, "classifier").to(device), names


def main():
    p = training_parser(__doc__, steps=12000, batch=64, rate=2e-3)
    args = p.parse_args()
    folder, device, autocast = setup(args)
    pack = Pack(folder)
    names = class_names(pack)
    model = Classifier(len(names)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.02, fused=True)
    average = Average(model)
    run = Run(folder, "classifier", {"model": model, "optimizer": optimizer, "average": average}, args)
    bank = SceneBank(folder, args.seed + run.step)
    model.train()
    batches = ahead(lambda: bank.batch(args.batch, SECONDS, device=device))
    while not run.finished():
        wave, scenes = next(batches)
        # two sounds: both are right answers
        target = torch.zeros(args.batch, len(names))
        for k, scene in enumerate(scenes):
            right = {name_of(scene)} | set(scene["labels"][1:])
            for name in right:
                target[k, names.index(name)] = 1 / len(right)
        mel = log_mel(wave)
        # blank bands and stretches, as in SpecAugment
        for row in mel:
            f, t = torch.randint(0, 56, (1,)).item(), torch.randint(0, mel.shape[1] - 64, (1,)).item()
            row[:, f : f + torch.randint(0, 9, (1,)).item()] = -8
            row[t : t + torch.randint(0, 49, (1,)).item()] = -8
        with autocast():
            logits, _ = model(mel)
        loss = torch.nn.functional.cross_entropy(logits.float(), target.to(device), label_smoothing=0.05)
        run.set_rate(optimizer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
        run.advance(every=50, loss=loss)
    run.save()
    average.apply(model)
    models.save(model, folder, "classifier")
    (folder / "parts/classifier.names.json").write_text(json.dumps(names))
    print(json.dumps(accuracy(model.eval(), names, *heldout_scenes(pack, 4), device), indent=1))


if __name__ == "__main__":
    main()
