#!/usr/bin/env python3
"""Writes the first inputs of every target to a folder, of which libFuzzer makes the others:

    Tests/Fuzzing/seeds.py out/fuzz/seeds

Needs Python's own library, and libsndfile for sounds. What is in Corpus came of these by `make fuzz` and `make fuzz-keep`.
"""

import base64
import collections
import ctypes
import io
import json
import pickle
import struct
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/Fixtures"
OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/fuzz/seeds")


def write(target, name, contents):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(contents if isinstance(contents, bytes) else contents.encode())


def sections(files):
    return b"\n".join(f"== {name}\n".encode() + (c if isinstance(c, bytes) else c.encode()) for name, c in files)


def fixture(path):
    return (FIXTURES / path).read_bytes()


# MARK: Packs

def run(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


def frame(content):
    """A zstd frame of one raw block."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + struct.pack("<I", 1 | len(content) << 3)[:3] + content


def repeated(byte, count):
    """A zstd frame of one block of one byte again and again."""
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", count) + struct.pack("<I", 1 | 1 << 1 | count << 3)[:3] + bytes([byte])


def pack(components, provenance, entries):
    """entries: (kind bytes, name, encoding, [(stored, bytes)])"""
    index = struct.pack("<I", len(components)) + b"".join(run(n) + run(c) + run(j) for n, c, j in components)
    index += struct.pack("<I", len(provenance)) + b"".join(run(k) + run(v) for k, v in provenance)
    index += struct.pack("<I", len(entries))
    chunks = b""
    for tensor, name, encoding, stored in entries:
        index += bytes([0 if tensor else 1]) + run(name) + (tensor or b"") + bytes([encoding])
        index += struct.pack("<QI", 0, len(stored))
        for contents, count in stored:
            index += struct.pack("<IIQ", len(contents), count, 0)
            chunks += contents
    return struct.pack("<I", len(chunks)) + chunks + index


def tensor(component, format, mode, role, *extents):
    return struct.pack("<IBBB", component, format, mode, role) + b"".join(struct.pack("<I", e) for e in extents)


def packs():
    floats = struct.pack("<16f", *range(16))
    vector = (tensor(0, 0, 0, 0, 16), "norm.weight", 0, [(floats, 64)])
    int8 = bytes(64) + struct.pack("<16f", *[1.0] * 16) + struct.pack("<16i", *[0] * 16)
    write("pack-mended", "raw", pack([("unet", "UNet", "{}")], [("source", "test")], [
        vector, (tensor(0, 1, 0, 1, 4, 8), "proj.weight", 0, [(bytes(64), 64)]),
        (tensor(0, 2, 1, 1, 16, 4), "int8.weight", 0, [(int8, 192)]), (None, "license", 0, [(b"free", 4)])]))
    write("pack-mended", "zstd", pack([("unet", "UNet", "{}"), ("vae", "VAE", "{}")], [], [
        (tensor(0, 0, 0, 2, 1, 2, 2, 4), "conv.weight", 1, [(frame(floats), 64)]),
        (tensor(1, 0, 0, 3, 2, 4, 2, 2), "up.weight", 1, [(repeated(0, 128), 128)]),
        (tensor(1, 2, 0, 4, 2, 8), "table", 0, [(bytes(72), 72)]), (None, "empty", 0, [])]))
    write("pack-mended", "chunks", pack([("t5", "T5", "{}")], [], [
        (tensor(0, 0, 0, 4, 513, 512), "table", 1, [(repeated(0, 1 << 17) * 1, 1 << 20), (frame(floats), 2048)])]))
    write("pack-mended", "nothing", pack([], [], []))
    for name in ["tiny", "tiny-tts", "audioldm1-tiny"]:
        folder = FIXTURES / "Checkpoints" / name
        index = json.loads((folder / "model_index.json").read_text())
        parts = []
        for part, value in sorted(index.items()):
            config = folder / part / "config.json"
            if config.exists():
                parts.append((f"component {part} {value[1]}", compact(config.read_bytes())))
        parts.append(("blob scheduler", compact((folder / "scheduler/scheduler_config.json").read_bytes())))
        if name == "tiny":
            parts += [
                ("component clap_audio ClapModel", dict(parts)["component text_encoder ClapModel"]),
                ("component audiomae AudioMAE", compact((ROOT / "Weights/checkpoint/audiomae/config.json").read_bytes())),
                ("component magnitudes MagnitudeNetwork", compact((ROOT / "Weights/checkpoint/magnitudes/config.json").read_bytes())),
                ("blob feature_extractor", compact((folder / "feature_extractor/preprocessor_config.json").read_bytes())),
                ("blob mel", '{"sampling_rate":16000,"filter_length":1024,"hop_length":160,"n_mel_channels":64,'
                 '"mel_fmin":0,"mel_fmax":8000}'),
                ("blob generation_config", compact((ROOT / "Weights/checkpoint/generation_config.json").read_bytes())),
                ("blob vocabulary", compact(fixture("Vocabulary/vocabulary.json"))),
                ("blob calibration", CALIBRATION), ("note profile", "diffusers"),
            ]
        write("model", name, sections(parts))
    write("model", "judge", sections([("component vggish VGGish", VGGISH), ("note family", "vggish")]))


CALIBRATION = ('{"components":[{"addedBytes":1,"compared":"eps","errorAfter":0.1,"errorBefore":0.2,"kept":[{"error":0.1,'
               '"storage":"float16","weight":"a"}],"largestAfter":0.2,"moves":3,"name":"unet","peaks":[{"largest":3,'
               '"median":1,"weight":"a"}],"target":0.3}],"prompts":["a"],"seconds":1,"steps":2}')
VGGISH = '{"architectures":["VGGish"],"channels":[4,8,8,8,16,16],"hidden_size":24,"embedding_size":16}'


def compact(text):
    return json.dumps(json.loads(text), separators=(",", ":"))


# MARK: Files of tensors

def safetensors(tensors, metadata=None):
    table, data = {}, b""
    if metadata:
        table["__metadata__"] = metadata
    for key, (dtype, shape, contents) in tensors.items():
        table[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(contents)]}
        data += contents
    header = json.dumps(table, separators=(",", ":")).encode()
    return struct.pack("<Q", len(header)) + header + data


def floats(*shape):
    count = 1
    for extent in shape:
        count *= extent
    return ("F32", list(shape), struct.pack(f"<{count}f", *[(i % 7 - 3) / 4 for i in range(count)]))


class Storage:
    def __init__(self, key, kind, count):
        self.id = ("storage", kind, key, "cpu", count)


class TensorPickler(pickle.Pickler):
    def persistent_id(self, thing):
        return thing.id if isinstance(thing, Storage) else None


def torch_pickles():
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    sys.modules.update({"torch": torch, "torch._utils": utils})
    kinds = {}
    for name in ["FloatStorage", "HalfStorage", "BFloat16Storage", "LongStorage", "ByteStorage"]:
        kinds[name] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, kinds[name])
    def _rebuild_tensor_v2(*arguments): return None
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2

    class Tensor:
        def __init__(self, storage, offset, shape, strides):
            self.parts = (storage, offset, shape, strides, False, collections.OrderedDict())
        def __reduce__(self):
            return (_rebuild_tensor_v2, self.parts)

    a, b = Storage("0", kinds["FloatStorage"], 16), Storage("1", kinds["HalfStorage"], 128)
    state = collections.OrderedDict([
        ("w", Tensor(a, 0, (2, 3), (3, 1))), ("t", Tensor(a, 1, (3, 2), (1, 3))), ("s", Tensor(b, 7, (), ())),
        ("r", Tensor(b, 0, (4, 5), (0, 1))), ("e", Tensor(b, 0, (0, 5), (5, 1)))])
    trainer = {"epoch": 3, "state_dict": dict(state), "lr": 0.5, "names": ["a", ("b", None)], "set": {1, 2}, "b": b"xy"}
    for protocol in [2, 4, 5]:
        for name, value in [("state", state), ("trainer", trainer)]:
            out = io.BytesIO()
            TensorPickler(out, protocol).dump(value)
            write("pickle", f"{name}{protocol}", out.getvalue())
    for name in ["zip", "legacy", "legacy-trainer"]:
        write("torch", name, fixture(f"Torch/{name}.pth"))


def tensors():
    write("safetensors", "types", safetensors({
        "a.weight": floats(2, 3), "half": ("F16", [3], bytes(6)), "brain": ("BF16", [1, 2], bytes(4)),
        "double": ("F64", [1], bytes(8)), "long": ("I64", [], bytes(8)), "none": ("F32", [0, 4], b""),
        "bool": ("BOOL", [3], bytes(3)), "e\\\"é": ("I8", [2], bytes(2))}, {"format": "pt"}))
    write("safetensors", "empty", safetensors({}))
    condition = {"format": "audioldm2-condition-1", "source": "a dog", "negative_prompt": ""}
    write("condition", "states", safetensors({
        "loa": floats(1, 2, 3), "states": floats(1, 2, 4), "mask": floats(1, 2), "negative.loa": floats(1, 2, 3)}, condition))
    write("condition", "film", safetensors({"film": floats(1, 4)}, condition))
    golden = {"prompt": "a", "negative": "", "seconds": "1.5", "steps": "3", "guidance": "3.5", "transcription": "x"}
    write("golden", "latents", safetensors({
        "step0.latents": floats(1, 2, 3, 2), "ids": ("I64", [1, 2], bytes(16)), "mel": floats(1, 1, 4, 2)}, golden))
    layer = "unet.mid"
    write("adapter", "diffusers", safetensors({
        f"{layer}.to_q.lora_A.weight": floats(2, 4), f"{layer}.to_q.lora_B.weight": floats(4, 2),
        "unet.conv1.lora_A.weight": floats(1, 3, 1, 1), "unet.conv1.lora_B.weight": floats(2, 1, 1, 1),
        "unet.conv1.alpha": floats()}, {"lora_adapter_metadata": '{"unet.lora_alpha":4,"unet.alpha_pattern":{"to_q":2}}'}))
    write("adapter", "old", safetensors({
        f"{layer}.processor.to_out_lora.down.weight": floats(2, 4), f"{layer}.processor.to_out_lora.up.weight": floats(4, 2)}))
    settings = '{"lora_alpha":8,"use_rslora":true,"alpha_pattern":{".*\\\\.(c_attn|mlp)":3,"h[.]\\\\d+.x":1,"^a{1,2}$":2}}'
    write("adapter", "peft", sections([
        ("adapter_config.json", settings), ("adapter_model.safetensors", safetensors({
            "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight": floats(2, 4),
            "base_model.model.transformer.h.0.attn.c_attn.lora_B.weight": floats(12, 2)}))]))
    vggish = {f"features.{i}.{k}": floats(*s) for i in [0, 3, 6, 8, 11, 13] for k, s in [("weight", (1, 1, 3, 3)), ("bias", (1,))]}
    vggish |= {"embeddings.0.weight": floats(2, 24), "embeddings.0.bias": floats(2), "embeddings.2.weight": floats(2, 2),
               "embeddings.2.bias": floats(2), "embeddings.4.weight": floats(3, 2), "embeddings.4.bias": floats(3)}
    write("checkpoint-file", "vggish", safetensors(vggish))
    cnn = {"logmel_extractor.melW": ("F32", [5, 1], bytes(20)), "bn0.weight": floats(1), "fc1.weight": floats(1, 1),
           "fc1.bias": floats(1), "fc_audioset.weight": floats(1, 1), "fc_audioset.bias": floats(1),
           "bn0.bias": floats(1), "bn0.running_mean": floats(1), "bn0.running_var": floats(1)}
    for block in range(1, 7):
        for conv in [1, 2]:
            cnn[f"conv_block{block}.conv{conv}.weight"] = floats(1, 1, 1, 1)
            for part in ["weight", "bias", "running_mean", "running_var"]:
                cnn[f"conv_block{block}.bn{conv}.{part}"] = floats(1)
    write("checkpoint-file", "cnn14", safetensors(cnn))
    unet = "model.diffusion_model."
    write("checkpoint-file", "unet", safetensors({
        f"{unet}input_blocks.0.0.weight": floats(2, 1, 1, 1), f"{unet}out.2.weight": floats(1, 2, 1, 1),
        f"{unet}input_blocks.1.0.in_layers.2.weight": floats(2, 2, 1, 1), f"{unet}input_blocks.2.0.op.weight": floats(2, 2, 1, 1),
        f"{unet}input_blocks.3.0.in_layers.2.weight": floats(2, 2, 1, 1),
        f"{unet}input_blocks.3.1.transformer_blocks.0.norm1.weight": floats(2),
        f"{unet}input_blocks.3.1.transformer_blocks.0.attn2.to_k.weight": floats(2, 2),
        f"{unet}middle_block.1.transformer_blocks.0.norm1.weight": floats(2), f"{unet}film_emb.weight": floats(2, 2),
        "first_stage_model.decoder.conv_in.weight": floats(2, 2, 1, 1), "scale_factor": floats(),
        "first_stage_model.decoder.up.0.block.0.norm1.weight": floats(2), "model_ema.decay": floats(),
        "clap.model.text_branch.embeddings.word_embeddings.weight": floats(2, 2),
        "clap.model.audio_branch.layers.0.blocks.0.attn.qkv.weight": floats(6, 2),
        "cond_stage_models.0.start_of_sequence_tokens.weight": floats(3, 2)}))
    clap = "module.text_branch."
    write("checkpoint-file", "clap", safetensors({
        f"{clap}embeddings.word_embeddings.weight": floats(4, 2), f"{clap}embeddings.position_embeddings.weight": floats(3, 2),
        f"{clap}embeddings.token_type_embeddings.weight": floats(1, 2),
        f"{clap}encoder.layer.0.output.dense.weight": floats(2, 2),
        f"{clap}encoder.layer.0.intermediate.dense.weight": floats(2, 2), "module.text_projection.2.weight": floats(2, 2),
        "module.audio_branch.layers.0.blocks.0.attn.qkv.weight": floats(6, 2)}))


# MARK: Folders and configurations

def configurations():
    for name in ["tiny", "tiny-tts", "audioldm1-tiny"]:
        folder = FIXTURES / "Checkpoints" / name
        files = [("model_index.json", compact((folder / "model_index.json").read_bytes()))]
        for config in sorted(folder.glob("*/*config.json")) + sorted(folder.glob("*/tokenizer_config.json")):
            path = str(config.relative_to(folder))
            if path not in dict(files):
                files.append((path, compact(config.read_bytes())))
        files += [("generation_config.json", '{"vocoder":"hifigan"}'), ("README.md", "---\nlicense: mit\n---\n"),
                  ("unet/diffusion_pytorch_model.safetensors", safetensors({"conv_in.bias": floats(2)})),
                  ("vae/model.safetensors.index.json", '{"weight_map":{"a":"m.safetensors"}}')]
        write("checkpoint", name, sections(files))
    write("checkpoint", "network", sections([
        ("config.json", compact(fixture("Checkpoints/tiny/text_encoder/config.json"))),
        ("model.safetensors", safetensors({"text_projection.linear1.weight": floats(2, 2)})),
        ("vocab.json", '{"<s>":0,"</s>":1,"<pad>":2,"a":3,"b":4,"ab":5}'), ("merges.txt", "#version: 0.2\na b\n")]))
    seen = set()
    for name in ["tiny", "tiny-tts", "audioldm1-tiny"]:
        folder = FIXTURES / "Checkpoints" / name
        index = json.loads((folder / "model_index.json").read_text())
        for part, value in sorted(index.items()):
            config = folder / part / "config.json"
            if not config.exists():
                continue
            classes = {"AutoencoderKL": ["AutoencoderKL", "AutoencoderKL.encoder"], "ClapModel": ["ClapModel", "ClapModel.audio"]}
            for kind in classes.get(value[1], [value[1]]):
                text = compact(config.read_bytes())
                if (kind, text) not in seen:
                    seen.add((kind, text))
                    write("config", f"{name}-{kind}", f"{kind}\n{text}")
        write("config", f"{name}-scheduler", "scheduler\n" + compact((folder / "scheduler/scheduler_config.json").read_bytes()))
    write("config", "betas", 'scheduler\n{"num_train_timesteps":12,"trained_betas":[0.1,0.2,0.3,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1],'
          '"beta_schedule":"squaredcos_cap_v2","use_karras_sigmas":true,"final_sigmas_type":"zero","timestep_spacing":"trailing",'
          '"prediction_type":"v_prediction","rescale_betas_zero_snr":true,"algorithm_type":"sde-dpmsolver++","solver_order":2}')
    write("config", "vggish", "VGGish\n" + VGGISH)
    write("config", "cnn14", 'Cnn14\n{"sample_rate":32000,"window_size":1024,"hop_size":320,"mel_bins":64,"channels":[4,8],'
          '"embedding_size":16,"classes_num":8}')
    write("config", "musicnn", 'MusicNN\n{"timbral_channels":4,"temporal_channels":3,"midend_channels":6,"embedding_size":10,"classes":8}')
    write("config", "passt", 'PaSST\n{"patch_size":16,"stride":10,"frequency_patches":12,"time_patches":99,"embed_dim":64,"depth":2,'
          '"num_heads":1,"mlp_size":256,"num_classes":12}')
    write("config", "audiomae", "AudioMAE\n" + compact((ROOT / "Weights/checkpoint/audiomae/config.json").read_bytes()))
    write("config", "magnitudes", "MagnitudeNetwork\n" + compact((ROOT / "Weights/checkpoint/magnitudes/config.json").read_bytes()))
    write("config", "mel", 'mel\n{"sampling_rate":16000,"filter_length":1024,"hop_length":160,"n_mel_channels":64,"mel_fmin":0,"mel_fmax":8000}')
    write("config", "features", "feature_extractor\n" + compact(fixture("Checkpoints/tiny/feature_extractor/preprocessor_config.json")))
    write("config", "defaults", 'generation_config\n{"vocoder":"griffin-lim","guidance_rescale":0.5,"fade_seconds":0.1,"silence_retries":2,'
          '"faster_steps":"w-w"}')
    write("config", "vocabulary", "vocabulary\n" + compact(fixture("Vocabulary/vocabulary.json")))
    write("config", "calibration", "calibration\n" + CALIBRATION)
    write("config", "record", "record\n" + RECORD)
    write("yaml", "authors", YAML)
    write("yaml", "flow", "a: {b: [1, 'x: y', \"z\"], c: {d: ~}}\nmodel: {params: {unet_config: {params: {num_head_channels: 64}}}}\n")


RECORD = ('{"operation":"generate","prompt":"a","negativePrompt":"","seed":7,"seconds":1,"steps":2,"guidanceScale":3.5,'
          '"guidanceInterval":[0.1,2],"scheduler":"dpm++","eta":0,"times":[[0,1]],"frequencies":[100],"model":"m","modelHash":"0",'
          '"software":"s"}')
YAML = """# training
variables:
  sampling_rate: &sampling_rate 16000
  list: &list [8, 4]
preprocessing:
  audio: {sampling_rate: *sampling_rate, duration: 10.24}
model:
  target: audioldm.LatentDiffusion
  params:
    linear_start: 0.0015
    linear_end: 0.0195
    timesteps: 1000
    parameterization: "eps"
    latent_t_size: 256
    unet_config:
      params:
        model_channels: 128
        num_head_channels: 32
        attention_resolutions: *list
    cond_stage_config:
      any:
        params:
        - sequence_gen_length: 8
        - {eval_time_pooling: 8,
           eval_freq_pooling: 8}
"""


# MARK: Tokenizers

def character_map():
    """A trie of "a" to "b" and "é" to "e", by trying places."""
    keys = {b"a": 0, "é".encode(): 2}
    units = [0] * 1024
    used = {0}

    def place(node, keys):
        labels = sorted({k[0] if k else 0 for k in keys})
        for offset in range(1, 512):
            if all((node ^ offset ^ l) not in used and (node ^ offset ^ l) < 1024 for l in labels):
                break
        units[node] |= offset << 10
        for label in labels:
            used.add(node ^ offset ^ label)
        for label in labels:
            child = node ^ offset ^ label
            rest = {k[1:]: v for k, v in keys.items() if (k[0] if k else 0) == label and k}
            if label == 0:
                units[child] = 0x80000000 | keys[b""]
                units[node] |= 1 << 8
            else:
                units[child] |= label
                place(child, rest)

    place(0, keys)
    size = max(used) + 1
    trie = struct.pack(f"<{size}I", *units[:size])
    return struct.pack("<I", len(trie)) + trie + b"b\0e\0"


def field(number, wire, contents):
    tag = bytes([number << 3 | wire])
    return tag + (varint(len(contents)) + contents if wire == 2 else contents)


def varint(value):
    out = b""
    while value >= 128:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def tokenizers():
    pieces = ["<pad>", "</s>", "<unk>", "▁", "a", "b", "▁a", "▁dog", "ab", "s", "é"]
    table = character_map()
    model = b"".join(
        field(1, 2, field(1, 2, p.encode()) + field(2, 5, struct.pack("<f", -i)) + (field(3, 0, bytes([3])) if i < 2 else b""))
        for i, p in enumerate(pieces))
    trainer, normalizer = field(2, 2, field(3, 0, b"\x01")), field(3, 2, field(1, 2, b"nmt") + field(2, 2, table))
    write("spiece", "map", model + trainer + normalizer)
    write("spiece", "plain", model + field(3, 2, b""))
    unigram = {
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}]},
        "added_tokens": [{"id": 0, "content": "<pad>", "special": True, "lstrip": False, "rstrip": True, "normalized": False}],
        "model": {"type": "Unigram", "unk_id": 2, "vocab": [[p, -i / 2] for i, p in enumerate(pieces)]}}
    write("tokenizer", "unigram", sections([
        ("tokenizer.json", json.dumps(unigram)), ("tokenizer_config.json",
         '{"tokenizer_class":"T5Tokenizer","extra_ids":2,"model_max_length":16,"additional_special_tokens":["<x>"]}')]))
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "c", "Ġ", "ab", "Ġa", "abc"]
    vocabulary = {t: i for i, t in enumerate(tokens)}
    bpe = {"added_tokens": [{"id": 4, "content": "<mask>", "lstrip": True, "special": True}],
           "model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b", ["Ġ", "a"], "ab c"]}}
    write("tokenizer", "bpe", sections([("tokenizer.json", json.dumps(bpe)), ("tokenizer_config.json",
          '{"tokenizer_class":"RobertaTokenizer","add_prefix_space":true,"model_max_length":512,"mask_token":{"content":"<mask>"}}')]))
    write("tokenizer", "old", sections([
        ("vocab.json", json.dumps(vocabulary)), ("merges.txt", "#version: 0.2\na b\nab c\n"),
        ("special_tokens_map.json", '{"bos_token":"<s>","additional_special_tokens":["<y>"]}'), ("added_tokens.json", '{"<z>":12}')]))
    write("tokenizer", "vits", sections([
        ("vocab.json", '{"_":0,"a":1,"ɪ":2," ":3,"<unk>":4}'), ("tokenizer_config.json",
         '{"tokenizer_class":"VitsTokenizer","add_blank":true,"normalize":true,"phonemize":false,"is_uroman":false,"language":"ron",'
         '"pad_token":"_","unk_token":"<unk>","added_tokens_decoder":{"4":{"content":"<unk>","special":true}}}')]))
    write("tokenizer", "numbers", sections([("tokenizer.json", '{"a":[1,-2.5e3,true,null,NaN,-Infinity,"\\u00e9\\ud83d\\ude00\\n"]}')]))
    write("merges", "version", "#version: 0.2\na b\nab c\nĠ a\r\nĠ ab\n")
    write("merges", "plain", "a b\nĠ ab\na é")
    write("vocabulary", "letters", '{"_": 0, "a": 1, "b": 2, "é": 3, "<unk>": 4, "dog": 5}')
    stored = lambda body: b"ALTK\x01" + body
    names = [b"<pad>", b"a", b"b", b"ab", b"\xc4\xa0"]
    start = varint(len(names)) + bytes(map(len, names)) + varint(sum(map(len, names))) + b"".join(names)
    added = b"\x01\x05\x06\x03<x>"
    write("stored-tokenizer", "bpe", stored(start + added + b"\x01\x01\x01\x02\x00\x11\x01\x01\x01\x01\x02\x03"))
    write("stored-tokenizer", "unigram", stored(
        start + added + b"\x00\x01\x01\x00\x00\x02\x02\x05" + struct.pack("<5d", 0, -1, -2, -3, -4) + varint(len(table)) + table))
    write("stored-tokenizer", "plain", stored(start + b"\x00\x00\x00\x00\x00\x03"))
    write("stored-tokenizer", "letters", stored(start + b"\x00\x00\x00\x00\x00\x04\x07\x02\x01\x03ron"))
    for name, text in [("plain", "a dog barks"), ("accents", "é e\u0301 ﬁ Ⅷ ½ Dr. Smith's <mask> <x>"), ("cyrillic", "Привет мир Ωμέγα 漢字")]:
        write("text", name, text)


# MARK: Requests and evaluations

def requests():
    full = ('{"prompt":"a dog","negative_prompt":"b","profile":"diffusers","seconds":2.5,"seed":7,"steps":20,"guidance_scale":3.5,'
            '"guidance_rescale":0.5,"guidance_interval":[0.1,5],"scheduler":"ddim","quality":"fast","eta":0.5,"vocoder":"hifigan",'
            '"window":5,"loop":true,"fade":0.1,"fade_in":0.1,"fade_out":0.2,"trim_silence":true,"normalize":"lufs:-16",'
            '"sample_rate":16000,"bits":24,"retries":2,"transcription":"x","audio_weight":0.5')
    write("batch", "lines", full + ',"output":"a.wav","candidates":2}\n{"prompt":"b","bits":"float","negative":"c"}\r{"condition":"a.cond"}\r\n\n')
    write("batch", "texts", '\ufeff{"prompt":"}\\"{\\\\","audio_prompt":"a.wav"}\n{"prompt":\r"a"}\r{"phonemes":"a')
    write("request", "job", "jobs\n" + full + ',"operation":"generate","model":"m","format":"flac","candidates":2,"stream":true}')
    write("request", "inpaint", 'jobs\n{"operation":"inpaint","times":[[0,0.001]],"frequencies":[100,2000],"strength":0.5,"prompt":"a"}')
    write("request", "extend", 'jobs\n{"operation":"extend","seconds":2,"prompt":"a"}')
    write("request", "upsample", 'jobs\n{"operation":"upsample","above":3000,"prompt":"a"}')
    write("request", "generate", 'generate\n{"input":"a","model":"m","response_format":"wav","audio_length":2,"audio_start":0,'
          '"negative_prompt":"n","guidance_scale":3,"num_inference_steps":9,"seed":1,"stream":false,"quality":"fast"}')
    write("request", "sounds", 'sound-generation mp3_44100_128\n{"text":"a","model_id":"m","duration_seconds":2,"prompt_influence":0.3,"loop":true,"seed":3}')
    write("request", "speech", 'speech\n{"input":"hello","model":"tts","voice":"alloy","instructions":"calm","response_format":"flac","speed":1.0}')
    wave = wav(1, 8000, struct.pack("<8h", *range(0, 8000, 1000)))
    write("form", "sound", b'multipart/form-data; boundary=xYz\n--xYz\r\nContent-Disposition: form-data; name="request"\r\n\r\n'
          b'{"operation":"transform","prompt":"a","strength":0.3}\r\n--xYz\r\nContent-Disposition: form-data; name="sound"; '
          b'filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n' + wave + b"\r\n--xYz--\r\n")
    write("form", "quoted", b'multipart/form-data; charset=x; Boundary="q"\n--q\r\ncontent-disposition: form-data; name=request\r\n\r\n{}\r\n--q--')
    write("prompts", "lines", "a dog\n\n  heavy rain \r\nb\n")


def evaluations():
    header = json.dumps({"judge": "VGGish", "judgeHash": "0", "protocolName": "fadtk", "width": 2, "count": 3, "files": 3}).encode()
    write("statistics", "two", b"ALDSTAT\n" + struct.pack("<II", 1, len(header)) + header + struct.pack("<5d", 1, 2, 3, 0.5, 4) + bytes(8))
    head = json.dumps({"path": "/a.wav", "modified": 1, "size": 2, "width": 2, "rows": 1, "classes": 1, "windows": 1, "isSilent": False}).encode()
    record = struct.pack("<II", len(head) + 12, len(head)) + head + struct.pack("<3f", 1, 2, 3) + bytes(8)
    write("journal", "records", record + record)
    write("manifest", "lines", '{"line":1,"status":"made","output":"a.wav","bytes":9,"record":' + RECORD + '}\n{"line":2,"status":"failed","error":"x"}\n{"li')
    key = json.dumps({
        "test": "t", "title": "T", "questions": ["OVL", "REL"], "loudness": -23, "headphonesNeeded": 1, "orders": 1, "seed": 3,
        "conditions": [{"name": "a", "kind": "system"}, {"name": "b", "kind": "reference"}], "clips": {
            "c1": {"role": "test", "condition": 0, "item": "x"}, "c2": {"role": "test", "condition": 1, "item": "x"},
            "c3": {"role": "trap", "expected": [3, 3]}, "c4": {"role": "headphones", "expected": [1, 1]},
            "c5": {"role": "test", "condition": 0, "item": "y"}, "c6": {"role": "test", "condition": 1, "item": "y"}}})
    rows = "test,rater,question,clip,rating,seconds\nt,r,OVL,c1,3,2.5\nt,r,OVL,c2,5,1\nt,r,OVL,c5,2,1\nt,r,OVL,c6,4,1\nt,r,HEADPHONES,c4,1,1\nt,\"s,\"\"\",OVL,c1,4,1\n"
    write("answers", "ratings", sections([("key", key), ("answers", rows)]))
    mushra = key.replace('"OVL", "REL"', '"MUSHRA"')
    write("answers", "mushra", sections([("key", mushra), ("answers", rows.replace("OVL", "MUSHRA"))]))


# MARK: Sounds

def wav(channels, rate, data, bits=16, code=1):
    width = bits // 8 * channels
    form = struct.pack("<HHIIHH", code, channels, rate, rate * width, width, bits)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data


def sounds():
    write("sound", "wav16", wav(1, 16000, struct.pack("<64h", *[(i % 16 - 8) * 3000 for i in range(64)])))
    write("sound", "wav-stereo", wav(2, 44100, bytes(64), 8))
    write("sound", "wav-float", wav(1, 48000, struct.pack("<16f", *[i / 16 for i in range(16)]), 32, 3))

    class Info(ctypes.Structure):
        _fields_ = [("frames", ctypes.c_int64)] + [(n, ctypes.c_int) for n in ["rate", "channels", "format", "sections", "seekable"]]

    library = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Info)]
    library.sf_write_short.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_short), ctypes.c_int64]
    library.sf_close.argtypes = [ctypes.c_void_p]
    formats = {
        "aiff": 0x020002, "au": 0x030002, "ulaw": 0x030010, "raw-w64": 0x0B0002, "caf": 0x180002, "flac": 0x170002, "ogg": 0x200060,
        "opus": 0x200064, "mp3": 0x230082, "ima": 0x010012, "ms-adpcm": 0x010013, "gsm": 0x010020, "nist": 0x070002, "voc": 0x080002,
        "mat5": 0x0D0006, "pvf": 0x0E0002, "htk": 0x100002, "sds": 0x110002, "avr": 0x120002, "wavex": 0x130002, "rf64": 0x220002,
        "paf": 0x050002, "svx": 0x060002, "ircam": 0x0A0002, "mpc2k": 0x210002, "alac": 0x180070}
    samples = (ctypes.c_short * 400)(*[int(8000 * ((i * 7) % 40 - 20) / 20) for i in range(400)])
    for name, code in formats.items():
        info = Info(rate=16000, channels=1, format=code)
        path = OUT / "sound" / f"seed-{name}"
        handle = library.sf_open(str(path).encode(), 0x20, ctypes.byref(info))
        if not handle:
            print(f"sound: libsndfile writes no {name} here")
            continue
        library.sf_write_short(handle, samples, 400)
        library.sf_close(handle)


packs()
torch_pickles()
tensors()
configurations()
tokenizers()
requests()
evaluations()
sounds()
