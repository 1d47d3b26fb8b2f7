"""WordNet 3.0, as far as vocabulary.py asks: from Debian's package wordnet-base, which is fetched and unpacked, not
installed."""

import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from fetch import download

NOUN, VERB, ADJECTIVE, ADVERB = "noun", "verb", "adj", "adv"
PARTS = {"1": NOUN, "2": VERB, "3": ADJECTIVE, "4": ADVERB, "5": ADJECTIVE}  # by the number in a sense's key
# Lexicographers' files, whose numbers stand in the data files: what happens or can be heard, and what measures it.
CONCRETE = {
    NOUN: {4: "act", 5: "animal", 6: "artifact", 8: "body", 10: "communication", 11: "event", 13: "food", 14: "group"}
    | {17: "object", 18: "person", 19: "phenomenon", 20: "plant", 22: "process", 27: "substance"},
    VERB: {29: "body", 30: "change", 32: "communication", 33: "competition", 34: "consumption", 35: "contact"}
    | {36: "creation", 38: "motion", 39: "perception", 43: "weather"},
}
MEASURES = {7: "attribute", 23: "quantity", 24: "relation", 25: "shape", 28: "time"}


class WordNet:
    """Single words: how often each part of speech of them was met, and what their first senses are."""

    def __init__(self, folder: Path):
        self.counts: dict[str, Counter] = defaultdict(Counter)
        self.first, self.senses = {}, {}
        self.irregular: list[tuple[str, str]] = []  # (wolves, wolf), (sang, sing), …
        for part in (NOUN, VERB, ADJECTIVE, ADVERB):
            for line in (folder / f"index.{part}").read_text().splitlines():
                word, *fields = line.split(" ")
                if re.fullmatch("[a-z]{2,14}", word):
                    self.counts[word][part] += 0
                    self.first[word, part] = fields[-2 - int(fields[1])]
            for line in (folder / f"data.{part}").read_text().splitlines():
                if line[0] != " ":
                    self.senses[part, line[:8]] = line
            if part in (NOUN, VERB):
                pairs = (line.split()[:2] for line in (folder / f"{part}.exc").read_text().splitlines())
                self.irregular += [(form, base) for form, base in pairs if base in self.counts]
        for line in (folder / "cntlist.rev").read_text().splitlines():
            key, _, count = line.split()
            word, _, sense = key.partition("%")
            if word in self.counts:
                self.counts[word][PARTS[sense[0]]] += int(count)

    def part(self, word: str) -> str:
        """The part of speech that it mostly is."""
        return max(self.counts[word], key=self.counts[word].get)

    def fields(self, word: str, part: str) -> list[str]:
        """The first sense of a word, as the data file has it; empty if there is none."""
        line = self.senses.get((part, self.first.get((word, part))), "")
        return line.split(" | ")[0].split()

    def file(self, word: str, part: str) -> int | None:
        """The number of the lexicographers' file that has the first sense."""
        fields = self.fields(word, part)
        return int(fields[1]) if fields else None

    def gloss(self, word: str, part: str) -> str:
        """What the first sense means, without examples and the domain before it."""
        gloss = self.senses[part, self.first[word, part]].split(" | ")[1].split(";")[0]
        return re.sub(r"^\(.*?\) *", "", gloss.strip())

    def is_name(self, word: str) -> bool:
        """Whether its first noun sense is one person or place."""
        return "@i" in self.fields(word, NOUN)

    def kinds(self, word: str) -> set[str]:
        """What its first noun sense is, and all that this is a kind of: `dog`, `canine`, `carnivore`, …"""
        todo, found = [self.first[word, NOUN]] if (word, NOUN) in self.first else [], {}
        while todo:
            synset = todo.pop()
            if synset not in found:
                fields = self.senses[NOUN, synset].split(" | ")[0].split()
                found[synset] = fields[4]
                todo += [fields[i + 1] for i, f in enumerate(fields) if f in ("@", "@i")]
        return set(found.values())


def wordnet(data: Path) -> WordNet:
    """WordNet from the data folder, fetched before if it is not there."""
    debian, folder = data / "debian", data / "wordnet"
    debian.mkdir(exist_ok=True)
    download("wordnet-base", debian)
    if not folder.exists():
        subprocess.run(["dpkg-deb", "-x", next(debian.glob("wordnet-base_*.deb")), folder], check=True)
    return WordNet(folder / "usr/share/wordnet")
