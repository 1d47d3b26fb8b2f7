"""Stage 2: from selected files to labelled clips.

Drops what is nearly silent or nearly a copy of an earlier clip of its class, splits by source file into train and
held-out, and writes the committed lists:

    clips.tsv         key, class, variant, split, seconds (one row per source file that is used)
    ATTRIBUTION.tsv   key, licence, authors, source package

    python3 label.py [--data FOLDER]
"""

import fnmatch
import hashlib
import re
from pathlib import Path

import numpy as np
import soundfile

from common import HERE, RATE, data_folder, parser
from fetch import selected, wave_path

LONGEST = 60.0  # seconds of a recording that are used
SHORTEST = 0.04
EVALUATED = 5  # files a class needs to have a held-out one, and so to be evaluated

# Licence and authors of a package's sounds where the package has one for all of them.
WHOLE_PACKAGE = {
    "0ad-data": ("CC-BY-SA-3.0", "Wildfire Games (http://www.wildfiregames.com/)"),
    "megaglest-data": ("CC-BY-SA-3.0", "The Glest Team, The MegaGlest Team"),
    "flare-game": ("CC-BY-SA-3.0+", "Clint Bellanger and the Flare contributors"),
    "lincity-ng-data": ("CC-BY-SA-2.0", "the LinCity-NG team"),
    "unknown-horizons": ("CC-BY-SA-3.0", "Unknown Horizons Team; hazure (lumberjack)"),
    "freedoom": ("BSD-3-Clause", "Contributors to the Freedoom project"),
    "lugaru-data": ("CC-BY-SA-3.0", "Wolfire Games <http://www.wolfire.com>"),
    "asterisk-core-sounds-en-wav": ("CC-BY-SA-3.0", "Allison Smith (http://www.theivrvoice.com)"),
    "hydrogen-drumkits-effects": ("CC-BY-3.0", "Gabriel Verdugo Soto <belo@belofilms.com>"),
}
RENDERED = (  # what music.py and speech.py render with
    "music: all pieces\tMIT\tFrank Wen (FluidR3_GM.sf2)\tfluid-soundfont-gm",
    "speech: all phrases\tMIT-CMU\tCarnegie Mellon University; Alan W Black and others (voices slt, rms, awb)\tflite",
)
# The Free Art License 1.2 offers its later versions, and 1.3 goes with CC-BY-SA-4.0.
FREE = re.compile(r"CC0|free-art|CC-BY-(SA-)?[234]|public-domain|zlib|MIT|Expat", re.I)


def debian_copyright(text: str) -> list[tuple[list[str], str, str]]:
    """(patterns, licence, copyright) of each Files paragraph of a machine-readable debian/copyright."""
    result = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields, name = {}, ""
        for line in paragraph.splitlines():
            if match := re.match(r"([A-Za-z-]+):\s*(.*)", line):
                name = match[1]
                fields[name] = [match[2]]
            elif name:
                fields[name].append(line.strip())
        if "Files" in fields and "License" in fields:
            authors = " ".join(" ".join(fields.get("Copyright", [])).split())
            result.append((" ".join(fields["Files"]).split(), fields["License"][0], authors))
    return result


def licence(unpacked: Path, package: str, path: str) -> tuple[str, str]:
    """(licence, authors) of a file; raises ValueError when no free one is stated."""
    if package in WHOLE_PACKAGE:
        return WHOLE_PACKAGE[package]
    root = unpacked / package
    if package == "openttd-opensfx":
        captions = dict(line.split("\t", 1) for line in (root / "snd/captions.tsv").read_text().splitlines())
        caption = captions[Path(path).stem]
        head, _, tail = caption.partition(" License: ")
        short = {"Zero 1.0": "CC0-1.0", "Attribution-ShareAlike 3.0": "CC-BY-SA-3.0", "Attribution 3.0": "CC-BY-3.0"}
        return next(v for k, v in short.items() if k in tail), head.strip()
    text = (root / f"usr/share/doc/{package}/copyright").read_text()
    name = Path(path).name
    best = None
    for patterns, terms, authors in debian_copyright(text):
        specific = [
            p
            for p in patterns
            if fnmatch.fnmatch(name, Path(p).name.replace("?", "*"))
            and all(part in path for part in Path(p).parts[-2:-1] if "*" not in part and part != "samples")
        ]
        if specific:
            best = terms, authors  # the last paragraph that matches holds
    terms, authors = best or ("", "")
    options = [t.strip() for t in re.split(r"\bor\b|,", terms)]
    for option in options:
        if FREE.match(option):
            return option, authors
    raise ValueError(f"{package}: {path}: no licence that this data set may use ({terms})")


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Largest normalised cross-correlation of two sounds at any lag, over their first two seconds."""
    a, b = a[: 2 * RATE], b[: 2 * RATE]
    size = 1 << int(len(a) + len(b)).bit_length()
    product = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(np.abs(product).max() / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def trimmed(wave: np.ndarray) -> np.ndarray:
    """Without the silence before and after (40 dB below the peak, in 10 ms steps), 60 s at most."""
    level = np.abs(wave[: len(wave) // 160 * 160]).reshape(-1, 160).max(1)
    loud = np.nonzero(level > 0.01 * level.max())[0] if len(level) else []
    if len(loud) == 0:
        return wave[:0]
    return wave[max(0, loud[0] - 1) * 160 : (loud[-1] + 3) * 160][: int(LONGEST * RATE)]


def key_order(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def earlier_splits() -> dict[str, str]:
    """What each file of the committed list is for: it stays so, as a model that goes on from what is kept has learned from
    the training files of before."""
    path = HERE / "clips.tsv"
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]] if path.exists() else []
    return {row[0]: row[3] for row in rows}


def split(rows: list[dict], earlier: dict[str, str]) -> None:
    """Mark about 15 % of a class's files, and at most 30 % of its time, as held-out; none where files are few."""
    for row in rows:
        row["split"] = earlier.get(row["key"], "train")
    fresh = [r for r in rows if r["key"] not in earlier]
    kept = [r for r in rows if r["split"] == "heldout"]
    if len(rows) < EVALUATED:
        return
    budget = 0.3 * sum(r["seconds"] for r in rows) - sum(r["seconds"] for r in kept)
    wanted = max(0, min(12, max(1, round(0.15 * len(rows)))) - len(kept))
    for row in sorted(fresh, key=lambda r: key_order(r["key"])):
        if wanted and row["seconds"] <= budget:
            row["split"] = "heldout"
            budget -= row["seconds"]
            wanted -= 1


def clips(data: Path) -> list[dict]:
    """Every usable clip with its class, licence and split."""
    unpacked, groups, dropped = data / "unpacked", {}, []
    for label, variant, package, path in selected(unpacked):
        key = f"{package}:{path.split('usr/share/')[-1].removeprefix('games/')}"
        try:
            terms, authors = licence(unpacked, package, path)
        except ValueError as error:
            dropped.append(str(error))
            continue
        wave = trimmed(soundfile.read(wave_path(data, package, path), dtype="float32")[0])
        if len(wave) < SHORTEST * RATE or np.abs(wave).max() < 0.005:
            dropped.append(f"{key}: too short or silent")
            continue
        rows = groups.setdefault(label, [])
        twin = next((r["key"] for r in rows if similarity(r["wave"], wave) > 0.85), None)
        if twin:
            dropped.append(f"{key}: copy of {twin}")
            continue
        rows.append(
            dict(
                key=key,
                label=label,
                variant=variant,
                seconds=len(wave) / RATE,
                licence=terms,
                authors=authors,
                package=package,
                wave=wave,
                path=path,
            )
        )
    (data / "dropped.txt").write_text("\n".join(dropped) + "\n")
    earlier = earlier_splits()
    for rows in groups.values():
        split(rows, earlier)
    return [row for rows in groups.values() for row in rows]


def main():
    data = data_folder(parser(__doc__).parse_args().data)
    rows = clips(data)
    lines = [
        "\t".join([r["key"], r["label"], r["variant"] or "-", r["split"], f"{r['seconds']:.2f}", r["path"]])
        for r in rows
    ]
    (HERE / "clips.tsv").write_text("# key\tclass\tvariant\tsplit\tseconds\tpath\n" + "\n".join(lines) + "\n")
    lines = ["\t".join([r["key"], r["licence"], r["authors"], r["package"]]) for r in rows] + list(RENDERED)
    (HERE / "ATTRIBUTION.tsv").write_text("# key\tlicence\tauthors\tDebian package\n" + "\n".join(lines) + "\n")
    table: dict[str, list[float]] = {}
    for r in rows:
        entry = table.setdefault(r["label"], [0, 0, 0.0])
        entry[r["split"] == "heldout"] += 1
        entry[2] += r["seconds"]
    for label, (train, heldout, seconds) in sorted(table.items(), key=lambda item: -item[1][2]):
        print(f"{label:18s} train {train:4d} held-out {heldout:3d} {seconds:7.1f} s")
    print(
        f"{len(table)} classes, {sum(v[1] > 0 for v in table.values())} with held-out files, {len(rows)} clips, "
        f"{sum(v[2] for v in table.values()) / 60:.1f} minutes"
    )


if __name__ == "__main__":
    main()
