"""Stage 4: speech.  A small set of phrases in flite's permissive CMU voices, so that the words are known.

Writes DATA/wave/speech/VOICE_NN.flac and the committed list speech.tsv: key, split, voice, phrase.  Needs flite.

    python3 speech.py [--data FOLDER]
"""

import subprocess
import tempfile
from pathlib import Path

import soundfile

from common import HERE, RATE, data_folder, parser
from fetch import mono16k

VOICES = {"slt": "woman", "rms": "man", "awb": "Scottish man"}
PHRASES = """hello
good morning
good evening, ladies and gentlemen
welcome
thank you very much
yes
no
please wait a moment
how are you today
goodbye
see you tomorrow
one two three
four five six
seven eight nine ten
ready, set, go
the train is late
the door is open
it is raining again
what time is it
I do not know
where is the station
turn left at the corner
turn right at the bridge
the weather is fine today
a cat sat on the mat
the quick brown fox jumps over the lazy dog
once upon a time there was a king
to be or not to be, that is the question
happy birthday to you
merry christmas
be careful
help me
come here
stop
listen to the music
the sea is calm tonight
my name is Anna
my name is Peter
nice to meet you
have a good day""".splitlines()


def split(phrase: int, voice: int) -> str:
    """Held out: one voice of every sixth phrase, so that both its words and its voice are known from other clips."""
    return "heldout" if phrase % 6 == 2 and voice == phrase // 6 % 3 else "train"


def main():
    data = data_folder(parser(__doc__).parse_args().data)
    folder = data / "wave/speech"
    folder.mkdir(parents=True, exist_ok=True)
    lines, seconds = [], 0.0
    for v, voice in enumerate(VOICES):
        for n, phrase in enumerate(PHRASES):
            key = f"{voice}_{n:02d}"
            target = folder / f"{key}.flac"
            if not target.exists():
                with tempfile.TemporaryDirectory() as scratch:
                    raw = Path(scratch) / "out.wav"
                    subprocess.run(["flite", "-voice", voice, "-t", phrase, "-o", raw], check=True)
                    soundfile.write(target, mono16k(raw), RATE, subtype="PCM_16")
            seconds += soundfile.info(target).duration
            lines.append(f"{key}\t{split(n, v)}\t{VOICES[voice]}\t{phrase}")
    (HERE / "speech.tsv").write_text("# key\tsplit\tvoice\tphrase\n" + "\n".join(lines) + "\n")
    print(f"{len(lines)} phrases, {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
