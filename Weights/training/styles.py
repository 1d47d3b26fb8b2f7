"""Music by style: short pieces for several instruments, each a pattern that everybody knows the style by.

A piece is like music.py's, with `parts`: (GM program, notes as (start in beats, length in beats, pitch, velocity)), and
`beat`: drum notes as (start in beats, note, velocity) of one bar of `meter` beats.
"""

import random

STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
KICK, SNARE, CLAP, CLOSED, OPEN, RIDE, CRASH, CLAVES, CABASA = 36, 38, 39, 42, 46, 51, 49, 75, 69
# style: slowest and fastest tempo, modes, what is said to play
STYLES = {
    "techno": (124, 140, ["minor"], ["synthesizer", "drum machine"]),
    "house": (118, 128, ["minor", "major"], ["piano", "drum machine", "bass"]),
    "drum and bass": (160, 176, ["minor"], ["drums", "bass"]),
    "hip hop": (80, 98, ["minor"], ["drums", "bass", "electric piano"]),
    "disco": (112, 124, ["major", "minor"], ["strings", "bass", "drums"]),
    "rock": (108, 144, ["major", "minor"], ["electric guitar", "bass", "drums"]),
    "heavy metal": (140, 180, ["minor"], ["distorted guitar", "drums"]),
    "funk": (96, 116, ["minor"], ["slap bass", "clavinet", "drums"]),
    "jazz": (120, 190, ["major", "minor"], ["piano", "double bass", "drums"]),
    "blues": (76, 110, ["major"], ["electric guitar", "bass", "drums"]),
    "reggae": (68, 84, ["major", "minor"], ["guitar", "organ", "bass", "drums"]),
    "bossa nova": (110, 140, ["major", "minor"], ["acoustic guitar", "bass", "percussion"]),
    "waltz": (130, 180, ["major", "minor"], ["strings", "accordion"]),
    "ballad": (60, 76, ["major", "minor"], ["piano", "strings"]),
    "ambient": (50, 64, ["major", "minor"], ["synthesizer pads"]),
    "orchestral": (80, 120, ["minor", "major"], ["strings", "brass", "timpani"]),
    "folk": (90, 124, ["major", "minor"], ["acoustic guitar", "fiddle"]),
    "chiptune": (130, 160, ["major", "minor"], ["square wave synthesizer"]),
    "lullaby": (60, 80, ["major"], ["music box"]),
}
PROGRESSIONS = {
    "major": [(0, 3, 4, 0), (0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4)],
    "minor": [(0, 5, 2, 6), (0, 3, 4, 0), (0, 5, 3, 4), (0, 6, 5, 4), (0, 0, 5, 6)],
}


class Piece:
    """Notes in a key, part by part."""

    def __init__(self, rng: random.Random, tonic: int, mode: str, bars: int, meter: int):
        self.rng, self.tonic, self.steps, self.bars, self.meter = rng, tonic, STEPS[mode], bars, meter
        self.chords = rng.choice(PROGRESSIONS[mode])
        self.parts: list[tuple[int, list[tuple[float, float, int, int]]]] = []

    def pitch(self, degree: int, low: int) -> int:
        """A degree of the scale above the tonic that lies within an octave of `low`."""
        return low + (self.tonic - low) % 12 + 12 * (degree // 7) + self.steps[degree % 7]

    def part(self, program: int, bar):
        """Every bar's notes: `bar(root)` gives (start, length, degree, low, velocity)."""
        notes = []
        for number in range(self.bars):
            for start, length, degree, low, velocity in bar(self.chords[number % 4]):
                notes.append((number * self.meter + start, length, self.pitch(degree, low), velocity))
        self.parts.append((program, notes))

    def chord(self, program: int, starts, length: float, low: int, velocity: int, tones=(0, 2, 4)):
        self.part(program, lambda root: [(s, length, root + t, low, velocity) for s in starts for t in tones])

    def bass(self, program: int, steps, low: int = 36, velocity: int = 96):
        """`steps`: (start, length, degrees above the root)."""
        self.part(program, lambda root: [(s, l, root + d, low, velocity) for s, l, d in steps])

    def melody(self, program: int, low: int, lengths, velocity: int = 88):
        notes, beat, degree = [], 0.0, self.rng.choice([0, 2, 4])
        while beat < self.bars * self.meter:
            length = self.rng.choice(lengths)
            if self.rng.random() < 0.88:
                notes.append((beat, 0.92 * length, self.pitch(degree, low), self.rng.randint(velocity - 8, velocity + 6)))
            degree = max(-2, min(9, degree + self.rng.choice([-2, -1, -1, 1, 1, 2, 3, -3])))
            beat += length
        self.parts.append((program, notes))

    def arpeggio(self, program: int, low: int, order, step: float, velocity: int = 78):
        count = int(self.meter / step)
        self.part(
            program, lambda root: [(k * step, step * 1.1, root + order[k % len(order)], low, velocity) for k in range(count)]
        )


def eighths(offset: float = 0.0) -> list[float]:
    return [offset + k / 2 for k in range(8)]


def grid(**notes: tuple) -> list[tuple[float, int, int]]:
    """A bar of drums: names of the constants above, by sixteenths."""
    loud = {"KICK": 112, "SNARE": 106, "CLAP": 104, "CLOSED": 72, "OPEN": 84, "RIDE": 80}
    return [(k / 4, globals()[name], loud.get(name, 84)) for name, places in notes.items() for k in places]


def arrange(style: str, piece: Piece) -> list[tuple[float, int, int]]:
    """Fills the piece's parts, and returns its bar of drums."""
    rng = piece.rng
    four = (0, 4, 8, 12)
    if style == "techno":
        piece.bass(38, [(k / 4, 0.2, 0) for k in range(16) if k % 4], velocity=92)
        piece.chord(rng.choice([81, 90, 62]), rng.choice([(0.75, 2.25), (0, 0.75, 1.5, 3), (1.5, 3.5)]), 0.25, 60, 80)
        if rng.random() < 0.5:
            piece.arpeggio(81, 60, rng.choice([(0, 7, 4, 7), (0, 2, 4, 7)]), 0.25, 66)
        return grid(KICK=four, CLAP=(4, 12), CLOSED=range(0, 16, 2), OPEN=(2, 6, 10, 14))
    if style == "house":
        piece.bass(38, [(0.5, 0.4, 0), (1.5, 0.4, 0), (2.5, 0.4, 4), (3.5, 0.4, 0)])
        piece.chord(rng.choice([0, 4]), rng.choice([(0.75, 1.5, 2.75), (0.5, 1.5, 2.5, 3.5)]), 0.3, 60, 92)
        return grid(KICK=four, CLAP=(4, 12), OPEN=(2, 6, 10, 14), CABASA=range(16))
    if style == "drum and bass":
        piece.bass(39, [(0, 1.4, 0), (1.5, 0.9, 0), (2.75, 1.1, rng.choice([4, -3, 0]))], 31)
        piece.chord(rng.choice([89, 95]), (0,), 3.9, 60, 60)
        return grid(KICK=(0, 10), SNARE=(4, 12, rng.choice([7, 15])), CLOSED=range(0, 16, 2), RIDE=(0, 8))
    if style == "hip hop":
        piece.bass(33, [(0, 0.7, 0), (0.75, 0.4, 0), (2.5, 0.6, 4)])
        piece.chord(rng.choice([4, 5]), rng.choice([(0, 2.5), (0,), (0.5, 2)]), 1.2, 60, 74, (0, 2, 4, 6))
        return grid(KICK=(0, 3, 10), SNARE=(4, 12), CLOSED=range(0, 16, 2))
    if style == "disco":
        piece.bass(33, [(k / 2, 0.4, 7 * (k % 2)) for k in range(8)])
        piece.chord(28, [k / 4 for k in (2, 3, 6, 10, 11, 14)], 0.2, 60, 72)
        piece.melody(48, 72, [1, 2, 2])
        return grid(KICK=four, SNARE=(4, 12), OPEN=(2, 6, 10, 14), CLOSED=(0, 4, 8, 12))
    if style == "rock":
        piece.chord(rng.choice([29, 30]), eighths() if rng.random() < 0.5 else (0, 1.5, 2, 3.5), 0.45, 48, 88, (0, 4, 7))
        piece.bass(34, [(s, 0.45, 0) for s in eighths()])
        if rng.random() < 0.4:
            piece.melody(29, 67, [0.5, 1, 1.5])
        return grid(KICK=(0, 8, 10), SNARE=(4, 12), CLOSED=range(0, 16, 2), CRASH=(0,))
    if style == "heavy metal":
        gallop = [k / 4 for k in range(16) if k % 4 != 1]
        piece.chord(30, gallop, 0.22, 40, 100, (0, 4, 7))
        piece.bass(34, [(s, 0.22, 0) for s in gallop], 28)
        return grid(KICK=range(0, 16, 2) if rng.random() < 0.5 else range(16), SNARE=(4, 12), CRASH=(0, 8), RIDE=(4, 12))
    if style == "funk":
        piece.bass(36, [(0, 0.4, 0), (0.75, 0.2, 7), (1.5, 0.3, 4), (2.25, 0.2, 0), (2.75, 0.2, 7), (3.5, 0.3, 4)])
        piece.chord(rng.choice([7, 28]), [k / 4 for k in (2, 3, 6, 9, 11, 14)], 0.15, 60, 84, (0, 2, 4, 6))
        return grid(KICK=(0, 6, 10), SNARE=(4, 7, 12, 15), CLOSED=range(16))
    if style == "jazz":
        piece.bass(32, [(0, 0.9, 0), (1, 0.9, 2), (2, 0.9, 4), (3, 0.9, rng.choice([5, 3]))], 40, 88)
        piece.chord(0, rng.choice([(0.67, 2.67), (1.67,), (0, 1.67)]), 0.5, 60, 70, (2, 4, 6, 8))
        if rng.random() < 0.7:
            piece.melody(rng.choice([65, 66, 56, 11]), 62, [2 / 3, 1 / 3, 1, 4 / 3])
        return [(s, RIDE, 88) for s in (0, 1, 1.67, 2, 3, 3.67)] + [(1, 44, 70), (3, 44, 70)]
    if style == "blues":
        piece.chords = rng.choice([(0, 0, 3, 0), (0, 3, 4, 0), (4, 3, 0, 4)])
        piece.bass(33, [(k / 3, 0.3, (0, 0, 2, 2, 4, 4, 5, 4)[k // 3 * 2 % 8]) for k in range(0, 12, 1) if k % 3 != 1])
        piece.chord(26, (0, 0.67, 1, 1.67, 2, 2.67, 3, 3.67), 0.3, 52, 76, (0, 4))
        piece.melody(rng.choice([26, 22, 29]), 64, [1 / 3, 2 / 3, 1, 4 / 3])
        return [(s, CLOSED, 76) for s in (0, 0.67, 1, 1.67, 2, 2.67, 3, 3.67)] + [
            (0, KICK, 108), (2, KICK, 104), (1, SNARE, 104), (3, SNARE, 104)
        ]
    if style == "reggae":
        piece.bass(33, [(0, 0.7, 0), (1.5, 0.4, 2), (2, 0.9, 4), (3.5, 0.4, 0)])
        piece.chord(27, (1, 3), 0.2, 60, 88)
        piece.chord(16, (0.5, 1.5, 2.5, 3.5), 0.2, 55, 62)
        return grid(KICK=(8,), SNARE=(8,), CLOSED=range(0, 16, 2))
    if style == "bossa nova":
        piece.bass(32, [(0, 1.4, 0), (1.5, 0.5, 4), (2, 1.4, 4), (3.5, 0.5, 0)])
        piece.chord(24, (0, 1, 1.5, 2.5, 3.5), 0.4, 55, 80, (0, 2, 4, 6))
        if rng.random() < 0.6:
            piece.melody(rng.choice([73, 65, 24]), 67, [0.5, 1, 1.5])
        return grid(CLAVES=(0, 3, 6, 10, 13), CABASA=range(16), KICK=(0, 6, 8, 14))
    if style == "waltz":
        piece.bass(rng.choice([32, 43]), [(0, 0.9, 0)], 40)
        piece.chord(rng.choice([48, 21, 0]), (1, 2), 0.7, 60, 70)
        piece.melody(rng.choice([40, 48, 21, 73]), 69, [1, 1, 2, 0.5])
        return []
    if style == "ballad":
        piece.arpeggio(0, 48, (0, 4, 7, 9, 11, 9, 7, 4), 0.5)
        piece.chord(48, (0,), 3.9, 60, 58)
        piece.melody(rng.choice([0, 40, 73]), 67, [1, 1.5, 2])
        return grid(KICK=(0, 8), SNARE=(4, 12), CLOSED=range(0, 16, 4)) if rng.random() < 0.4 else []
    if style == "ambient":
        piece.chord(rng.choice([88, 89, 91, 94, 95]), (0,), 4.2, 48, 76, (0, 4, 8))
        piece.chord(rng.choice([92, 97, 52]), (2,), 3.0, 67, 56, (0, 2))
        return []
    if style == "orchestral":
        piece.chord(48, rng.choice([(0, 2), (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), (0,)]), 0.9, 55, 84)
        piece.melody(rng.choice([61, 56, 60]), 60, [1, 2, 0.5], 96)
        piece.bass(47, [(0, 0.9, 0), (2, 0.9, 0), (3, 0.4, 4)], 41, 100)
        return [(0, CRASH, 70)] if rng.random() < 0.3 else []
    if style == "folk":
        piece.arpeggio(24 if rng.random() < 0.5 else 25, 48, (0, 4, 7, 9, 7, 4), 0.5, 84)
        piece.melody(rng.choice([40, 73, 105, 22]), 67, [0.5, 0.5, 1, 1])
        return []
    if style == "chiptune":
        piece.arpeggio(80, 72, (0, 2, 4, 7), 0.25, 70)
        piece.bass(80, [(s, 0.4, 0) for s in eighths()], 36, 84)
        piece.melody(80, 72, [0.5, 0.5, 1], 96)
        return grid(KICK=(0, 8), CLOSED=range(0, 16, 4), SNARE=(4, 12))
    piece.melody(10, 72, [0.5, 1, 1, 1.5], 84)
    piece.chord(10, (0, 2), 1.0, 60, 60)
    return []


def compose_style(number: int) -> dict:
    """The styled piece with this number; music.compose has those of single instruments."""
    rng = random.Random(f"style {number}")
    style = list(STYLES)[number % len(STYLES)]
    slowest, fastest, modes, instruments = STYLES[style]
    bpm, tonic, mode = rng.randint(slowest, fastest), rng.randrange(12), rng.choice(modes)
    meter = 3 if style == "waltz" else 4
    beats = int(9.9 * bpm / 60)
    piece = Piece(rng, tonic, mode, max(1, beats // meter), meter)
    bar = arrange(style, piece)
    drums = [(b * meter + at, note, velocity) for b in range(piece.bars) for at, note, velocity in bar]
    return dict(
        number=number, family=style, instrument=", ".join(instruments), bpm=bpm, mode=mode, tonic=tonic,
        pattern="style", drums="", parts=piece.parts, beat=drums,
    )
