#!/usr/bin/env python3
"""What transformers' VitsTokenizer makes of texts with every combination of its options: ../Tokenizers/vits.json.

    make_vits_tokenizer_fixtures.py ../Tokenizers/vits.json

A row has the folder's files, texts, what the tokenizer makes of them before it looks symbols up (phonemes, where it asks
for them), and ids. Symbols that have neither an id nor an unknown token have no id and are left out.

Made with transformers 5.23.0, PyPI phonemizer 3.4.0 and espeak-ng 1.51 (the Debian package libespeak-ng1), without the
package uroman: transformers then leaves such texts as they are.
"""
import itertools
import json
import sys
import tempfile
from pathlib import Path

from transformers import VitsTokenizer
from transformers.models.vits import tokenization_vits

tokenization_vits.is_uroman_available = lambda: False

# Letters, as the MMS models have: the pad token is one of them, and what is unknown comes behind them.
LETTERS = {symbol: index for index, symbol in enumerate("k'-_aeiounrtshldcmpfgybwvjxqz 0123456")}
# Some of VITS' phonemes; the upper-case A is a symbol of its own, and there is none for some of espeak's.
PHONEMES = {symbol: index for index, symbol in enumerate("_;:,.!? Aabcdefhijklmnoprstuvwzæðŋɐɑɔəɛɡɪɹɾʃʊʌʒˈˌːθ")}
TEXTS = ["wish you have a good day.", "A Female reporter, speaking!", "look  at\tthe kite", "", "?", "Ça va? naïve Ünique",
         "<unk> k_k <pad>", "  spaced  ", "ABBA a", "İ ẞ ț"]


def row(name, vocabulary, options, added=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        files = {"vocab.json": json.dumps(vocabulary, ensure_ascii=False),
                 "tokenizer_config.json": json.dumps({"tokenizer_class": "VitsTokenizer", **options})}
        if added:
            files["added_tokens.json"] = json.dumps(added)
        for file, content in files.items():
            (folder / file).write_text(content)
        tokenizer = VitsTokenizer.from_pretrained(folder)
        prepared = [tokenizer.prepare_for_tokenization(text)[0] for text in TEXTS]
        ids = [[i for i in tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) if i is not None] for text in TEXTS]
        return {"name": name, "files": files, "texts": TEXTS, "prepared": prepared, "ids": ids,
                "padID": tokenizer.pad_token_id, "unknownID": tokenizer.unk_token_id}


def main():
    rows = []
    vocabularies = {"letters": (LETTERS, "k"), "phonemes": (PHONEMES, "_")}
    for (name, (vocabulary, pad)), blank, normalize, phonemize, uroman in itertools.product(
            vocabularies.items(), (False, True), (False, True), (False, True), (False, True)):
        options = {"add_blank": blank, "normalize": normalize, "phonemize": phonemize, "is_uroman": uroman,
                   "pad_token": pad}
        label = " ".join([name] + [key for key in options if options[key] is True])
        rows.append(row(f"{label}, unknown behind the vocabulary", vocabulary, {**options, "unk_token": "<unk>"}))
        if not uroman:
            rows.append(row(f"{label}, no unknown", vocabulary, {**options, "unk_token": None}))
            rows.append(row(f"{label}, unknown in the vocabulary", {**vocabulary, "<unk>": len(vocabulary)},
                            {**options, "unk_token": "<unk>"}))
    # As MMS' folders are, and with the class's own defaults.
    rows.append(row("mms", LETTERS, {"add_blank": True, "is_uroman": False, "language": "eng", "normalize": True,
                                     "pad_token": "k", "phonemize": False, "unk_token": "<unk>",
                                     "model_max_length": 1000000000000000019884624838656}, {"<unk>": len(LETTERS)}))
    rows.append(row("defaults", PHONEMES, {}))
    rows.append(row("romanian", {**LETTERS, "ţ": len(LETTERS)}, {"language": "ron", "phonemize": False}))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    Path(sys.argv[1]).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
