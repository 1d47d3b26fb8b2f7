"""What one hears of clips, in figures with intervals: faults (buzz, levels, clicks), pitch, and whether it is what was asked for.

    python3 heard.py figures LIST.tsv FOLDER    of the clips NNN.wav that a runtime made of evaluate.py's prompts
    python3 heard.py real LIST.tsv FOLDER       writes real held-out clips and their list, to measure beside them
    python3 heard.py pitched                    how periodic the real clips of each effect class are: where PITCHED is from

Options: --data FOLDER, --threads N, --json FILE, --judge forest or accustomed, --per-class N, --no-tags.

comb        share of the energy above 60 Hz within 2 Hz of a multiple of 100 Hz, the rate of the vocoder's frames
rms, peak   dBFS; silent below -60 dBFS; clipped: more than 8 samples at full scale
hard start  the first 20 ms more than 10 dB above the next 80; a hard end: the last 40 ms more than 6 dB above the 360 before
chroma      entropy of the mean chroma in bits: 3.58 where no pitch stands out
top-1, -5   the judge's (evaluate.py); pitched: the effects of PITCHED alone; music: among the families
tag         whether a tag that fits is among MusicNN's first five (tags.py), for the families that have one

Each figure is its value and where 95 % of bootstrap samples of the clips lie: a median for comb, rms, peak and chroma, else a share.
"""

import json
import random
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
import torch

from common import RATE, data_folder, parser
from data import Pack, Scenes
from evaluate import intervals, normalised, read_prompts, read_waves, write_prompts
from forest import Forest
from train_classifier import SECONDS, name_of

FLOOR = -90.0  # dBFS; what is softer starts and ends inaudibly
PITCHED = set(  # a periodicity of 0.7 or more (`heard.py pitched`); the next below is "scream"
    "anvil|bees|bell|chicken|cow|drone|goat|guitar strum|horn|metal mining|owl|sheep|siren|tabla|tom drum".split("|")
)
LEVELS = {"rms": "dBFS", "peak": "dBFS"}
MEDIANS = {"comb": "%"} | LEVELS | {"chroma": "bits"}  # comb and chroma are those of the clips that are not silent
SHARES = ["silent", "clipped", "hard starts", "hard ends"]


def level(wave: np.ndarray) -> float:
    """dBFS of the root mean square, FLOOR at least."""
    return max(FLOOR, 10 * np.log10(np.mean(np.square(wave)) + 1e-12))


def comb(wave: np.ndarray, rate: int) -> float:
    """Per cent of the energy above 60 Hz that lies on the comb of 100 Hz, by one long spectrum."""
    wave = wave[: 2 ** int(np.log2(len(wave)))].astype(np.float64)
    power = np.square(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))))
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    distance = np.abs((hertz + 50) % 100 - 50)
    total = power[hertz > 60].sum()
    return float(100 * power[(hertz > 60) & (distance <= 2)].sum() / (total + 1e-20))


def frames(wave: np.ndarray, length: int, hop: int) -> np.ndarray:
    """(n, length): pieces of the wave that overlap, without an incomplete last one."""
    return np.lib.stride_tricks.sliding_window_view(wave.astype(np.float64), length)[::hop]


def chroma(wave: np.ndarray, rate: int, length: int = 2048) -> float:
    """Entropy in bits of the energy of the twelve semitones between 80 and 4000 Hz, each the mean of its bins."""
    pieces = frames(wave, length, length // 2) * np.hanning(length)
    power = np.square(np.abs(np.fft.rfft(pieces, axis=1))).sum(0)
    hertz = np.fft.rfftfreq(length, 1 / rate)
    used = (hertz > 80) & (hertz < 4000)
    semitone = np.round(12 * np.log2(hertz[used] / 440)).astype(int) % 12
    share = np.bincount(semitone, power[used], 12) / np.bincount(semitone, minlength=12)
    share = share / (share.sum() + 1e-20)
    return float(-np.sum(share * np.log2(share + 1e-12)))


def faults(path: Path) -> dict[str, float]:
    """The figures of one file that need no judge; shares are 0 or 1."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if len(wave) < rate:
        raise SystemExit(f"{path}: {len(wave) / rate:.2f} s; there is too little to measure in less than a second")
    wave, ms = wave.mean(1), rate // 1000
    largest = float(np.abs(wave).max())
    loudness = level(wave)
    return {
        "comb": comb(wave, rate),
        "rms": loudness,
        "peak": 20 * np.log10(largest + 1e-9),
        "chroma": chroma(wave, rate),
        "silent": float(loudness < -60),
        "clipped": float((np.abs(wave) > 0.9999).sum() > 8),
        "hard starts": float(level(wave[: 20 * ms]) - level(wave[20 * ms : 100 * ms]) > 10),
        "hard ends": float(level(wave[-40 * ms :]) - level(wave[-400 * ms : -40 * ms]) > 6),
    }


def spread(values: list[float], statistic, rounds: int = 1000) -> list[float]:
    """[value, low, high] of a statistic; 95 % of bootstrap samples lie between."""
    values = np.asarray(values)
    if not len(values):
        return [float("nan")] * 3
    picks = np.random.default_rng(0).integers(0, len(values), (rounds, len(values)))
    return [float(x) for x in (statistic(values), *np.percentile(statistic(values[picks], axis=1), [2.5, 97.5]))]


def group(kind: str, name: str) -> str:
    """What a clip is counted under."""
    if name.startswith("music: "):
        return "music" if kind == "seen" else "music in a key"
    return {"seen": "effects", "held-out": "paraphrases"}[kind]


def tag_hits(waves: torch.Tensor, asked: list[dict]) -> list[float]:
    """For each clip of a family that has tags: 1 if one of them is among MusicNN's first five."""
    from tags import Tagger, wanted

    tagger, hits = Tagger(), []
    for wave, prompt in zip(waves, asked):
        fitting = wanted(prompt["class"].removeprefix("music: "), prompt["caption"])
        if fitting:
            hits.append(float(bool(fitting & set(tagger.top(wave)))))
    return hits


def measured(asked: list[dict], folder: Path, judge, tags: bool) -> dict[str, dict]:
    """group: {"clips": n, figure: [value, low, high]}."""
    waves = read_waves(folder, len(asked))
    found = [faults(folder / f"{i:03d}.wav") for i in range(len(asked))]
    logits = judge(normalised(waves))[0]
    groups: dict[str, list[int]] = {}
    for i, prompt in enumerate(asked):
        groups.setdefault(group(prompt["kind"], prompt["class"]), []).append(i)
    result = {}
    for title, rows in groups.items():
        audible = [i for i in rows if not found[i]["silent"]]
        figures = {k: spread([found[i][k] for i in rows if k in LEVELS or i in audible], np.median) for k in MEDIANS}
        figures |= {k: spread([100 * found[i][k] for i in rows], np.mean) for k in SHARES}
        parts = {"": rows}
        if not title.startswith("music"):
            parts["pitched "] = [i for i in rows if asked[i]["class"] in PITCHED]
        for prefix, part in parts.items():
            if part:
                scored = intervals(logits[part], judge.names, [asked[i]["class"] for i in part], 1000)
                kept = {k.split()[1]: v for k, v in scored.items() if not k.startswith("all")}
                figures |= {prefix + k: [100 * x for x in v] for k, v in kept.items()}
        pitched = [found[i]["chroma"] for i in parts.get("pitched ", []) if i in audible]
        if pitched:
            figures["pitched chroma"] = spread(pitched, np.median)
        if tags and title.startswith("music"):
            hits = tag_hits(waves[rows], [asked[i] for i in rows])
            figures["tag"] = spread([100 * x for x in hits], np.mean)
        result[title] = {"clips": len(rows)} | {k: [round(x, 2) for x in v] for k, v in figures.items()}
    return result


def table(result: dict[str, dict]) -> str:
    """Figures as lines of a Markdown table, groups as columns."""
    units = MEDIANS | {"pitched chroma": "bits"}
    rows = list(dict.fromkeys(k for figures in result.values() for k in figures if k != "clips"))
    lines = ["| | " + " | ".join(f"{t} ({f['clips']})" for t, f in result.items()) + " |", "|---" * (len(result) + 1) + "|"]
    for row in rows:
        digits = 2 if "chroma" in row else 1 if row in MEDIANS else 0
        cells = [f"{{:.{digits}f}} [{{:.{digits}f}}, {{:.{digits}f}}]".format(*f[row]) if row in f else "" for f in result.values()]
        lines.append(f"| {row}, {units.get(row, '%')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_real(pack: Pack, per_class: int, path: Path, folder: Path):
    """The held-out clips of evaluate.py's references, NNN.wav, and their list in the layout of its prompts."""
    scenes, asked = Scenes(pack, SECONDS, 5, split="heldout", plain=True), []
    folder.mkdir(parents=True, exist_ok=True)
    for domain in ("effect", "music"):
        for label in sorted(scenes.groups[domain]):
            for _ in range(per_class):
                wave, scene = getattr(scenes, domain)(label)
                what = scene["facts"]["piece"]["instrument"] if domain == "music" else label
                soundfile.write(folder / f"{len(asked):03d}.wav", wave, RATE, subtype="PCM_16")
                asked.append({"seed": len(asked), "kind": "seen", "class": name_of(scene), "caption": what})
    write_prompts(path, asked)


def periodicity(wave: np.ndarray, length: int = 1024, low: float = 70, high: float = 2000) -> float:
    """Median over the frames within 25 dB of the loudest: the autocorrelation's highest peak after its first zero, among
    periods of 70 to 2000 Hz; near 1 for a tone, below 0.5 for noise."""
    pieces = frames(np.pad(wave, (0, max(0, length - len(wave)))), length, length // 2)
    energy = np.square(pieces).mean(1)
    window = np.hanning(length)
    pieces = (pieces - pieces.mean(1, keepdims=True))[energy >= energy.max() * 10**-2.5] * window

    def correlation(x):
        return np.fft.irfft(np.square(np.abs(np.fft.rfft(x, 2 * length))))[..., :length]

    found = correlation(pieces) / np.maximum(correlation(window), 1e-3 * correlation(window)[0])
    found = found / np.maximum(found[:, :1], 1e-12)
    passed = np.cumsum(found < 0, axis=1) > 0
    shortest, longest = int(RATE / high), int(RATE / low)
    return float(np.median(np.where(passed, found, 0)[:, shortest : longest + 1].max(1)))


def print_pitched(pack: Pack, count: int = 16):
    """The periodicity of each class, of the sound or of what lies above 1 kHz (a rumble hides a bird), whichever is more."""
    rng, high = random.Random(0), scipy.signal.butter(4, 1000, "high", fs=RATE, output="sos")
    classes: dict[str, list[dict]] = {}
    for row in pack.rows:
        if row["domain"] == "effect":
            classes.setdefault(row["class"], []).append(row)
    found = {}
    for name, rows in classes.items():
        waves = [pack.wave(r)[: int(SECONDS * RATE)] for r in rng.sample(rows, min(count, len(rows)))]
        found[name] = np.median([max(periodicity(w), periodicity(scipy.signal.sosfilt(high, w))) for w in waves])
    for name, value in sorted(found.items(), key=lambda item: -item[1]):
        print(f"{value:.2f}  {name}{'' if (value >= 0.7) == (name in PITCHED) else '  (PITCHED says otherwise)'}")


def main():
    p = parser(__doc__)
    p.add_argument("command", choices=["figures", "real", "pitched"])
    p.add_argument("paths", nargs="*", type=Path)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--json", type=Path)
    p.add_argument("--judge", choices=["forest", "accustomed"], default="forest")
    p.add_argument("--per-class", type=int, default=4)
    p.add_argument("--no-tags", action="store_true", help="leave MusicNN out")
    args = p.parse_args()
    if len(args.paths) != (0 if args.command == "pitched" else 2):
        p.error(f"{args.command} takes {'nothing' if args.command == 'pitched' else 'LIST.tsv and FOLDER'}")
    torch.set_num_threads(args.threads)
    data = data_folder(args.data)
    if args.command == "pitched":
        print_pitched(Pack(data))
    elif args.command == "real":
        write_real(Pack(data), args.per_class, *args.paths)
    else:
        result = measured(read_prompts(args.paths[0]), args.paths[1], Forest(data, args.judge), not args.no_tags)
        if args.json:
            args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        print(table(result))


if __name__ == "__main__":
    main()
