"""Stage 1: fetch the free sounds.

Downloads the Debian packages named in selection.tsv (and the soundfont), unpacks their sounds and copyright files,
and converts every selected sound to 16 kHz mono FLAC under DATA/wave/PACKAGE/.  Needs apt-get and dpkg-deb; nothing is
installed.  What is already there is kept, so the stage can be repeated.

    python3 fetch.py [--data FOLDER]
"""

import fnmatch
import struct
import subprocess
import wave
import zipfile
import zlib
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common import HERE, RATE, data_folder, parser

SOUNDS = (".ogg", ".oga", ".wav", ".flac", ".mp3")
SOUNDFONT_PACKAGE = "fluid-soundfont-gm"
TAR_PATTERNS = [
    *(f"*{suffix}" for suffix in SOUNDS),
    *("*.sf2", "*.cat", "*.wad", "*.rcc", "*copyright*", "*public.zip"),
]
BUNDLES = {"memory-sound", "guessnumber", "money", "canal_lock"}  # of gcompris, which has one for each activity


def rules() -> list[tuple[str, str, str, str]]:
    """(class, variant or "", package, pattern) of each line of selection.tsv."""
    lines = (HERE / "selection.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(c, "" if v == "-" else v, package, pattern) for c, v, package, pattern in rows]


def download(package: str, debian: Path):
    """Fetch PACKAGE's .deb into the folder `debian` unless one is there."""
    if not list(debian.glob(f"{package}_*.deb")):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=debian, check=True)


def unpack(package: str, debian: Path, folder: Path):
    """The sounds, archives and copyright files of a .deb, in `folder`."""
    if folder.exists():
        return
    folder.mkdir(parents=True)
    deb = next(debian.glob(f"{package}_*.deb"))
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        # tar complains when one of the patterns matches nothing: that is expected
        subprocess.run(
            ["tar", "x", "-C", folder, "--wildcards", "--no-anchored", *TAR_PATTERNS],
            stdin=process.stdout,
            stderr=subprocess.DEVNULL,
        )
    for archive in folder.rglob("public.zip"):
        unzip_sounds(archive, folder / "pub")
        archive.unlink()
    for archive in folder.rglob("opensfx.cat"):
        split_opensfx(archive, folder / "snd")
    for archive in folder.rglob("freedoom2.wad"):
        split_doom(archive, folder / "snd")
    for archive in folder.rglob("*.rcc"):
        if archive.stem in BUNDLES:
            split_bundle(archive, folder / "bundle")
        archive.unlink()


def unzip_sounds(archive: Path, out: Path):
    """0 A.D. keeps its sounds in one zip: take all but music and voices."""
    with zipfile.ZipFile(archive) as z:
        for info in z.infolist():
            name = info.filename
            if name.startswith("audio/") and not name.startswith(("audio/music", "audio/voice")):
                z.extract(info, out)


def split_opensfx(archive: Path, out: Path):
    """OpenTTD's .cat: a table of (offset, size), then entries of a length-prefixed caption and a RIFF file.

    Writes NN.wav and captions.tsv (number, caption with author and licence)."""
    data = archive.read_bytes()
    count = (struct.unpack_from("<I", data)[0] & 0x7FFFFFFF) // 8
    out.mkdir(parents=True, exist_ok=True)
    captions = []
    for i in range(count):
        offset, size = struct.unpack_from("<II", data, 8 * i)
        offset &= 0x7FFFFFFF
        length = data[offset]
        caption = data[offset + 1 : offset + 1 + length].split(b"\0")[0].decode("latin1")
        riff = data.find(b"RIFF", offset + 1 + length, offset + 1 + length + size)
        if riff >= 0:
            end = riff + 8 + struct.unpack_from("<I", data, riff + 4)[0]
            (out / f"{i:02d}.wav").write_bytes(data[riff:end])
        captions.append(f"{i:02d}\t{caption}")
    (out / "captions.tsv").write_text("\n".join(captions) + "\n")


def split_doom(archive: Path, out: Path):
    """A Doom WAD: a directory of lumps; lumps named DS… of type 3 are 8-bit sounds with 16 padding bytes at both
    ends."""
    data = archive.read_bytes()
    count, directory = struct.unpack_from("<II", data, 4)
    out.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        position, size, name = struct.unpack_from("<II8s", data, directory + 16 * i)
        name = name.rstrip(b"\0").decode("latin1")
        if not name.startswith("DS") or size <= 40:
            continue
        kind, rate, length = struct.unpack_from("<HHI", data, position)
        if kind == 3:
            with wave.open(str(out / f"{name}.wav"), "wb") as w:
                w.setnchannels(1)
                w.setsampwidth(1)
                w.setframerate(rate)
                w.writeframes(data[position + 24 : position + 8 + length - 16])


def split_bundle(archive: Path, out: Path):
    """Qt's resource bundle: a tree of nodes of 14 bytes (22 since version 2, with a time), whose names and contents lie
    in tables of their own."""
    data = archive.read_bytes()
    magic, version, tree, contents, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres":
        raise ValueError(f"{archive}: is no bundle of Qt's")
    size = 14 if version == 1 else 22

    def name(offset: int) -> str:
        length = struct.unpack_from(">H", data, names + offset)[0]
        return data[names + offset + 6 :][: 2 * length].decode("utf-16-be")

    def walk(node: int, folder: Path):
        label, flags = struct.unpack_from(">IH", data, tree + node * size)
        path = folder / name(label) if node else folder
        if flags & 2:
            count, first = struct.unpack_from(">II", data, tree + node * size + 6)
            for child in range(first, first + count):
                walk(child, path)
        elif path.suffix in SOUNDS and not flags & 4:  # 4: by zstd, which sounds are not
            start = contents + struct.unpack_from(">I", data, tree + node * size + 10)[0]
            length = struct.unpack_from(">I", data, start)[0]
            body = data[start + 4 : start + 4 + length]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zlib.decompress(body[4:]) if flags & 1 else body)

    walk(0, out)


def mono16k(path: Path) -> np.ndarray:
    """A sound file as 16 kHz mono float32."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(1)
    return soxr.resample(samples, rate, RATE, quality="HQ") if rate != RATE else samples


def matches(rule_pattern: str, path: str) -> bool:
    return fnmatch.fnmatch(path, "*/" + rule_pattern)


def selected(unpacked: Path) -> list[tuple[str, str, str, str]]:
    """(class, variant, package, path) of every file that a rule takes; the first rule that matches wins."""
    chosen, taken = [], set()
    listing = {}
    for label, variant, package, pattern in rules():
        if package not in listing:
            root = unpacked / package
            listing[package] = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.suffix.lower() in SOUNDS)
        found = [p for p in listing[package] if matches(pattern, p) and (package, p) not in taken]
        if not found:
            print(f"no file left for {label}: {package} {pattern}")
        for p in found:
            taken.add((package, p))
            chosen.append((label, variant, package, p))
    return chosen


def wave_path(data: Path, package: str, path: str) -> Path:
    """Where the 16 kHz copy of a package's file lies."""
    return data / "wave" / package / (path.replace("/", "__").replace(" ", "_").rsplit(".", 1)[0] + ".flac")


def main():
    args = parser(__doc__).parse_args()
    data = data_folder(args.data)
    debian, unpacked = data / "debian", data / "unpacked"
    debian.mkdir(exist_ok=True)
    for package in sorted({r[2] for r in rules()} | {SOUNDFONT_PACKAGE}):
        if not (unpacked / package).exists():
            download(package, debian)
            unpack(package, debian, unpacked / package)
    written = 0
    for _, _, package, path in selected(unpacked):
        target = wave_path(data, package, path)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(target, mono16k(unpacked / package / path), RATE, subtype="PCM_16")
            written += 1
    print(f"{written} sounds written to {data / 'wave'}")


if __name__ == "__main__":
    main()
