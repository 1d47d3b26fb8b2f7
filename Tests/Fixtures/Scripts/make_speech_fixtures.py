#!/usr/bin/env python3
"""English sentences with the symbols' ids that speech checkpoints are trained on: ../Speech/sentences.tsv.

    make_speech_fixtures.py ../Checkpoints/tiny-tts/tokenizer_2/vocab.json ../Speech/sentences.tsv

Columns: text, cleaned text, phonemes, ids; a tab inside a text is written \\t.  The cleaned text is what `english_cleaners2` of VITS (which the authors use)
makes before it asks for phonemes: Unidecode, lower case, abbreviations.  Phonemes and ids are those of transformers'
`VitsTokenizer` with PyPI phonemizer 3.4.0 and espeak-ng 1.51, of the cleaned text; symbols that the vocabulary lacks have
no id and are left out.

Needs: transformers, phonemizer, Unidecode, and the Debian package libespeak-ng1.
"""
import itertools
import random
import re
import sys

from transformers import VitsTokenizer
from unidecode import unidecode

ABBREVIATIONS = dict(
    mrs="misess", mr="mister", dr="doctor", st="saint", co="company", jr="junior", maj="major", gen="general",
    drs="doctors", rev="reverend", lt="lieutenant", hon="honorable", sgt="sergeant", capt="captain", esq="esquire",
    ltd="limited", col="colonel", ft="fort")

BY_HAND = """
wish you have a good day
A female reporter is speaking, full of emotion.
“I can’t believe it,” she said — “it’s over!”
'Twas the night before Christmas; not a creature was stirring.
He asked: "Why?" and then (after a pause) "Why not?"
"No," said Alice. "Yes!" said Bob... "Maybe?"
Dr. Smith, Mrs. Jones and Mr. Brown met Lt. Col. Parker at St. Mary's.
The Rev. John Doe Jr. works for Acme Co. and Widgets Ltd. in Ft. Worth.
Gen. Lee, Maj. Tom, Capt. Ahab, Sgt. Pepper, and the Hon. Ann Gray, Esq. were there.
I was born on July 4, 1976, at 3:45 p.m.
The meeting is on 2023-08-10 at 14:30.
On 12/31/1999 everybody waited for 00:00.
It costs $3.50, or £2.99, or €4 — about 12.5% less.
It costs 3.5.
Version 2.0.1 weighs 1,234,567.89 grams.
NASA and the FBI met in the U.S.A. with a CEO and two PhDs.
The HTTP server at www.example.com returned 404.
E-mail me at someone@example.org, e.g. tomorrow, i.e. soon, etc.
A café in Zürich; naïve façade; jalapeño; Łódź; São Paulo; crème brûlée; Ærøskøbing; straße.
Москва is big.
Temperatures of −5°C to 20°C, 3×4=12, ½ cup, H₂O, x² + y² = z².
It's 5 o'clock; don't, won't, shouldn't've, y'all'd.
Wait... what?! No!!! Really???
(parenthesis) [bracket] {brace} «guillemets»
...
!?
"quoted"
- a dash - between - words -
semi;colon:and,comma.without spaces
An em—dash and an en–dash, and a hyphen-ated word.
   leading and trailing spaces   
tabs\tand  double  spaces
100% of #hashtags & ampersands + plus = equals
I read the book that you read. Live music is live. Close the door; it's close.
The 1st, 2nd, 3rd, 4th and 21st of May.
In the 1990s, the 18th century, and the year 2010.
1 2 3 4 5 6 7 8 9 10 11 12 13 20 100 1000 1000000
0.5 and .5 and 5. and 5.0
Ctrl+C, C++, C#, .NET
A B C D E F G
supercalifragilisticexpialidocious
Hello 🎵 world 🙂!
She sells sea shells by the sea shore.
The quick brown fox jumps over the lazy dog.
I, II, III, IV: chapters.
""".strip("\n").split("\n")

SUBJECTS = ["The old man", "A female reporter", "My neighbour's dog", "NASA", "Dr. Lee", "She", "Everybody",
            "José", "The U.S. government", "An MP3 player", "Mr. O'Neill", "The BBC's host", "A naïve robot"]
VERBS = ["said", "whispered", "has bought", "will eat", "wouldn't take", "re-opened", "measured", "counted", "sang"]
OBJECTS = ["3 apples", "$1,250.75", "the 2nd café", "“freedom”", "1/2 of it", "42% of the vote", "a ‘friend’",
           "an 80-year-old piano", "ten (10) letters", "the word \"no\"", "5 km in 10.5 s", "AT&T", "the X-ray",
           "June 6, 1944", "a crème brûlée", "her sister's cat", "the A-Z list", "20°C"]
ENDS = [".", "!", "?", "...", "; then it rained.", ", didn't they?", " — at last.", ": finally!", " (again).",
        " at 7:05 a.m.", ", e.g. on Monday.", " in '99."]


def clean(text):
    text = unidecode(text).lower()
    for short, long in ABBREVIATIONS.items():
        text = re.sub(rf"\b{short}\.", long, text)
    return text


def sentences():
    generated = [f"{s} {v} {o}{e}" for s, v, o, e in itertools.product(SUBJECTS, VERBS, OBJECTS, ENDS)]
    random.Random(1).shuffle(generated)
    return (BY_HAND + generated)[:500]


def main():
    vocabulary, output = sys.argv[1:]
    tokenizer = VitsTokenizer(vocabulary, pad_token="_", unk_token=None, add_blank=False, normalize=True,
                              phonemize=True, is_uroman=False)
    with open(output, "w") as file:
        for text in sentences():
            cleaned = clean(text)
            phonemes, _ = tokenizer.prepare_for_tokenization(cleaned)
            ids = [i for i in tokenizer.convert_tokens_to_ids(list(phonemes)) if i is not None]
            row = [text, cleaned, phonemes, " ".join(map(str, ids))]
            file.write("\t".join(part.replace("\t", "\\t") for part in row) + "\n")


if __name__ == "__main__":
    main()
