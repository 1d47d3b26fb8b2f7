"""Writes Tests/Fixtures/Tokenizers from Hugging Face's tokenizers (transformers 5.23.0, tokenizers 0.23.3).

    python make_tokenizer_fixtures.py CHECKPOINT [--gpt2 TOKENIZER.json --t5 TOKENIZER.json --large FOLDER]

CHECKPOINT is a folder made by the project's reference `make_checkpoint.py --size tiny`, whose two tokenizers are copied.
--gpt2 and --t5 are published vocabularies (GPT-2's 50,000 merges and T5's 32,100 pieces as tokenizer.json), which are not
committed: from them --large receives complete folders, in each file form, for the tests that AUDIOLDM2_TOKENIZERS=FOLDER turns
on, and strings.tsv the hashes of what they give.

    roberta/ t5/       the tokenizers of the checkpoint
    probe/             a byte-pair vocabulary whose ids show how the text was cut
    strings.tsv        10,000 strings: repeat, hash of the ids by roberta, t5, large roberta, large t5; text
    unicode.tsv        for each 4096 code points: hash of the probe's ids, hash of the text as t5 normalizes it
    truncation.json    texts with limits: ids, mask and what was cut, as diffusers reports it
    variants.json      folders with other combinations of files and flags, and the ids they give
"""
import argparse
import base64
import json
import shutil
import tempfile
from pathlib import Path

import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers
from transformers import RobertaTokenizer, T5Tokenizer

from tokenizer_strings import strings

OUTPUT = Path(__file__).parent.parent / "Tokenizers"
CLASSES = {"roberta": RobertaTokenizer, "t5": T5Tokenizer}


def fnv(data: bytes) -> str:
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def hash_ids(ids) -> str:
    return fnv(b"".join(i.to_bytes(4, "little") for i in ids))


def write_rows(path: Path, rows):
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


# MARK: Large vocabularies

def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, **flags}


def make_large_roberta(source: Path, folder: Path):
    """GPT-2's vocabulary in RoBERTa's order, with the files and flags that the published folders have."""
    model = json.loads(source.read_text())["model"]
    ranked = [text for text, _ in sorted(model["vocab"].items(), key=lambda item: item[1]) if not text.startswith("<|")]
    vocab = {text: i for i, text in enumerate(["<s>", "<pad>", "</s>", "<unk>", *ranked, "<mask>"])}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    config = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512, "add_prefix_space": False}
    special = {f"{name}_token": token(f"<{text}>") for name, text in
               {"bos": "s", "cls": "s", "eos": "/s", "sep": "/s", "pad": "pad", "unk": "unk"}.items()}
    special["mask_token"] = token("<mask>", lstrip=True)
    files = folder / "roberta-files"
    files.mkdir(parents=True, exist_ok=True)
    (files / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (files / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (files / "special_tokens_map.json").write_text(json.dumps(special))
    (files / "tokenizer_config.json").write_text(json.dumps(config))
    whole = folder / "roberta-json"
    whole.mkdir(exist_ok=True)
    added = [{"id": vocab[t["content"]], "special": True, **t} for t in {t["content"]: t for t in special.values()}.values()]
    document = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": sorted(added, key=lambda t: t["id"]),
        "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
                           "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "vocab": vocab, "merges": merges}}
    (whole / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False))
    (whole / "tokenizer_config.json").write_text(json.dumps(config))


def character_map(tokenizer_json: Path) -> bytes:
    normalizer = json.loads(tokenizer_json.read_text())["normalizer"]
    return next(base64.b64decode(n["precompiled_charsmap"]) for n in normalizer.get("normalizers", [normalizer])
                if n["type"] == "Precompiled")


def make_large_t5(source: Path, folder: Path):
    """T5's tokenizer.json as it is published, and the same as spiece.model."""
    config = {"tokenizer_class": "T5Tokenizer", "model_max_length": 128, "extra_ids": 100, "eos_token": "</s>",
              "pad_token": "<pad>", "unk_token": "<unk>",
              "additional_special_tokens": [f"<extra_id_{i}>" for i in range(100)]}
    for form in ("t5-json", "t5-files"):
        (folder / form).mkdir(parents=True, exist_ok=True)
        (folder / form / "tokenizer_config.json").write_text(json.dumps(config))
    shutil.copy(source, folder / "t5-json" / "tokenizer.json")
    model = sentencepiece_model_pb2.ModelProto()
    for i, (text, score) in enumerate(json.loads(source.read_text())["model"]["vocab"]):
        if not text.startswith("<extra_id_"):
            model.pieces.add(piece=text, score=score, type={0: 3, 1: 3, 2: 2}.get(i, 1))
    model.trainer_spec.model_type = 1
    model.normalizer_spec.precompiled_charsmap = character_map(source)
    (folder / "t5-files" / "spiece.model").write_bytes(model.SerializeToString())


# MARK: Fixtures

def write_strings(large: Path | None):
    pairs = strings(10_000)
    texts = [text * repeat for repeat, text in pairs]
    columns = []
    for name, folder in [("roberta", OUTPUT / "roberta"), ("t5", OUTPUT / "t5"),
                         ("roberta", large and large / "roberta-json"), ("t5", large and large / "t5-json")]:
        if folder is None:
            columns.append(["-"] * len(texts))
            continue
        ids = CLASSES[name].from_pretrained(folder)(texts, truncation=False).input_ids
        columns.append([hash_ids(row) for row in ids])
    with open(OUTPUT / "strings.tsv", "w", newline="") as file:
        for (repeat, text), *hashes in zip(pairs, *columns):
            for plain, escaped in ("\\", "\\\\"), ("\0", "\\0"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"):
                text = text.replace(plain, escaped)
            file.write("\t".join([str(repeat), *hashes, text]) + "\n")


def make_probe():
    """Merges of `a`, `1` and `!` with every byte: their ids show whether a letter, a number or another sign joins them."""
    alphabet = bytes_to_unicode()
    vocab = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *alphabet]
    merges = [(first, second) for first in "a1!" for second in alphabet]
    vocab += [first + second for first, second in merges]
    (OUTPUT / "probe").mkdir(exist_ok=True)
    (OUTPUT / "probe" / "vocab.json").write_text(json.dumps({text: i for i, text in enumerate(vocab)}, ensure_ascii=False))
    (OUTPUT / "probe" / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))


def bytes_to_unicode():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def write_unicode():
    probe = RobertaTokenizer.from_pretrained(OUTPUT / "probe")
    normalizer = normalizers.Precompiled(character_map(OUTPUT / "t5" / "tokenizer.json"))
    with open(OUTPUT / "unicode.tsv", "w") as file:
        for start in range(0, 0x110000, 4096):
            scalars = [chr(v) for v in range(start, start + 4096) if not 0xD800 <= v < 0xE000]
            cut = "".join(f"a{c} 1{c} !{c} " for c in scalars)
            marked = "".join(f"{c}|\u00a0{c}|{c}\u0301|" for c in scalars)
            ids = hash_ids(probe(cut).input_ids)
            file.write(f"{start:06x}\t{ids}\t{fnv(normalizer.normalize_str(marked).encode())}\n")


def write_truncation():
    rows = []
    texts = ["", "a dog barks", "rain on a tin roof, thunder far away " * 4, "ﬁne  ½ 漢字 <mask> ▁x 👩‍👩‍👧‍👦 " * 5, "<extra_id_3> a" * 9]
    for name, cls in CLASSES.items():
        tokenizer = cls.from_pretrained(OUTPUT / name)
        for text in texts:
            for limit in (3, 16, 24, tokenizer.model_max_length):
                for padding in (False, "max_length"):
                    got = tokenizer(text, truncation=True, max_length=limit, padding=padding)
                    whole = tokenizer(text, truncation=False).input_ids
                    cut = tokenizer.batch_decode([whole[limit - 1:-1]])[0] if len(whole) > limit else None
                    rows.append({"tokenizer": name, "text": text, "maxLength": limit, "pads": bool(padding),
                                 "ids": got.input_ids, "mask": got.attention_mask, "cut": cut})
    write_rows(OUTPUT / "truncation.json", rows)


def variants():
    """(name, tokenizer, files taken from it, files written)"""
    both = ["vocab.json", "merges.txt"]
    stripping = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}
    right = {"content": "<pad>", "lstrip": False, "rstrip": True, "normalized": True, "single_word": False}
    typed = lambda entry: {"__type": "AddedToken", **entry}
    yield "files alone", "roberta", both, {}
    yield "json alone", "roberta", ["tokenizer.json"], {}
    yield "map with flags", "roberta", both, {"special_tokens_map.json": {"mask_token": stripping, "pad_token": right}}
    yield "json prevails over map", "roberta", ["tokenizer.json"], {"special_tokens_map.json": {"mask_token": stripping}}
    yield "config with flags", "roberta", both, {"tokenizer_config.json": {"mask_token": typed(stripping), "model_max_length": 77}}
    yield "decoder prevails", "roberta", [*both, "tokenizer.json"], {"tokenizer_config.json": {
        "added_tokens_decoder": {"4": {**stripping, "special": True}, "0": {**right, "content": "<s>", "special": True}}}}
    yield "new tokens", "roberta", both, {"added_tokens.json": {"bark!": 545, "<MASK>": 546},
                                          "tokenizer_config.json": {"additional_special_tokens": ["<dog>", "<DOG>"]}}
    yield "other names", "roberta", both, {"tokenizer_config.json": {"cls_token": "<mask>", "sep_token": "<unk>", "pad_token": "!"}}
    yield "prefix space", "roberta", ["tokenizer.json"], {"tokenizer_config.json": {"add_prefix_space": True, "model_max_length": int(1e30)}}
    yield "no mask", "roberta", both, {"tokenizer_config.json": {"mask_token": None}}
    yield "spiece alone", "t5", ["spiece.model"], {}
    yield "json alone", "t5", ["tokenizer.json"], {}
    yield "fewer extra ids", "t5", ["spiece.model"], {"tokenizer_config.json": {"extra_ids": 7}}
    yield "normalized tokens", "t5", ["spiece.model"], {"tokenizer_config.json": {
        "additional_special_tokens": [typed({**right, "content": "ＤＯＧ"}), typed({**stripping, "content": "<extra_id_3>", "rstrip": True}),
                                      typed({**right, "content": "ﬁ", "normalized": False})]}}
    yield "added tokens", "t5", ["tokenizer.json"], {"added_tokens.json": {"bark": 216, "<extra_id_1>": 214}}
    yield "eos of another name", "t5", ["spiece.model"], {"tokenizer_config.json": {"eos_token": "<extra_id_0>"}}


def write_variants():
    texts = ["a dog barks <mask>  <pad>  bark!<s> <MASK> <dog> <DOG>d", "DOG ＤＯＧ ﬁn fi  <extra_id_3>  x<extra_id_8></s> a bark",
             " leading, trailing ", "<mask>", ""]
    rows = []
    for name, kind, taken, written in variants():
        with tempfile.TemporaryDirectory() as folder:
            for file in taken:
                shutil.copy(OUTPUT / kind / file, folder)
            for file, content in written.items():
                (Path(folder) / file).write_text(json.dumps(content))
            tokenizer = CLASSES[kind].from_pretrained(folder)
            limit = tokenizer.model_max_length
            rows.append({"name": name, "tokenizer": kind, "taken": taken,
                         "written": {file: json.dumps(content) for file, content in written.items()},
                         "maxLength": limit if limit < 1e6 else None, "padID": tokenizer.pad_token_id,
                         "texts": texts, "ids": tokenizer(texts).input_ids})
    write_rows(OUTPUT / "variants.json", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--gpt2", type=Path)
    parser.add_argument("--t5", type=Path)
    parser.add_argument("--large", type=Path)
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    for source, name in (("tokenizer", "roberta"), ("tokenizer_2", "t5")):
        shutil.copytree(options.checkpoint / source, OUTPUT / name, dirs_exist_ok=True)
    if options.large:
        make_large_roberta(options.gpt2, options.large)
        make_large_t5(options.t5, options.large)
    write_strings(options.large)
    make_probe()
    write_unicode()
    write_truncation()
    write_variants()


if __name__ == "__main__":
    main()
