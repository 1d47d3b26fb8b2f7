"""What the model was trained on, in words: its classes, the words of its captions, and for common words that no caption
has the class that is nearest. Programs tell with it when a prompt promises what was never learned.

Writes CHECKPOINT/vocabulary.json. Needs the teacher's package (train_text.py) and wordfreq; fetches Debian's
wordnet-base (WordNet 3.0, which says whether a word is a noun or a verb, and of what kind). The same versions write the
same file.

    python3 vocabulary.py ../checkpoint [--data FOLDER] [--show]
"""

import json
import math
import random
import re
from pathlib import Path

import torch
import wordfreq

import captions
from common import HERE, data_folder, parser
from music import INSTRUMENTS
from styles import STYLES
from train_text import teacher_vectors
from wordnet import ADJECTIVE, ADVERB, CONCRETE, MEASURES, NOUN, VERB, WordNet, wordnet

# Zipf frequencies (the logarithm of how often in a thousand million words) from which on a word is looked at.
COMMON, COMMON_QUALITY, COMMON_THING = 2.8, 3.3, 2.2
FRAMES = ["{}", "the sound of {}"]  # in which the teacher reads a single word
# Cosines from which on a class counts as near, chosen by looking at what is above and below: of a word's meaning (word
# and gloss together, and each of them), ...
NEAR, EACH = 0.48, 0.36
# ... and of the word alone within a kind of WordNet's, the first that fits: a carnivore can only be near to lions.
KINDS = [
    ("carnivore", 0.3, "lion"),
    ("equine", 0.3, "horse neigh"),
    ("ruminant", 0.3, "cow|sheep|goat"),
    ("swine", 0.3, "pig"),
    ("bird", 0.3, "birds|owl|chicken"),
    ("insect", 0.35, "crickets|bees"),
    ("snake", 0.3, "snake"),
    ("mammal", 0.5, "horse neigh|cow|sheep|goat|pig|elephant|lion"),
    ("animal", 1, ""),
    ("keyboard_instrument", 0.4, "piano|harpsichord|organ|accordion"),
    ("wind_instrument", 0.4, "flute|clarinet|saxophone|brass|horn|organ|accordion"),
    ("stringed_instrument", 0.4, "strings|guitar|harp|banjo|sitar|bass"),
    ("percussion_instrument", 0.4, "mallets|drums|bell|kick drum|snare drum|cymbal|tom drum|tabla|drum loop"),
    ("musical_instrument", 0.45, "|".join(INSTRUMENTS)),
]

# A caption that shows each class of phrases.tsv, in the file's order.
SHOWN = """heavy rain|wind blowing|thunder rumbling|a river flowing|a waterfall|ocean waves|a splash of water|
a fire crackling|roaring flames|birds singing|crickets chirping|an owl hooting|a horse neighing|a horse galloping|
a cow mooing|a sheep bleating|a goat bleating|a pig grunting|a chicken clucking|an elephant trumpeting|a lion roaring|
a snake hissing|bees buzzing|a monster growling|a man screaming|swords clashing|a spear thrust|a bow shot|
an arrow hitting a target|a metal shield being hit|a wooden shield being hit|a pickaxe hitting stone|
a pickaxe hitting metal|a hammer on an anvil|sawing wood|a chainsaw running|chopping wood|a tree falling|
hammering a nail|rustling leaves|digging in the soil|harvesting crops|cutting meat|a building collapsing|
a catapult firing|a train passing|a car engine running|city traffic|a plane flying over|a horn blowing|a police siren|
a bell ringing|applause|a crowd talking|farm animals|a harbor with seagulls|a door closing|a heavy stone gate opening|
glass breaking|a gunshot|an explosion|a car crash|footsteps|a windmill turning|factory machines|construction work|
electric sparks|a clock ticking|radio static|a magic spell|a robot moving|a kick drum|a snare drum|a cymbal crash|
a tom drum|a tabla|a drum loop|a low drone|a strummed guitar chord|
a dog barking|a wolf howling|a cat meowing|a duck quacking|a frog croaking|a crow cawing|a hawk screeching|
a seal barking|a mouse squeaking|a baby crying|a man laughing|someone coughing|someone sneezing|a woman singing|
someone beatboxing|typing on a keyboard|a phone ringing|a doorbell ringing|an alarm clock ringing|a toilet flushing|
someone taking a shower|water running from a tap|water dripping|bubbling water|a motorcycle passing|
a helicopter flying|a laser gun|a computer beeping|a camera shutter|coins jingling|a whoosh|a heart beating|
a gong ringing|a sewing machine running|a DJ scratching a record|a telephone announcement|someone drinking|
someone burping"""

# Words that captions have beside what is heard (a boy digs, a fish splashes): they name what was not learned.
BESIDE = set(
    """balloon baseball bathing bicycle bowling boxing boy chess child cooking deer fife fish frying golf king
    orchestra piccolo queen rap salmon scorpion swimming tank trout vacuum washing whispering""".split()
)
FUNCTION_WORDS = """a about above across after again against ain all almost along alongside already also although
always am amid among an and another any anybody anyone anything anywhere are aren around as at away back be because
been before behind being below beneath beside besides between beyond both but by can cannot couldn could did didn do
does doesn doing don done down during each either else enough et etc even ever every everybody everyone everything
everywhere few for forth from further had hadn has hasn have haven having he hence her here hers herself him himself
his how however if in inside instead into is isn it its itself just least less let lets like ll made make makes making
many may maybe me might mine more most much must mustn my myself near nearly neither never next no nobody none nor not
nothing now nowhere of off often ok okay on once one only onto or other others otherwise our ours ourselves out
outside over own per perhaps please plus quite rather re really same shall shan she should shouldn since so some
somebody somehow someone something sometimes somewhere soon still such than that the their theirs them themselves then
there therefore these they thing things this those though through throughout thus till to together too toward towards
under underneath unless until up upon us use used using ve versus very via vs was wasn way we well were weren what
whatever when whenever where wherever whether which while who whoever whole whom whose why will with within without
won would wouldn yeah yes yet you your yours yourself audio begin beginning begins clip come comes coming continue
continues continuing create created creates creating epic feature featured features featuring fi fx generate generated
generates generating get gets getting give gives giving go goes going gonna got hd hear hi imagine include included
includes including keep keeps kind listen listening lo lofi lot lots mono need needs play plays produce produced
produces producing sfx sort sound start starts started stereo stop stops stopped stopping style take takes turn turns
type want wants one two three four five six seven eight nine ten eleven twelve hundred thousand first second third
fourth fifth last half dozen couple""".split()


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"['’]s\b", "", text.lower()))


def table(name: str) -> list[dict]:
    """The rows of a committed list by its first line's names."""
    head, *lines = (HERE / name).read_text().splitlines()
    return [dict(zip(head.removeprefix("# ").split("\t"), line.split("\t"))) for line in lines]


def caption_texts() -> tuple[list[str], list[str]]:
    """(everything that training captions can say, phrases that voices say). What captions.py draws is drawn until all
    of its few forms have come."""
    rng = random.Random(0)
    texts = [p for label in captions.PHRASES for p in captions.phrases(label)]
    texts += [p for phrases in captions.further().values() for p in phrases]
    texts += [row["variant"] for row in table("clips.tsv")]
    texts += captions.TEMPLATES + sum(captions.SUFFIX.values(), []) + sum(captions.PREFIX.values(), [])
    texts += ["heavy", "strong", "light", "gentle"]  # of weather: captions.event
    texts += [captions.join(rng, "", "", r) for r in ("together", "background", "sequence") for _ in range(200)]
    texts += [captions.music(rng, row) for row in table("music.tsv") for _ in range(60)]
    texts += [captions.speech(rng, row | {"phrase": ""}) for row in table("speech.tsv") for _ in range(20)]
    return texts, [row["phrase"] for row in table("speech.tsv")]


def pairs(text: str) -> list[str]:
    """What a word of BESIDE stands beside in a caption: `fish splashing`."""
    found = words(text)
    joined = [(a, b) for a, b in zip(found, found[1:]) if {a, b} & BESIDE and not {a, b} & set(FUNCTION_WORDS)]
    return [f"{a} {b}" for a, b in joined]


def irregular(net: WordNet, frequencies: dict[str, float], bases: set[str]) -> dict[str, str]:
    """Common forms that no rule of endings finds, and what they are forms of: `wolves`, where `wolf` is given, `sang`
    and `sing` where `singing` is."""
    result = {}
    for form, base in net.irregular:
        stems = {base, base + "s", base + "ing", base[:-1] + "ing", base + base[-1] + "ing"}
        for word, others in ((form, stems), (base, {form})):
            if others & bases and word not in bases and frequencies.get(word, 0) >= COMMON:
                result[word] = base
    return result


def class_phrases() -> dict[str, list[str]]:
    """What stands for each class, for its nearness to words."""
    result = {label: captions.phrases(label) for label in captions.PHRASES}
    for family, members in INSTRUMENTS.items():
        names = [name for _, name, _ in members]
        playing = [f"{'an' if n[0] in 'aeiou' else 'a'} {n} playing a melody" for n in names]
        result[family] = [*names, *playing, f"{family} music"]
    result["drums"] = ["drums", "drums playing a rock beat", "a drum kit"]
    result |= {style: [f"{style} music", style] for style in STYLES}
    return result | {"speech": ["speech", "a woman speaking", "a man talking", "a male voice", "a female voice"]}


def shown(phrases: dict[str, list[str]]) -> dict[str, str]:
    """A caption for each class."""
    result = dict(zip(captions.PHRASES, SHOWN.replace("\n", "").split("|"), strict=True))
    for label, text in result.items():
        assert text == "heavy rain" or text in phrases[label], text
    playing = {family: phrases[family][len(members)] for family, members in INSTRUMENTS.items()}
    playing |= {style: phrases[style][0] for style in STYLES}
    return result | playing | {"choir": "choir music", "speech": "a woman speaking"}


def kind_of(net: WordNet, word: str) -> tuple[str, float, str] | None:
    """The entry of KINDS for a word."""
    above = net.kinds(word)
    return next((entry for entry in KINDS if entry[0] in above), None)


def candidates(net: WordNet, frequencies: dict[str, float], learned: set[str]) -> dict[str, str]:
    """Common words for what may be heard that no caption has, each with the part of speech that it is looked at as."""
    result = {}
    for word in sorted(net.counts):
        frequency = frequencies.get(word, 0)
        if frequency < COMMON_THING or len(word) < 3 or word in learned or net.is_name(word):
            continue
        kind = kind_of(net, word)
        part = NOUN if kind else net.part(word)
        floor = COMMON_THING if kind or net.file(word, part) == 6 else COMMON
        if frequency >= floor and net.file(word, part) in CONCRETE.get(part, {}):
            result[word] = part
    return result


def nearest(found: dict[str, str], phrases: dict[str, list[str]], net: WordNet) -> list[tuple[str, str, float]]:
    """(word, class, cosine) of words that are near to a class. A cosine with a class is the mean of those with the
    nearest of its phrases and with the mean of all."""
    labels, made = list(phrases), teacher_vectors([p for ps in phrases.values() for p in ps], "cpu").float()
    parts = made.split([len(ps) for ps in phrases.values()])
    means = torch.nn.functional.normalize(torch.stack([p.mean(0) for p in parts]), dim=-1)

    def cosines(texts: list[list[str]]) -> torch.Tensor:
        vectors = sum(teacher_vectors(column, "cpu").float() for column in zip(*texts))
        vectors = torch.nn.functional.normalize(vectors, dim=-1)
        return (vectors @ means.T + torch.stack([(vectors @ p.T).amax(1) for p in parts], 1)) / 2

    alone = dict(zip(found, cosines([[f.format(w) for f in FRAMES] for w in found])))
    kinds = {w: kind_of(net, w) for w in found}
    result = []
    for word, (_, least, within) in ((w, k) for w, k in kinds.items() if k):
        near = max(((float(alone[word][labels.index(c)]), c) for c in within.split("|") if c), default=(0.0, ""))
        if near[0] >= least:
            result.append((word, near[1], near[0]))
    others = [w for w, kind in kinds.items() if not kind and float(alone[w].max()) >= EACH]
    for word, gloss in zip(others, cosines([[net.gloss(w, found[w])] for w in others])):
        both = (alone[word] + gloss) / 2
        place = int(both.argmax())
        if both[place] >= NEAR and min(alone[word][place], gloss[place]) >= EACH:
            result.append((word, labels[place], float(both[place])))
    return result


def is_doing(net: WordNet, word: str) -> bool:
    """Whether an adjective is what something does that may be heard: `laughing`, but not `amazing`."""
    stem = word.removesuffix("ing")
    verbs = {stem, stem + "e", stem[:-1]} if stem != word else set()
    return any(net.file(verb, VERB) in CONCRETE[VERB] for verb in verbs)


def qualities(net: WordNet, frequencies: dict[str, float]) -> set[str]:
    """Words that say how, when or how much, or nothing of sounds."""
    result = set(FUNCTION_WORDS)
    for word in net.counts:
        if frequencies.get(word, 0) >= COMMON_QUALITY:
            part = net.part(word)
            measures = part == NOUN and net.file(word, NOUN) in MEASURES
            if measures or part in (ADJECTIVE, ADVERB) and not is_doing(net, word):
                result.add(word)
    return result - BESIDE


def lines(texts: list[str], width: int = 118) -> str:
    """JSON strings in lines of about a width."""
    out = [""]
    for text in map(json.dumps, texts):
        if len(out[-1]) + len(text) > width:
            out.append("")
        out[-1] += text + ", "
    return "\n".join(line.rstrip() for line in out).rstrip(",")


def file_text(captions_shown: dict[str, str], near: dict[str, list[str]], **lists: list[str]) -> str:
    """What vocabulary.json has; the further lists are `words`, `qualities` and `spoken`."""
    sounds = [
        f'{{"name": {json.dumps(label)}, "phrase": {json.dumps(text)}, "near": [\n{lines(near[label])}]}}'
        for label, text in captions_shown.items()
    ]
    fields = [
        '"classes": [\n' + ",\n".join(sounds) + "]",
        f'"words": [\n{lines(lists["words"])}]',
        f'"qualities": [\n{lines(lists["qualities"])}]',
        f'"speech": {{"verbs": ["say", "says", "saying"], "words": [\n{lines(lists["spoken"])}]}}',
    ]
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    json.loads(text)
    return text


def main():
    p = parser(__doc__)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--show", action="store_true", help="print the words near to each class, with their cosines")
    args = p.parse_args()
    texts, said = caption_texts()
    learned = {w for text in texts for w in words(text) if len(w) > 1} - BESIDE
    frequencies = {w: 9 + math.log10(f) for w, f in wordfreq.get_frequency_dict("en").items()}
    net, phrases = wordnet(data_folder(args.data)), class_phrases()
    learned |= irregular(net, frequencies, learned).keys() - BESIDE
    compounds = {pair for text in texts for pair in pairs(text)}
    spoken = {w for phrase in said for w in words(phrase) if len(w) > 1} - learned
    how = qualities(net, frequencies) - learned
    found = nearest(candidates(net, frequencies, learned | how), phrases, net)
    classes = {word: (label, cosine) for word, label, cosine in found}
    forms = irregular(net, frequencies, set(classes))
    found += [(form, *classes[base]) for form, base in forms.items() if base in classes and form not in learned | how]
    near = {label: sorted(w for w, c, _ in found if c == label) for label in phrases}
    if args.show:
        for label in phrases:
            sorted_out = sorted(((cosine, w) for w, c, cosine in found if c == label), reverse=True)
            print(f"{label}: " + ", ".join(f"{w} {cosine:.2f}" for cosine, w in sorted_out))
    text = file_text(
        shown(phrases), near, words=sorted(learned) + sorted(compounds), qualities=sorted(how), spoken=sorted(spoken)
    )
    (args.checkpoint / "vocabulary.json").write_text(text)
    counts = f"{len(phrases)} classes, {len(learned)} words and {len(compounds)} pairs learned, {len(how)} qualities"
    print(f"{counts}, {len(found)} further words near to a class; {len(text)} bytes")


if __name__ == "__main__":
    main()
