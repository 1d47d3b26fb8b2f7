"""Stage 5: pack all clips into two files that training reads: pack/audio.bin (int16, 16 kHz, clip after clip) and
pack/index.json (per clip: domain, key, class, variant or attributes, split, offset, length).

    python3 prepare.py [--data FOLDER]
    python3 prepare.py --ship OUT     also write OUT/0, OUT/1 …, 27 and 17 MB (sounds as Vorbis, tokenizers, the
                                      teacher's vectors if any): to carry all of it to a machine that cannot fetch it
    python3 prepare.py --unship IN    there: make the pack and the rest from it
"""

import json
import shutil
from pathlib import Path

import numpy as np
import soundfile

from common import HERE, RATE, data_folder, parser
from fetch import wave_path
from label import trimmed


def table(name: str) -> list[dict]:
    """The rows of a committed list, by its header."""
    lines = (HERE / name).read_text().splitlines()
    names = lines[0].removeprefix("# ").split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def clips(data: Path):
    """(description, waveform) of every clip, at peak 0.5."""
    for row in table("clips.tsv"):
        package = row["key"].split(":", 1)[0]
        wave = trimmed(soundfile.read(wave_path(data, package, row.pop("path")), dtype="float32")[0])
        yield row | {"domain": "effect"}, wave
    for row in table("music.tsv"):
        yield (
            row | {"domain": "music", "class": row["family"]},
            soundfile.read(data / f"wave/music/{row['key']}.flac", dtype="float32")[0],
        )
    for row in table("speech.tsv"):
        wave = trimmed(soundfile.read(data / f"wave/speech/{row['key']}.flac", dtype="float32")[0])
        yield row | {"domain": "speech", "class": "speech"}, wave


def write_pack(folder: Path, items):
    folder.mkdir(parents=True, exist_ok=True)
    index, offset = [], 0
    with (folder / "audio.tmp").open("wb") as out:
        for row, wave in items:
            samples = np.round(16383 * wave / max(1e-4, np.abs(wave).max())).astype("<i2")
            out.write(samples.tobytes())
            index.append(row | {"offset": offset, "length": len(samples)})
            offset += len(samples)
    (folder / "audio.tmp").replace(folder / "audio.bin")  # a run that has the old one mapped keeps it
    (folder / "index.json").write_text(json.dumps(index, separators=(",", ":")))
    print(f"{len(index)} clips, {offset / RATE / 60:.1f} minutes in {folder}")


GAP = RATE // 10  # silence between the clips of a shipped stream


class Stream:
    """Clips one after another in one Vorbis stream (each its own would cost 4 KB of headers)."""

    def __init__(self, path: Path):
        self.path, self.samples = path, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = soundfile.SoundFile(path, "w", RATE, 1, format="OGG", subtype="VORBIS", compression_level=0.7)

    def add(self, wave: np.ndarray) -> int:
        """Where the clip starts, in samples."""
        start = self.samples
        for block in np.split(np.pad(wave, (0, GAP)), range(RATE, len(wave) + GAP, RATE)):
            self.file.write(block)  # libsndfile's Vorbis encoder overflows its stack on very long single writes
        self.samples += len(wave) + GAP
        return start


def ship(folder: Path, out: Path, limit: float):
    """The pack as Vorbis streams OUT/0/audio.ogg, OUT/1/audio.ogg …, about `limit` megabytes each; the index, which says
    where each clip lies, is in OUT/0."""
    index = json.loads((folder / "index.json").read_text())
    audio = np.memmap(folder / "audio.bin", dtype="<i2", mode="r")
    number, stream = 0, Stream(out / "0/audio.ogg")
    for row in index:
        if stream.path.stat().st_size > 1e6 * limit:
            stream.file.close()
            number, stream = number + 1, Stream(out / f"{number + 1}/audio.ogg")
        wave = audio[row["offset"] : row["offset"] + row["length"]].astype(np.float32) / 32768
        row["shipped"] = [number, stream.add(wave)]
    stream.file.close()
    (out / "0/index.json").write_text(json.dumps(index, separators=(",", ":")))


def ship_text(data: Path, out: Path, dimensions: int = 192):
    """The tokenizers, and the teacher's vectors in their main directions, as int8."""
    import torch

    shutil.copytree(data / "tokenizers", out / "tokenizers", dirs_exist_ok=True)
    if (data / "teacher.pt").exists():
        teacher = torch.load(data / "teacher.pt", weights_only=True)
        vectors = teacher["vectors"].float()
        basis = torch.pca_lowrank(vectors, dimensions, center=False)[2]
        places = vectors @ basis
        scale = places.abs().amax(0) / 127
        torch.save(
            {
                "texts": teacher["texts"],
                "basis": basis,
                "scale": scale,
                "places": (places / scale).round().to(torch.int8),
            },
            out / "teacher.pt",
        )


def unship_text(source: Path, data: Path):
    """What ship_text wrote, in DATA; the vectors are of unit length again."""
    import torch

    shutil.copytree(source / "tokenizers", data / "tokenizers", dirs_exist_ok=True)
    if (source / "teacher.pt").exists():
        saved = torch.load(source / "teacher.pt", weights_only=True)
        vectors = (saved["places"].float() * saved["scale"]) @ saved["basis"].T
        vectors = torch.nn.functional.normalize(vectors, dim=-1).half()
        torch.save({"texts": saved["texts"], "vectors": vectors}, data / "teacher.pt")


def unship(source: Path):
    """(description, waveform) of every clip of a shipped pack."""
    streams: dict[int, np.ndarray] = {}
    for row in json.loads((source / "0/index.json").read_text()):
        number, start = row.pop("shipped")
        if number not in streams:
            streams = {number: soundfile.read(source / f"{number}/audio.ogg", dtype="float32")[0]}
        yield row, streams[number][start : start + row["length"]]


def main():
    p = parser(__doc__)
    p.add_argument("--ship", type=Path)
    p.add_argument("--unship", type=Path)
    p.add_argument("--limit", type=float, default=18, help="megabytes of sound in each folder of OUT")
    args = p.parse_args()
    data = data_folder(args.data)
    write_pack(data / "pack", unship(args.unship) if args.unship else clips(data))
    if args.unship:
        unship_text(args.unship / "0", data)
    if args.ship:
        ship(data / "pack", args.ship, args.limit)
        ship_text(data, args.ship / "0")
        print(f"{sum(f.stat().st_size for f in args.ship.rglob('*') if f.is_file()) / 1e6:.1f} MB in {args.ship}")


if __name__ == "__main__":
    main()
