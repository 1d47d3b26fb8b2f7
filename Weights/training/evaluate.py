"""Stage 18: figures for the model card, as JSON.

    python3 evaluate.py references                  held-out clips, VAE + vocoder, noise: what any generator stands beside
    python3 evaluate.py checkpoint FOLDER           the reference pipeline on an exported folder
    python3 evaluate.py prompts LIST.tsv            the prompts, with their seeds, for a runtime to make clips of; also
                                                    LIST.jsonl for `audioldm2 batch LIST.jsonl --output-dir FOLDER`
    python3 evaluate.py waves LIST.tsv FOLDER       clips NNN.wav that a runtime made of them; --against OTHER adds the mean
                                                    log-mel difference to those of another (float32 against int8, say)

Options: --data FOLDER, --judge, --device, --threads, --per-class N, --steps, --scheduler, --guidance, --batch.

Classifier top-1 and top-5 with 95 % intervals (bootstrap over clips) for seen captions and for held-out paraphrases, music
families, key hit-rates, Fréchet distances of the classifier's embeddings to held-out clips.  All in-domain.
"""

import json
import random
from pathlib import Path

import numpy as np
import scipy.linalg
import soundfile
import torch

import captions
import models
from common import RATE, data_folder, parser
from data import Pack
from keys import rates, verdict
from mel import log_mel
from train_classifier import SECONDS, heldout_scenes, load_classifier, scores


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The Fréchet distance of two sets of embeddings (n, d), as Gaussians."""

    def moments(x):
        return x.mean(0), np.cov(x, rowvar=False) + 1e-6 * np.eye(x.shape[1])

    (m1, c1), (m2, c2) = moments(a), moments(b)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return float(((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * root))


def intervals(logits: torch.Tensor, names: list[str], truth: list[str], rounds: int = 200) -> dict[str, list[float]]:
    """Each score as [value, low, high]: 95 % of bootstrap samples of the clips lie between."""
    rng, drawn = random.Random(0), {}
    for _ in range(rounds):
        picks = rng.choices(range(len(truth)), k=len(truth))
        for name, value in scores(logits[picks], names, [truth[i] for i in picks]).items():
            drawn.setdefault(name, []).append(value)
    values = scores(logits, names, truth)
    return {k: [round(float(x), 4) for x in (v, *np.percentile(drawn[k], [2.5, 97.5]))] for k, v in values.items()}


class Judge:
    """The classifier: logits and embeddings of waveforms."""

    def __init__(self, data: Path, device: torch.device):
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
def round_trip(waves: torch.Tensor, data: Path, device: torch.device) -> torch.Tensor:
    """Through mel, VAE and vocoder."""
    vae = models.load(models.vae(), data, "vae").to(device)
    vocoder = models.load(models.vocoder(), data, "vocoder").to(device)
    out = []
    for part in waves.split(8):
        mel = vae(log_mel(part.to(device))[:, None]).sample[:, 0]
        out.append(vocoder(mel)[:, : waves.shape[1]].float().cpu())
    return torch.cat(out)


def prompts(pack: Pack, names: list[str], count: int) -> list[dict]:
    """What is asked for: `count` seen captions and as many held-out ones for each effect class that has held-out files,
    seen captions for each music family, and pieces in a named key ("tonic", "mode")."""
    rng, result = random.Random(11), []
    tested = {r["class"] for r in pack.select("heldout", "effect")}
    pieces = [p for p in pack.select("heldout", "music") if p["drums"] == "-" or p["class"] == "drums"]
    for name in names:
        family = [p for p in pieces if f"music: {p['class']}" == name]
        for _ in range(count):
            facts = (
                {"events": [(name, "-", [])]} if name in tested else {"piece": rng.choice(family)} if family else None
            )
            if facts:
                result.append({"kind": "seen", "class": name, "caption": captions.describe(rng, facts)})
            if name in tested:
                result.append({"kind": "held-out", "class": name, "caption": captions.describe(rng, facts, True)})
    for piece in (p for p in pieces if p["tonic"] not in ("", "-")):
        article = "an" if piece["pattern"][0] == "a" else "a"
        what = f"{piece['instrument']} playing {article} {piece['pattern']} in {piece['tonic']} {piece['mode']}"
        keyed = {"kind": "key", "class": f"music: {piece['class']}", "caption": what}
        result.append(keyed | {"tonic": piece["tonic"], "mode": piece["mode"]})
    return [p | {"seed": i} for i, p in enumerate(result)]


def generated(checkpoint: str, asked: list[dict], args) -> torch.Tensor:
    """(n, samples): one clip for each prompt by the reference pipeline; noise is seeded for each clip."""
    from diffusers import AudioLDM2Pipeline, DPMSolverMultistepScheduler

    pipe = AudioLDM2Pipeline.from_pretrained(checkpoint, torch_dtype=torch.float32).to(args.device)
    if args.scheduler == "dpmpp":
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    out = []
    for start in range(0, len(asked), args.batch):
        part = asked[start : start + args.batch]
        audios = pipe(
            [p["caption"] for p in part],
            audio_length_in_s=SECONDS,
            num_inference_steps=args.steps,
            guidance_scale=args.guidance,
            generator=[torch.Generator("cpu").manual_seed(p["seed"]) for p in part],
            output_type="pt",
        ).audios
        out.append(audios.float().cpu()[:, : int(SECONDS * RATE)])
    return torch.cat(out)


def read_waves(folder: Path, count: int) -> torch.Tensor:
    """NNN.wav of a folder, each padded or cut to the judge's length."""
    samples, out = int(SECONDS * RATE), np.zeros((count, int(SECONDS * RATE)), np.float32)
    for i in range(count):
        wave, rate = soundfile.read(folder / f"{i:03d}.wav", dtype="float32", always_2d=True)
        if rate != RATE:
            raise SystemExit(f"{folder / f'{i:03d}.wav'}: {rate} Hz; the judge hears {RATE}")
        out[i, : min(samples, len(wave))] = wave[:samples, 0]
    return torch.from_numpy(out)


def judged(waves: torch.Tensor, asked: list[dict], judge: Judge, real: np.ndarray) -> dict:
    """All figures for clips made of `asked`; `real` are embeddings of held-out clips."""
    waves, result = normalised(waves), {}
    for kind in ("seen", "held-out"):
        rows = [i for i, p in enumerate(asked) if p["kind"] == kind]
        if not rows:
            continue
        result[kind] = intervals(judge(waves[rows])[0], judge.names, [asked[i]["class"] for i in rows])
        result[kind]["Fréchet distance"] = frechet(judge(waves[rows])[1], real)
    found = [verdict(w.numpy(), p["tonic"], p["mode"]) for w, p in zip(waves, asked) if p["kind"] == "key"]
    return result | ({"music in a named key": rates(found)} if found else {})


def references(pack: Pack, judge: Judge, data: Path, args) -> dict:
    """What real clips, the round trip and noise get."""
    real, truth = heldout_scenes(pack, args.per_class)
    embeddings = judge(real)[1]
    train, _ = heldout_scenes(pack, args.per_class, split="train")
    noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    distances = {"training clips": judge(train)[1], "noise": judge(normalised(noise))[1]}
    result = {"held-out clips": intervals(judge(real)[0], judge.names, truth)}
    if all((data / f"parts/{p}.safetensors").exists() for p in ("vae", "vocoder")):
        again = round_trip(real, data, torch.device(args.device))
        result["VAE and vocoder"] = intervals(judge(again)[0], judge.names, truth)
        distances["VAE and vocoder"] = judge(again)[1]
    return result | {"Fréchet distance": {k: frechet(v, embeddings) for k, v in distances.items()}}


def write_prompts(path: Path, asked: list[dict]):
    columns = ["seed", "kind", "class", "tonic", "mode", "caption"]
    lines = ["\t".join(str(p.get(c, "-")) for c in columns) for p in asked]
    path.write_text("# " + "\t".join(columns) + "\n" + "\n".join(lines) + "\n")
    batch = [{"prompt": p["caption"], "seed": p["seed"], "output": f"{i:03d}.wav"} for i, p in enumerate(asked)]
    path.with_suffix(".jsonl").write_text("".join(json.dumps(line) + "\n" for line in batch))


def read_prompts(path: Path) -> list[dict]:
    lines = path.read_text().splitlines()
    names = lines[0].removeprefix("# ").split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def main():
    p = parser(__doc__)
    p.add_argument("command", choices=["references", "checkpoint", "prompts", "waves"])
    p.add_argument("paths", nargs="*", type=Path)
    p.add_argument("--against", type=Path)
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--judge", choices=["forest", "accustomed", "network"], default="forest")
    p.add_argument("--per-class", type=int, default=4)
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--scheduler", choices=["dpmpp", "ddim"], default="dpmpp")
    p.add_argument("--guidance", type=float, default=3.5)
    p.add_argument("--batch", type=int, default=16)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    data = data_folder(args.data)
    pack = Pack(data)
    if args.judge == "network":
        judge = Judge(data, torch.device(args.device))
    else:
        from forest import Forest  # scikit-learn is needed for nothing else

        judge = Forest(data, args.judge)
    if args.command == "prompts":
        write_prompts(args.paths[0], prompts(pack, judge.names, args.per_class))
        return
    if args.command == "references":
        result = references(pack, judge, data, args)
    else:
        real = judge(heldout_scenes(pack, args.per_class)[0])[1]
        if args.command == "checkpoint":
            asked = prompts(pack, judge.names, args.per_class)
            waves = generated(str(args.paths[0]), asked, args)
        else:
            asked = read_prompts(args.paths[0])
            waves = read_waves(args.paths[1], len(asked))
        result = judged(waves, asked, judge, real)
        if args.against:
            other = read_waves(args.against, len(asked))
            result["mean log-mel difference"] = float((log_mel(waves) - log_mel(other)).abs().mean())
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
