"""Words for what is heard.  Every class has phrases for training and phrases held out for evaluation: the latter are
never composed into a training caption.

    python3 captions.py [--count N]     prints samples
"""
import random
import re

# class: (training phrases, held-out paraphrases).  A phrase is a noun phrase that also stands alone.
PHRASES = {
    "rain": ("rain|rain falling|a rain shower|raindrops falling|rain pouring down|rainfall", "a downpour|rainy weather"),
    "wind": ("wind|wind blowing|the wind howling|gusts of wind|a strong breeze|windy weather", "a gale|air rushing past"),
    "thunder": ("thunder|thunder rumbling|a thunderstorm|a clap of thunder|rolling thunder", "a lightning strike|stormy skies rumbling"),
    "river": ("a river|a river flowing|a stream|running water|a babbling brook|water flowing", "a creek|flowing water"),
    "waterfall": ("a waterfall|water falling|a roaring waterfall|a cascade of water", "cascading water"),
    "ocean waves": ("ocean waves|waves crashing on the shore|the sea|waves on a beach|surf", "the seaside|breakers rolling in"),
    "splash": ("a splash|water splashing|something splashing into water|a splash of water|a plop in water", "something dropping into a pond"),
    "fire": ("fire|a fire crackling|a campfire|flames burning|a crackling fire|wood burning", "a bonfire|a fireplace"),
    "flames": ("roaring flames|a fire roaring|a large fire|flames hissing and crackling|a blaze", "a house on fire"),
    "birds": ("birds|birds singing|birdsong|birds chirping|birds tweeting in a forest|a bird singing", "a dawn chorus|songbirds"),
    "crickets": ("crickets|crickets chirping|insects at night|a night ambience with crickets|cicadas", "nighttime insects|grasshoppers"),
    "owl": ("an owl|an owl hooting|the hoot of an owl|an owl calling at night", "a nocturnal bird hooting"),
    "horse neigh": ("a horse|a horse neighing|a horse whinnying|the neigh of a horse|a horse snorting", "a stallion's whinny|a pony neighing"),
    "horse hooves": ("horse hooves|a horse galloping|a horse trotting|hooves on the ground|a horse running by", "clip-clop of hooves|a rider on horseback"),
    "cow": ("a cow|a cow mooing|cattle|a cow lowing|the moo of a cow", "a bull bellowing|cattle lowing"),
    "sheep": ("a sheep|a sheep bleating|sheep|a lamb bleating|the baa of a sheep", "a flock of lambs|an ewe calling"),
    "goat": ("a goat|a goat bleating|the bleat of a goat|a goat crying", "a billy goat"),
    "pig": ("a pig|a pig grunting|a pig oinking|a pig squealing|a boar", "a hog snorting|swine"),
    "chicken": ("a chicken|a chicken clucking|a hen|hens clucking|a chicken cackling", "poultry|a hen in a coop"),
    "elephant": ("an elephant|an elephant trumpeting|the trumpet of an elephant|an elephant roaring", "a big elephant calling"),
    "lion": ("a lion|a lion roaring|the roar of a lion|a big cat growling|a lion growling", "a tiger's roar|a wild cat roaring"),
    "snake": ("a snake|a snake hissing|the hiss of a snake|a hissing snake", "a rattlesnake|a serpent hissing"),
    "bees": ("bees|bees buzzing|a swarm of bees|a beehive|a bee buzzing", "wasps humming|an insect swarm buzzing"),
    "monster": ("a monster|a monster growling|a monster roaring|a creature snarling|a beast growling", "an ogre's growl|a demon roaring"),
    "scream": ("a scream|a man screaming|a man crying out in pain|a man groaning|someone screaming", "a person yelling in agony"),
    "sword": ("a sword|swords clashing|a sword hit|metal blades clashing|a sword fight|a sword striking", "a duel with blades|fencing"),
    "spear": ("a spear|a spear thrust|a spear stabbing|a spear attack|a pike thrust", "a lance strike"),
    "bow shot": ("a bow shot|a bow being fired|an archer shooting|a bowstring released|an arrow being shot", "archery|a longbow firing"),
    "arrow hit": ("an arrow hitting|an arrow striking its target|an arrow impact|an arrow hitting a target", "a dart thudding into a target"),
    "metal shield": ("a metal shield being hit|a blow on a metal shield|a metal impact|a clang of metal", "armour being struck"),
    "wooden shield": ("a wooden shield being hit|a blow on a wooden shield|a wooden impact|a thud on wood", "a knock on a plank"),
    "stone mining": ("a pickaxe hitting stone|mining stone|breaking rock with a pickaxe|a pick striking rock", "quarrying"),
    "metal mining": ("a pickaxe hitting metal|mining metal ore|a pick striking ore|mining iron", "digging for ore"),
    "anvil": ("an anvil|a blacksmith hammering|a hammer on an anvil|a smith at work|hammering metal", "a forge|a metalworker at work"),
    "saw": ("a saw|sawing wood|a hand saw cutting wood|someone sawing|a saw cutting a plank", "a carpenter cutting timber"),
    "chainsaw": ("a chainsaw|a chainsaw running|a chainsaw cutting wood|a chainsaw revving", "a motor saw"),
    "wood chopping": ("chopping wood|an axe chopping a tree|a lumberjack chopping|an axe hitting wood", "a woodcutter at work|splitting logs"),
    "falling tree": ("a tree falling|a falling tree|a tree crashing down|a tree cracking and falling", "timber coming down"),
    "hammer": ("a hammer|hammering|a hammer hitting wood|hammering a nail", "driving nails"),
    "leaves": ("leaves rustling|rustling leaves|rustling through bushes|someone picking leaves", "foliage rustling"),
    "digging": ("digging|digging in the soil|a hoe digging the ground|a shovel in the dirt", "turning over earth with a spade"),
    "harvest": ("harvesting crops|a sickle cutting grain|cutting wheat|reaping a field", "mowing with a scythe"),
    "meat cutting": ("cutting meat|a butcher cutting meat|slicing meat|squelching meat", "carving flesh"),
    "collapse": ("a building collapsing|a collapse|rubble falling|a house falling down|debris falling", "a wall tumbling down|a landslide"),
    "catapult": ("a catapult|a catapult firing|a siege engine|a ballista shooting|wooden siege machinery", "a trebuchet"),
    "train": ("a train|a train passing|a train leaving the station|a train on the rails|a railway train", "a railroad|a locomotive passing by"),
    "engine": ("an engine|a car engine running|an engine idling|a motor running|an engine revving", "a vehicle's motor|an automobile"),
    "traffic": ("traffic|city traffic|cars passing by|a busy road|road traffic", "a highway|vehicles on a street"),
    "airplane": ("an airplane|a plane flying over|an aircraft taking off|a plane taking off|an airplane engine", "an airliner|aviation noise"),
    "horn": ("a horn|a horn blowing|a loud horn|the blast of a horn", "honking"),
    "siren": ("a siren|an ambulance siren|a police siren|a fire engine siren|an emergency siren", "an emergency vehicle"),
    "bell": ("a bell|a bell ringing|a bell tolling|the ring of a bell|a ringing bell", "chimes|a gong being struck"),
    "applause": ("applause|people clapping|an audience applauding|clapping hands|an applauding crowd", "an ovation|a clapping audience"),
    "crowd": ("a crowd|a crowd talking|people talking in a market|a busy market|a murmuring crowd", "a lot of people chatting|a bazaar"),
    "farm": ("a farm|farm animals|a farmyard|the ambience of a farm", "a barnyard"),
    "harbor": ("a harbor|a harbor with seagulls|a port|ships in a harbor|the ambience of a port", "a dock|a marina"),
    "door": ("a door|a door opening|a door closing|a door being shut|a door slamming", "someone entering through a door|a gate shutting"),
    "stone gate": ("a stone gate|a heavy stone gate opening|a stone gate grinding|a stone door sliding", "a castle gate moving"),
    "glass": ("glass breaking|glass shattering|breaking glass|a window breaking", "a smashed bottle"),
    "gunshot": ("a gunshot|a gun firing|a gun shot|a pistol shot|a weapon firing", "a rifle shot|shooting"),
    "explosion": ("an explosion|a bomb exploding|a loud explosion|a blast|something exploding", "a detonation|a grenade going off"),
    "crash": ("a crash|a car crash|a collision|a metal crash|vehicles crashing", "an accident|a wreck"),
    "footsteps": ("footsteps|someone walking|a person walking|steps|someone running", "a pedestrian|strolling"),
    "windmill": ("a windmill|a windmill turning|the sails of a windmill|a creaking windmill", "a wind turbine"),
    "factory": ("a factory|factory machines|machinery|industrial machines|machines running", "an assembly line|a workshop full of machines"),
    "construction site": ("a construction site|construction work|building work|construction noise", "workers building a house"),
    "electricity": ("electricity|electric sparks|electric sparking|an electric buzz|electrical arcing", "a short circuit|a high-voltage arc"),
    "clock": ("a clock|a clock ticking|a ticking clock|the ticking of a clock", "a watch ticking"),
    "static": ("static|radio static|static noise|white noise|a radio without a station", "an untuned radio"),
    "magic": ("magic|a magic spell|a spell being cast|a magical sound|a wizard casting a spell", "sorcery|an enchantment"),
    "robot": ("a robot|a robot sound|robotic noises|a robot moving", "an android|a droid"),
    "kick drum": ("a kick drum|a bass drum|a kick drum hit|a bass drum hit", "a low drum beat"),
    "snare drum": ("a snare drum|a snare hit|a snare drum hit", "a sharp drum stroke"),
    "cymbal": ("a cymbal|a cymbal crash|a cymbal being hit|a crash cymbal", "a hi-hat"),
    "tom drum": ("a tom drum|a tom hit|a tom-tom|a drum being hit", "a floor tom"),
    "tabla": ("a tabla|a tabla hit|an Indian drum|a tabla drum", "Indian percussion"),
    "drum loop": ("a drum loop|a drum beat|a breakbeat|drums playing a loop", "a percussion groove"),
    "drone": ("a drone|a low drone|a dark ambient drone|a humming drone|an ambient hum", "a sustained dark tone"),
    "guitar strum": ("a guitar strum|a strummed guitar chord|strumming an acoustic guitar|a guitar chord", "a chord on a guitar"),
}
WEATHER = {"rain", "wind", "thunder", "river", "waterfall", "ocean waves", "fire", "flames", "traffic"}
CONTINUOUS = WEATHER | {"birds", "crickets", "bees", "crowd", "farm", "harbor", "train", "engine", "airplane", "siren", "leaves",
                        "windmill", "factory", "construction site", "electricity", "clock", "static", "drone", "drum loop",
                        "applause", "footsteps", "horse hooves", "saw", "chainsaw", "anvil", "owl"}
TEMPLATES = ["{}"] * 6 + ["the sound of {}", "{} can be heard", "a recording of {}", "sound of {}", "you can hear {}",
                          "there is {}", "{}, field recording", "a sound effect of {}"]
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
PREFIX = {"distant": ["distant", "faraway"], "muffled": ["muffled"], "echo": ["echoing"], "quiet": ["quiet", "soft", "faint"],
          "loud": ["loud"], "high": ["high-pitched"], "low": ["low-pitched", "deep"]}
TEMPO = [(0, ["slow"]), (84, ["medium-tempo", "moderate"]), (118, ["fast", "upbeat"])]


def phrases(label: str, heldout: bool = False) -> list[str]:
    return PHRASES[label][1 if heldout else 0].split("|")


def with_adjective(phrase: str, adjective: str) -> str:
    """'a cow mooing' and 'distant' make 'a distant cow mooing'; 'the' and bare nouns likewise."""
    match = re.match(r"(a|an|the) (.*)", phrase)
    if not match:
        return f"{adjective} {phrase}"
    article = "the" if match[1] == "the" else "an" if adjective[0] in "aeiou" else "a"
    return f"{article} {adjective} {match[2]}"


def event(rng: random.Random, label: str, variant: str, treatments: list[str], heldout: bool = False) -> str:
    """A noun phrase for one sound; `treatments` are keys of SUFFIX.  A chord name makes the guitar strum's variant."""
    if heldout:
        return rng.choice(phrases(label, True))
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


def join(rng: random.Random, first: str, second: str, relation: str) -> str:
    """Two sounds: `together`, `background` (the second is quieter) or `sequence`."""
    forms = {"together": ["{} and {}", "{} while there is {}", "{} with {}", "{} together with {}", "{}, {}"],
             "background": ["{} with {} in the background", "{}, {} in the background", "{} over {}"],
             "sequence": ["{} followed by {}", "{}, then {}", "first {}, then {}"]}
    return rng.choice(forms[relation]).format(first, second)


def sentence(rng: random.Random, phrase: str) -> str:
    text = rng.choice(TEMPLATES).format(phrase)
    return text[0].upper() + text[1:] if rng.random() < 0.15 else text


def music(rng: random.Random, row: dict) -> str:
    """A caption for a piece of music.tsv; every statement in it is true of the piece, none is always there."""
    tempo = rng.choice([words for low, words in TEMPO if int(row["bpm"]) >= low][-1])
    if row["family"] == "drums":
        beat = f"{row['drums']} beat"
        forms = ["a {t} {b} on a drum kit", "drums playing a {t} {b}", "a drum kit playing a {b}", "a {b} at {n} bpm, drums",
                 "{t} drums", "drum music, {b}"]
        return rng.choice(forms).format(t=tempo, b=beat, n=row["bpm"])
    what = row["instrument"] if rng.random() < 0.8 else row["family"]
    article = "an" if what[0] in "aeiou" else "a"
    if what in ("strings", "brass"):
        article = "some"
    pattern = row["pattern"]
    piece = {"melody": "melody", "chords": "chord progression", "arpeggio": "arpeggio", "rising scale": "rising scale",
             "falling scale": "falling scale", "repeated notes": "series of repeated notes"}[pattern]
    key = rng.choice(["", f" in {row['tonic']} {row['mode']}", f" in a {row['mode']} key", f" in {row['mode']}"])
    mood = {"major": ["happy", "cheerful", "bright"], "minor": ["sad", "melancholic", "dark"]}[row["mode"]]
    adjective = rng.choice([tempo, tempo, "", rng.choice(mood)])
    adjective = adjective + " " if adjective else ""
    forms = [f"{article} {what} playing a {adjective}{piece}{key}", f"a {adjective}{piece} on {article} {what}{key}",
             f"{what} music{key}, {tempo}", f"solo {what}, {adjective}{piece}", f"{adjective}{what} music{key}",
             f"{article} {what} playing a {piece} at {row['bpm']} bpm", f"{adjective}music with {article} {what}"]
    text = rng.choice(forms)
    if row["drums"] != "-":
        text += rng.choice([" with drums", f" with a {row['drums']} beat", " and drums"])
    return re.sub(r"\ba ([aeiou])", r"an \1", text.replace("solo drums", "drums"))


def speech(rng: random.Random, row: dict, heldout: bool = False) -> str:
    voice = row["voice"]
    who = rng.choice({"woman": ["a woman", "a female voice", "a lady"], "man": ["a man", "a male voice"],
                      "Scottish man": ["a Scottish man", "a man", "a male voice"]}[voice])
    if heldout:
        return {"a woman": "a girl speaking"}.get(who, f"{who} giving a talk")
    forms = ["{w} says {p}", "{w} saying \"{p}\"", "{w} speaking", "{w} talking", "{w} says: {p}", "speech, {w} saying {p}"]
    return rng.choice(forms).format(w=who, p=row["phrase"])


def describe(rng: random.Random, facts: dict, heldout: bool = False) -> str:
    """A caption for what is known of a scene (data.Scenes makes the facts):

    events    [(class, variant, treatments), …], one or two, for effects; beside a phrase, one in the background
    relation  how two events stand to each other: a key of `join`
    piece     a row of music.tsv
    phrase    a row of speech.tsv

    With `heldout`, only words kept from training name the effects and voices, in the plainest template.
    """
    if "piece" in facts:
        return sentence(rng, music(rng, facts["piece"]))
    texts = [event(rng, *e, heldout=heldout) for e in facts.get("events", [])]
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
