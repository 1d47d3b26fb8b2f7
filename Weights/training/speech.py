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
have a good day
the old man walked slowly along the river, and the dog ran in front of him all the way to the mill
when we came to the top of the hill, we could see the lights of the city and the ships in the harbor
please keep your seat belt fastened until the captain has switched off the sign above your head
in the beginning nobody believed that the machine would work, but she went on building it every night
the next train to the north leaves from platform four in about ten minutes, and it is not very full
take two eggs, a cup of flour and a little milk, mix everything well, and wait for half an hour
there was a time when every village had a school, a church, a baker and a man who mended shoes
tomorrow it will be cloudy in the west with some rain, and in the evening the wind will grow stronger
we have talked about this for three years now, and I think that it is time to decide what we want
she opened the window, looked at the garden for a long while, and then began to write the letter
the moon moves around the earth in about four weeks, and the earth moves around the sun in a year
if you turn around now, you will see one of the oldest bridges of our town, built of grey stone
my grandmother used to tell us stories about the sea, and about sailors who never came home again
ladies and gentlemen, thank you for coming tonight, it is a great pleasure to see so many friends here
the children played in the snow all afternoon, and when it got dark they did not want to go home
he said that he had seen nothing, heard nothing and knew nothing, and nobody asked him any more
a good book is like a long walk with a friend, you never know exactly where you will be at the end
first we go down to the market to buy bread and apples, and after that we visit your uncle in town
the price of corn has fallen for the third time this month, and many farmers are worried about it
it was a bright cold day in spring, and all the clocks of the town were striking at the same time
you can leave a message after the tone, and we will call you back as soon as someone is in the office
the river is deep here and the current is strong, so nobody should swim on this side of the bridge
last summer we drove along the coast for two weeks, and every evening we cooked fish on the beach
science is not a list of facts, it is a way to find out which of the things that we believe are wrong""".splitlines()


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
