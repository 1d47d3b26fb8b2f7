"""Stage 3: music, composed as MIDI and rendered, so that every caption is exact: single instruments, and styles (styles.py).

Writes DATA/wave/music/NNNN.flac and the committed list music.tsv: key, split, family, instrument, bpm, tonic, mode,
pattern, drums.  Needs fluidsynth and the unpacked FluidR3_GM.sf2 (MIT).  The same seed gives the same pieces.

    python3 music.py [--data FOLDER] [--pieces N] [--styled N]
"""

import random
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common import HERE, RATE, data_folder, parser
from fetch import SOUNDFONT_PACKAGE
from styles import compose_style

SLOT, USED = 11.0, 10.5  # seconds a piece may take in a rendered file, and of it the seconds that are kept
PER_FILE = 60
TONICS = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"]
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PROGRESSIONS = [(0, 3, 4, 0), (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 0, 4), (0, 1, 4, 0)]
PATTERNS = ["melody", "chords", "arpeggio", "rising scale", "falling scale", "repeated notes"]

# family: (GM program, instrument, lowest tonic octave as a MIDI note)
INSTRUMENTS = {
    "piano": [(0, "grand piano", 60), (4, "electric piano", 60)],
    "harpsichord": [(6, "harpsichord", 60)],
    "mallets": [(11, "vibraphone", 60), (12, "marimba", 60), (13, "xylophone", 72), (10, "music box", 72)],
    "organ": [(19, "church organ", 48), (16, "electric organ", 48)],
    "accordion": [(21, "accordion", 60)],
    "guitar": [(24, "acoustic guitar", 48), (27, "electric guitar", 48), (30, "distorted guitar", 48)],
    "bass": [(33, "electric bass", 36), (32, "double bass", 36)],
    "strings": [(40, "violin", 60), (42, "cello", 48), (48, "string ensemble", 48)],
    "harp": [(46, "harp", 60)],
    "choir": [(52, "choir", 60)],
    "brass": [(56, "trumpet", 60), (57, "trombone", 48), (60, "french horn", 48), (61, "brass section", 48)],
    "saxophone": [(65, "saxophone", 60)],
    "clarinet": [(71, "clarinet", 60)],
    "flute": [(73, "flute", 72), (75, "pan flute", 72)],
    "synthesizer": [(80, "synthesizer lead", 60), (89, "synthesizer pad", 48)],
    "sitar": [(104, "sitar", 60)],
    "banjo": [(105, "banjo", 60)],
    "drums": [(0, "drum kit", 0)],
}
BEATS = {  # drum note by sixteenth: kick 36, snare 38, closed hat 42, open hat 46
    "rock": {36: (0, 8, 10), 38: (4, 12), 42: (0, 2, 4, 6, 8, 10, 12, 14)},
    "dance": {36: (0, 4, 8, 12), 38: (4, 12), 46: (2, 6, 10, 14)},
    "hip hop": {36: (0, 3, 10), 38: (4, 12), 42: tuple(range(0, 16, 2))},
    "march": {36: (0, 8), 38: (0, 2, 3, 4, 6, 8, 10, 11, 12, 14)},
}


def compose(number: int) -> dict:
    """The piece with this number: its description and its notes (start in beats, length in beats, pitch, velocity)."""
    rng = random.Random(f"piece {number}")
    family = rng.choice(list(INSTRUMENTS))
    program, instrument, low = rng.choice(INSTRUMENTS[family])
    bpm = rng.choice([60, 66, 72, 80, 90, 100, 110, 120, 132, 144, 160])
    tonic, mode = rng.randrange(12), rng.choice(list(SCALES))
    piece = dict(
        number=number,
        family=family,
        instrument=instrument,
        program=program,
        bpm=bpm,
        drums=rng.choice(list(BEATS)) if family == "drums" or rng.random() < 0.2 else "",
    )
    beats = int((USED - 0.6) * bpm / 60)
    if family == "drums":
        return piece | dict(tonic="", mode="", pattern="beat", notes=[])
    pattern = rng.choice(PATTERNS if family != "bass" else ["melody", "arpeggio", "rising scale", "repeated notes"])
    steps = SCALES[mode]

    def pitch(degree: int) -> int:
        return low + (tonic if tonic < 7 else tonic - 12) + 12 * (degree // 7) + steps[degree % 7]

    notes, chords = [], rng.choice(PROGRESSIONS)
    if pattern == "chords":
        for beat in range(0, beats, 2):
            root = chords[beat // 2 % 4]
            notes += [(beat, 1.9, pitch(root + k), 80) for k in (0, 2, 4)]
    elif pattern == "arpeggio":
        order = rng.choice([(0, 2, 4, 7), (0, 4, 2, 4), (7, 4, 2, 0)])
        for k in range(2 * beats):
            notes.append((k / 2, 0.55, pitch(chords[k // 8 % 4] + order[k % 4]), 84 if k % 4 == 0 else 72))
    elif pattern == "rising scale":
        notes = [(k / 2, 0.48, pitch(k % 15), 84) for k in range(2 * beats)]
    elif pattern == "falling scale":
        notes = [(k / 2, 0.48, pitch(14 - k % 15), 84) for k in range(2 * beats)]
    elif pattern == "repeated notes":
        for k in range(2 * beats):
            notes.append((k / 2, 0.4, pitch(chords[k // 8 % 4]), 90 if k % 2 == 0 else 70))
    else:
        beat, degree = 0.0, rng.choice([0, 2, 4])
        while beat < beats:
            length = rng.choice([0.5, 0.5, 1, 1, 1.5, 2])
            notes.append((beat, 0.95 * length, pitch(degree), rng.randint(74, 96)))
            degree = max(0, min(11, degree + rng.choice([-2, -1, -1, 1, 1, 2, 4, -4])))
            beat += length
    return piece | dict(tonic=TONICS[tonic], mode=mode, pattern=pattern, notes=notes)


def events(piece: dict, start: float) -> list[tuple[float, bytes]]:
    """MIDI events (seconds, message) of a piece that begins at `start`."""
    beat = 60 / piece["bpm"]
    out, parts = [], piece.get("parts") or [(piece["program"], piece["notes"])]
    for channel, (program, notes) in enumerate(parts):
        out.append((start, bytes([0xC0 | channel, program])))
        for at, length, note, velocity in notes:
            out.append((start + at * beat, bytes([0x90 | channel, note, velocity])))
            out.append((min(start + USED, start + (at + length) * beat), bytes([0x80 | channel, note, 0])))
    for at, note, velocity in piece.get("beat", []):
        out.append((start + at * beat, bytes([0x99, note, velocity])))
        out.append((start + at * beat + 0.1, bytes([0x89, note, 0])))
    if piece["drums"]:
        sixteenths = int((USED - 0.6) / beat * 4)
        for note, places in BEATS[piece["drums"]].items():
            for k in range(sixteenths):
                if k % 16 in places:
                    out.append((start + k * beat / 4, bytes([0x99, note, 100 if piece["family"] == "drums" else 70])))
                    out.append((start + k * beat / 4 + 0.1, bytes([0x89, note, 0])))
    # all sound off at the end of the slot, so that no tail reaches the next piece
    return out + [(start + SLOT - 0.05, bytes([0xB0 | c, 120, 0])) for c in (*range(len(parts)), 9)]


def midi(pieces: list[dict]) -> bytes:
    """A format-0 MIDI file, one slot per piece; 1000 ticks a second (500 per quarter of half a second)."""
    track = bytearray()

    def number(value: int) -> bytes:
        groups = [value & 0x7F]
        while value := value >> 7:
            groups.append(0x80 | value & 0x7F)
        return bytes(reversed(groups))

    now = 0
    for at, message in sorted(
        (e for i, p in enumerate(pieces) for e in events(p, i * SLOT)),
        key=lambda e: (round(1000 * e[0]), e[1][0] >= 0x90),
    ):
        tick = round(1000 * at)
        track += number(tick - now) + message
        now = tick
    track += number(500) + b"\xff\x2f\x00"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 500, b"MTrk", len(track)) + bytes(track)


def render(pieces: list[dict], soundfont: Path, folder: Path):
    """Render the pieces in one go and cut them apart into 16 kHz mono FLAC files."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "in.mid", Path(scratch) / "out.wav"
        source.write_bytes(midi(pieces))
        subprocess.run(
            ["fluidsynth", "-ni", "-q", "-r", "32000", "-g", "0.5", "-T", "wav", "-F", target, soundfont, source],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wave, rate = soundfile.read(target, dtype="float32")
    wave = soxr.resample(wave.mean(1), rate, RATE)
    for i, piece in enumerate(pieces):
        begin = int(i * SLOT * RATE)
        part = wave[begin : begin + int(USED * RATE)]
        soundfile.write(folder / f"{piece['number']:04d}.flac", 0.5 * part / np.abs(part).max(), RATE, subtype="PCM_16")


def split(number: int) -> str:
    return "heldout" if number % 12 == 5 else "train"


def main():
    p = parser(__doc__)
    p.add_argument("--pieces", type=int, default=480)
    p.add_argument("--styled", type=int, default=228)
    args = p.parse_args()
    data = data_folder(args.data)
    folder = data / "wave/music"
    folder.mkdir(parents=True, exist_ok=True)
    soundfont = next((data / "unpacked" / SOUNDFONT_PACKAGE).rglob("FluidR3_GM.sf2"))
    pieces = [compose(n) for n in range(args.pieces)]
    styled = [compose_style(args.pieces + n) for n in range(args.styled)]
    pieces += [piece | {"tonic": TONICS[piece["tonic"]]} for piece in styled]
    for start in range(0, len(pieces), PER_FILE):
        group = pieces[start : start + PER_FILE]
        if not all((folder / f"{p['number']:04d}.flac").exists() for p in group):
            render(group, soundfont, folder)
    columns = ["family", "instrument", "bpm", "tonic", "mode", "pattern", "drums"]
    lines = [
        "\t".join([f"{p['number']:04d}", split(p["number"])] + [str(p[c]) or "-" for c in columns]) for p in pieces
    ]
    (HERE / "music.tsv").write_text("# key\tsplit\t" + "\t".join(columns) + "\n" + "\n".join(lines) + "\n")
    print(f"{len(pieces)} pieces, {len(pieces) * USED / 60:.0f} minutes")


if __name__ == "__main__":
    main()
