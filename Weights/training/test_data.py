"""Checks the committed lists and the captions: python3 test_data.py (needs no data folder)."""

import random
import re
from collections import Counter

import captions
from label import FREE
from prepare import table


def check_lists():
    """Every clip has a class with phrases, a split and a free licence; a held-out file's class is trained on others."""
    licences = {row["key"]: row["licence"] for row in table("ATTRIBUTION.tsv")}
    clips = table("clips.tsv")
    for row in clips:
        assert row["class"] in captions.PHRASES, row
        assert row["split"] in ("train", "heldout"), row
        assert FREE.match(licences[row["key"]]) or licences[row["key"]].startswith("BSD"), row
    assert len({row["key"] for row in clips}) == len(clips)
    train = Counter(r["class"] for r in clips if r["split"] == "train")
    assert all(train[r["class"]] >= 3 for r in clips if r["split"] == "heldout")
    print(f"{len(clips)} clips with licences, {len({r['class'] for r in clips})} classes")


def check_captions(count: int = 30000):
    """No training caption has a held-out paraphrase in it; held-out captions have nothing else."""
    rng = random.Random(0)
    rows = [r | {"domain": "effect"} for r in table("clips.tsv") if r["split"] == "train"]
    rows += [r | {"domain": "music"} for r in table("music.tsv")] + [
        r | {"domain": "speech"} for r in table("speech.tsv")
    ]
    heldout = [p for c in captions.PHRASES for p in captions.phrases(c, True)]
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, heldout)) + r")\b", re.IGNORECASE)
    for _ in range(count):
        caption = captions.describe(rng, captions.imagine(rng, rows))
        assert not pattern.search(caption), caption
        assert "{" not in caption and "  " not in caption, caption
    for label in captions.PHRASES:
        assert captions.describe(rng, {"events": [(label, "-", ["distant"])]}, heldout=True) in heldout
    assert captions.with_adjective("an owl hooting", "distant") == "a distant owl hooting"
    assert captions.with_adjective("a cow", "echoing") == "an echoing cow"
    print(f"{count} captions without held-out paraphrases")


def check_wordings():
    """Every class has further wordings, none of which stands twice, is a phrase of training or tells a held-out one."""
    further = captions.further()
    assert list(further) == list(captions.PHRASES)
    everything = [w for wordings in further.values() for w in wordings]
    assert len(set(everything)) == len(everything)
    assert not set(everything) & {p for c in captions.PHRASES for p in captions.phrases(c)}
    assert min(map(len, further.values())) >= 30
    asked = {p.lower() for row in table("paraphrases.tsv") for p in list(row.values())[1].split("|")}
    assert not asked & {w.lower() for w in everything}
    assert captions.tells("a tropical downpour") and not any(map(captions.tells, everything))
    print(f"{len(everything)} further wordings")


if __name__ == "__main__":
    check_lists()
    check_captions()
    check_wordings()
