"""Words for what is heard.  Every class has phrases for training and phrases held out for evaluation: the latter are
never composed into a training caption.

    python3 captions.py [--count N]     prints samples
"""

import random
import re

from common import HERE

ROWS = [line.split("\t") for line in (HERE / "phrases.tsv").read_text().splitlines()[1:]]
PHRASES = {label: [training.split("|"), heldout.split("|")] for label, _, training, heldout in ROWS}
BODIES = [re.sub(r"^(a|an|the) ", "", p) for _, _, _, heldout in ROWS for p in heldout.split("|")]
HELD_OUT = re.compile(r"\b(" + "|".join(map(re.escape, BODIES)) + r")\b")
WEATHER = {label for label, kind, _, _ in ROWS if kind == "weather"}
STEADY = WEATHER | {label for label, kind, _, _ in ROWS if kind == "steady"}
TEMPLATES = ["{}"] * 6 + [
    "the sound of {}",
    "{} can be heard",
    "a recording of {}",
    "sound of {}",
    "you can hear {}",
    "there is {}",
    "{}, field recording",
    "a sound effect of {}",
]
SUFFIX = {  # how each treatment of the sound is said
    "distant": [" in the distance", " far away", ", distant", ", heard from afar"],
    "muffled": [", muffled", " behind a wall", ", heard through a wall"],
    "echo": [" echoing", " with an echo", " in a large hall", ", reverberating"],
    "quiet": [", quietly", ", very quiet", ", soft"],
    "loud": [", loudly", ", very loud", ", close by"],
    "high": [", high-pitched", " at a high pitch"],
    "low": [", low-pitched", " at a low pitch"],
    "twice": [" twice", ", two times", " and again"],
    "three times": [" three times", ", three in a row"],
    "repeated": [" repeatedly", " again and again", " over and over"],
    "": [""],
}
PREFIX = {
    "distant": ["distant", "faraway"],
    "muffled": ["muffled"],
    "echo": ["echoing"],
    "quiet": ["quiet", "soft", "faint"],
    "loud": ["loud"],
    "high": ["high-pitched"],
    "low": ["low-pitched", "deep"],
}
TEMPO = [(0, ["slow"]), (84, ["medium-tempo", "moderate"]), (118, ["fast", "upbeat"])]


def phrases(label: str, heldout: bool = False) -> list[str]:
    """The noun phrases of a class, for training or held out.  Each stands alone."""
    return PHRASES[label][1 if heldout else 0]


def tells(text: str) -> bool:
    """Whether a text holds a held-out paraphrase, be it without the article."""
    return bool(HELD_OUT.search(text))


def further() -> dict[str, list[str]]:
    """More wordings of each class, from wordings.tsv.  Whoever wrote them had not seen the held-out paraphrases; what holds
    one all the same is left out here."""
    lines = [line.split("\t") for line in (HERE / "wordings.tsv").read_text().splitlines()[1:]]
    return {label: [w for w in wordings.split("|") if not tells(w)] for label, wordings in lines}


def with_adjective(phrase: str, adjective: str) -> str:
    """'a cow mooing' and 'distant' make 'a distant cow mooing'; 'the' and bare nouns likewise."""
    match = re.match(r"(a|an|the) (.*)", phrase)
    if not match:
        return f"{adjective} {phrase}"
    article = "the" if match[1] == "the" else "an" if adjective[0] in "aeiou" else "a"
    return f"{article} {adjective} {match[2]}"


def event(
    rng: random.Random,
    label: str,
    variant: str,
    treatments: list[str],
    heldout: bool = False,
    words: dict[str, list[str]] | None = None,
) -> str:
    """A noun phrase for one sound; `treatments` are keys of SUFFIX.  A chord name makes the guitar strum's variant.
    `words` are each class's noun phrases in place of its own."""
    if heldout:
        return rng.choice(phrases(label, True))
    if words:
        phrase = rng.choice(words[label])
        if not treatments and rng.random() < 0.4:
            return asked(rng, phrase)
    else:
        phrase = variant if variant not in ("", "-") and rng.random() < 0.7 else rng.choice(phrases(label))
    for treatment in treatments:
        adjectives = PREFIX.get(treatment, [])
        if label in WEATHER and treatment in ("loud", "quiet"):
            adjectives = ["heavy", "strong"] if treatment == "loud" else ["light", "gentle"]
        if adjectives and rng.random() < 0.5:
            phrase = with_adjective(phrase, rng.choice(adjectives))
        else:
            phrase += rng.choice(SUFFIX[treatment])
    return phrase


ASKED = [
    "{}", "{}", "{} sound", "{} sound effect", "sfx {}", "audio of {}", "the noise of {}", "sounds like {}",
    "a clip of {}", "{}, close-up", "{}, outdoors", "{}, indoors", "{}, stereo recording", "{}, high quality",
    "I want to hear {}", "give me {}", "make a sound of {}", "play {}", "I need {} for a film", "foley of {}",
    "in the recording there is {}", "somewhere there is {}", "we hear {}", "{} is audible", "this is {}",
    "{} and nothing else", "only {}", "just {}", "realistic {}", "{} ambience", "{} loop",
]
DROPPED = {"a", "an", "the", "of", "on", "in", "at", "with", "is", "are", "being", "someone", "some", "by", "to", "from", "and"}


def asked(rng: random.Random, phrase: str) -> str:
    """A noun phrase as people type it: within a request, or as the tags of a sound library. The words that tell the class
    stay."""
    if rng.random() < 0.2:
        tags = [word for word in phrase.lower().replace(",", "").split() if word not in DROPPED]
        return ", ".join(tags) if rng.random() < 0.6 else " ".join(tags)
    return rng.choice(ASKED).format(phrase)


def join(rng: random.Random, first: str, second: str, relation: str) -> str:
    """Two sounds: `together`, `background` (the second is quieter) or `sequence`."""
    forms = {
        "together": ["{} and {}", "{} while there is {}", "{} with {}", "{} together with {}", "{}, {}"],
        "background": ["{} with {} in the background", "{}, {} in the background", "{} over {}"],
        "sequence": ["{} followed by {}", "{}, then {}", "first {}, then {}"],
    }
    return rng.choice(forms[relation]).format(first, second)


def sentence(rng: random.Random, phrase: str) -> str:
    text = rng.choice(TEMPLATES).format(phrase)
    return text[0].upper() + text[1:] if rng.random() < 0.15 else text


def music(rng: random.Random, row: dict) -> str:
    """A caption for a piece of music.tsv; every statement in it is true of the piece, none is always there."""
    tempo = rng.choice([words for low, words in TEMPO if int(row["bpm"]) >= low][-1])
    if row["family"] == "drums":
        beat = f"{row['drums']} beat"
        forms = [
            "a {t} {b} on a drum kit",
            "drums playing a {t} {b}",
            "a drum kit playing a {b}",
            "a {b} at {n} bpm, drums",
            "{t} drums",
            "drum music, {b}",
        ]
        return rng.choice(forms).format(t=tempo, b=beat, n=row["bpm"])
    if row["pattern"] == "style":
        return style(rng, row, tempo)
    what = row["instrument"] if rng.random() < 0.8 else row["family"]
    article = "an" if what[0] in "aeiou" else "a"
    if what in ("strings", "brass"):
        article = "some"
    pattern = row["pattern"]
    piece = {
        "melody": "melody",
        "chords": "chord progression",
        "arpeggio": "arpeggio",
        "rising scale": "rising scale",
        "falling scale": "falling scale",
        "repeated notes": "series of repeated notes",
    }[pattern]
    key = rng.choice(["", f" in {row['tonic']} {row['mode']}", f" in a {row['mode']} key", f" in {row['mode']}"])
    mood = {"major": ["happy", "cheerful", "bright"], "minor": ["sad", "melancholic", "dark"]}[row["mode"]]
    adjective = rng.choice([tempo, tempo, "", rng.choice(mood)])
    adjective = adjective + " " if adjective else ""
    forms = [
        f"{article} {what} playing a {adjective}{piece}{key}",
        f"a {adjective}{piece} on {article} {what}{key}",
        f"{what} music{key}, {tempo}",
        f"solo {what}, {adjective}{piece}",
        f"{adjective}{what} music{key}",
        f"{article} {what} playing a {piece} at {row['bpm']} bpm",
        f"{adjective}music with {article} {what}",
    ]
    text = rng.choice(forms)
    if row["drums"] != "-":
        text += rng.choice([" with drums", f" with a {row['drums']} beat", " and drums"])
    return re.sub(r"\ba ([aeiou])", r"an \1", text.replace("solo drums", "drums"))


def style(rng: random.Random, row: dict, tempo: str) -> str:
    """A caption for a piece in a style: its name, perhaps its tempo, mode or who plays."""
    name, players = row["family"], row["instrument"].split(", ")
    rhythmic = {"techno", "house", "drum and bass", "hip hop", "disco", "funk", "reggae", "rock", "heavy metal"}
    forms = ["{s} music", "{s}", "{t} {s} music", "{s} with {p}", "{s} music at {n} bpm", "a piece of {s} music", "{m} {s} music"]
    if name in rhythmic:
        forms += ["a {s} beat", "a {s} track", "a {t} {s} beat", "a {s} groove"]
    if name in ("waltz", "lullaby", "ballad"):
        forms = ["a {s}", "a {t} {s}", "a {s} with {p}", "a {s} played by {p}", "a {m} {s}"]
    mood = {"major": "happy", "minor": "dark"}[row["mode"]]
    some = " and ".join(rng.sample(players, min(2, len(players))))
    text = rng.choice(forms).format(s=name, t=tempo, p=some, n=row["bpm"], m=mood)
    return re.sub(r"\ba ([aeiou])", r"an \1", text)


def speech(rng: random.Random, row: dict, heldout: bool = False) -> str:
    voice = row["voice"]
    who = rng.choice(
        {
            "woman": ["a woman", "a female voice", "a lady"],
            "man": ["a man", "a male voice"],
            "Scottish man": ["a Scottish man", "a man", "a male voice"],
        }[voice]
    )
    if heldout:
        return {"a woman": "a girl speaking"}.get(who, f"{who} giving a talk")
    forms = [
        "{w} says {p}",
        '{w} saying "{p}"',
        "{w} speaking",
        "{w} talking",
        "{w} says: {p}",
        "speech, {w} saying {p}",
    ]
    if len(row["phrase"].split()) > 12:  # too long to be quoted
        forms = ["{w} speaking", "{w} talking", "{w} reading a text", "{w} telling a story", "speech of {w}"]
    return rng.choice(forms).format(w=who, p=row["phrase"])


def describe(rng: random.Random, facts: dict, heldout: bool = False, words: dict[str, list[str]] | None = None) -> str:
    """A caption for what is known of a scene (data.Scenes makes the facts):

    events    [(class, variant, treatments), …], one or two, for effects; beside a phrase, one in the background
    relation  how two events stand to each other: a key of `join`
    piece     a row of music.tsv
    phrase    a row of speech.tsv

    With `heldout`, only words kept from training name the effects and voices, in the plainest template.  `words` are
    other noun phrases for the effects' classes.
    """
    if "piece" in facts:
        return sentence(rng, music(rng, facts["piece"]))
    texts = [event(rng, *e, heldout=heldout, words=words) for e in facts.get("events", [])]
    if "phrase" in facts:
        texts.insert(0, speech(rng, facts["phrase"], heldout))
    text = join(rng, *texts, facts["relation"]) if len(texts) == 2 else texts[0]
    return text if heldout or "phrase" in facts else sentence(rng, text)


def imagine(rng: random.Random, rows: list[dict]) -> dict:
    """Facts without a sound: for the text-only stages.  `rows` describe clips (prepare.py's index)."""

    def made_up():
        row = rng.choice(effects)
        treatments = rng.sample([t for t in SUFFIX if t], 1) if rng.random() < 0.4 else []
        return row["class"], row["variant"], treatments

    effects = [r for r in rows if r["domain"] == "effect"]
    row = rng.choice(rows)
    if row["domain"] == "music":
        return {"piece": row}
    if row["domain"] == "speech":
        return {"phrase": row} | ({"events": [made_up()], "relation": "background"} if rng.random() < 0.2 else {})
    if rng.random() < 0.6:
        return {"events": [made_up()]}
    return {"events": [made_up(), made_up()], "relation": rng.choice(["together", "background", "sequence"])}


def main():
    from common import data_folder, parser
    from data import Pack

    p = parser(__doc__)
    p.add_argument("--count", type=int, default=20)
    args = p.parse_args()
    rows, rng = Pack(data_folder(args.data)).rows, random.Random(0)
    for _ in range(args.count):
        print(describe(rng, imagine(rng, rows)))


if __name__ == "__main__":
    main()
