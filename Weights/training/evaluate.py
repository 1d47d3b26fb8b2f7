"""Stage 18: figures for the model card, from an exported folder and the judge.

    python3 evaluate.py CHECKPOINT [--data FOLDER] [--device cuda] [--per-class N] [--steps 25] [--guidance 3.5]
    python3 evaluate.py --references         only what needs no generator: held-out clips, VAE + vocoder, noise

Prints JSON: classifier top-1 / top-5 of generated clips for seen captions and for held-out paraphrases, music
families, Fréchet distances to the held-out clips, and the same figures for real clips, the round trip and noise.
"""

import json
import random

import numpy as np
import scipy.linalg
import torch

import captions
import models
from common import RATE, data_folder, parser
from data import Pack
from mel import log_mel
from train_classifier import SECONDS, heldout_scenes, load_classifier, scores


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The Fréchet distance of two sets of embeddings (n, d), as Gaussians."""

    def moments(x):
        return x.mean(0), np.cov(x, rowvar=False) + 1e-6 * np.eye(x.shape[1])

    (m1, c1), (m2, c2) = moments(a), moments(b)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return float(((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * root))


class Judge:
    def __init__(self, data, device):
        self.device = device
        self.model, self.names = load_classifier(data, device)

    @torch.no_grad()
    def __call__(self, waves: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
        """(logits, embeddings) of (n, samples)."""
        out = [self.model(log_mel(w.to(self.device))) for w in waves.split(64)]
        return torch.cat([o[0] for o in out]).float().cpu(), torch.cat([o[1] for o in out]).float().cpu().numpy()


def normalised(waves: torch.Tensor) -> torch.Tensor:
    """Peak 0.5, as the training clips."""
    return 0.5 * waves / waves.abs().amax(1, keepdim=True).clamp(min=1e-3)


@torch.no_grad()
def round_trip(waves: torch.Tensor, data, device) -> torch.Tensor:
    """Through mel, VAE and vocoder."""
    vae = models.load(models.vae(), data, "vae").to(device)
    vocoder = models.load(models.vocoder(), data, "vocoder").to(device)
    out = []
    for part in waves.split(8):
        mel = vae(log_mel(part.to(device))[:, None]).sample[:, 0]
        out.append(vocoder(mel)[:, : waves.shape[1]].float().cpu())
    return torch.cat(out)


def prompts(pack: Pack, names: list[str], count: int, heldout: bool) -> list[tuple[str, str]]:
    """(caption, class name): `count` for each effect class that has held-out files, and for each music family."""
    rng, result = random.Random(11), []
    tested = {r["class"] for r in pack.select("heldout", "effect")}
    pieces = pack.select("heldout", "music")
    for name in names:
        for _ in range(count):
            if name in tested:
                facts = {"events": [(name, "-", [])]}
                result.append((captions.describe(rng, facts, heldout), name))
            elif name.startswith("music: ") and not heldout:
                family = [p for p in pieces if f"music: {p['class']}" == name]
                if family:
                    result.append((captions.describe(rng, {"piece": rng.choice(family)}), name))
    return result


def generated(pipe, texts: list[str], steps: int, guidance: float, batch: int, seed: int = 0) -> torch.Tensor:
    """(n, samples): one clip per caption; noise is seeded per clip."""
    out = []
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        seeds = [torch.Generator("cpu").manual_seed(seed + start + k) for k in range(len(part))]
        audios = pipe(
            part,
            audio_length_in_s=SECONDS,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=seeds,
            output_type="pt",
        ).audios
        out.append(audios.float().cpu()[:, : int(SECONDS * RATE)])
    return torch.cat(out)


def main():
    p = parser(__doc__)
    p.add_argument("checkpoint", nargs="?")
    p.add_argument("--references", action="store_true")
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--per-class", type=int, default=4)
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--guidance", type=float, default=3.5)
    p.add_argument("--batch", type=int, default=16)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    data, device = data_folder(args.data), torch.device(args.device)
    pack, judge = Pack(data), Judge(data, device)
    real, truth = heldout_scenes(pack, args.per_class)
    train, _ = heldout_scenes(pack, args.per_class, split="train")
    real_logits, real_embeddings = judge(real)
    result = {"held-out clips": scores(real_logits, judge.names, truth)}
    noise = 0.1 * torch.randn(len(real), real.shape[1], generator=torch.Generator().manual_seed(0))
    distances = {"training clips": judge(train)[1], "noise": judge(normalised(noise))[1]}
    if (data / "parts/vae.safetensors").exists() and (data / "parts/vocoder.safetensors").exists():
        logits, distances["VAE and vocoder"] = judge(round_trip(real, data, device))
        result["VAE and vocoder"] = scores(logits, judge.names, truth)
    if args.checkpoint and not args.references:
        from diffusers import AudioLDM2Pipeline

        pipe = AudioLDM2Pipeline.from_pretrained(args.checkpoint, torch_dtype=torch.float32).to(device)
        pipe.set_progress_bar_config(disable=True)
        for title, heldout in (("seen captions", False), ("held-out paraphrases", True)):
            pairs = prompts(pack, judge.names, args.per_class, heldout)
            waves = normalised(generated(pipe, [t for t, _ in pairs], args.steps, args.guidance, args.batch))
            logits, embeddings = judge(waves)
            result[title] = scores(logits, judge.names, [n for _, n in pairs])
            distances[f"generated, {title}"] = embeddings
    result["Fréchet distance to held-out clips"] = {k: frechet(v, real_embeddings) for k, v in distances.items()}
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
