"""The trained parts as a few float16 files of limited size, to be kept or carried, and back.

    python3 parts.py pack FOLDER [--data FOLDER] [--only vae,t5] [--limit 15]     writes FOLDER/parts.0.safetensors …
    python3 parts.py unpack FOLDER [--data FOLDER]                                fills DATA/parts from them, or from
                                                                                  the checkpoint that export.py made

The tokenizers, without which the text parts mean nothing, go along (a training of new ones would not give the same).

A tensor's name is PART/KEY; what training found for a part's config, and the judge's class names, are in the metadata.
"""

import json
import shutil
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

import models
from common import data_folder, parser


def pack(source: Path, target: Path, only: set[str], limit: float):
    """Tensors in order of their names, cut into files of at most `limit` megabytes."""
    files, size = [{}], 0
    notes = {p.name: p.read_text() for p in sorted(source.glob("*.json"))}
    for path in sorted(source.glob("*.safetensors")):
        if only and path.stem not in only:
            continue
        for key, value in sorted(load_file(path).items()):
            value = value.half() if value.is_floating_point() else value
            if size + value.nbytes > 1e6 * limit:
                files.append({})
                size = 0
            files[-1][f"{path.stem}/{key}"] = value.contiguous()
            size += value.nbytes
    target.mkdir(parents=True, exist_ok=True)
    for i, tensors in enumerate(files):
        save_file(tensors, target / f"parts.{i}.safetensors", metadata={"notes": json.dumps(notes)})
    print(f"{len(files)} files in {target}")


def unpack(source: Path, target: Path):
    """DATA/parts as float32, one file for each part."""
    parts: dict[str, dict] = {}
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("parts.*.safetensors")):
        with safe_open(path, "pt") as file:
            notes = json.loads(file.metadata()["notes"])
            for name in file.keys():
                part, key = name.split("/", 1)
                value = file.get_tensor(name)
                parts.setdefault(part, {})[key] = value.float() if value.is_floating_point() else value
    for part, tensors in parts.items():
        save_file(tensors, target / f"{part}.safetensors")
    for name, text in notes.items():
        if name.split(".")[0] in parts:
            (target / name).write_text(text)
    print(f"{', '.join(sorted(parts))} in {target}")


def unpack_checkpoint(source: Path, data: Path):
    """DATA/parts and DATA/tokenizers from a diffusers folder."""
    import torch
    from diffusers import AudioLDM2Pipeline

    pipe = AudioLDM2Pipeline.from_pretrained(source, torch_dtype=torch.float32)
    models.save(pipe.vae, data, "vae", scaling_factor=pipe.vae.config.scaling_factor)
    names = {"text_encoder": "clap", "text_encoder_2": "t5", "language_model": "gpt2", "projection_model": "projection"}
    for component, part in (names | {"unet": "unet", "vocoder": "vocoder"}).items():
        models.save(getattr(pipe, component), data, part)
    encoder = load_file(source / "audiomae/model.safetensors")
    prefix = "audiomae.model."
    save_file({k.removeprefix(prefix): v.float() for k, v in encoder.items()}, data / "parts/loa.safetensors")
    if (source / "magnitudes").exists():
        network = load_file(source / "magnitudes/model.safetensors")
        save_file({k: v.float() for k, v in network.items()}, data / "parts/magnitudes.safetensors")
    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(source / name, data / "tokenizers" / name, dirs_exist_ok=True)


def copy_tokenizers(source: Path, target: Path):
    if (source / "tokenizers").exists():
        shutil.copytree(source / "tokenizers", target / "tokenizers", dirs_exist_ok=True)


def main():
    p = parser(__doc__)
    p.add_argument("command", choices=["pack", "unpack"])
    p.add_argument("folder", type=Path)
    p.add_argument("--only", default="")
    p.add_argument("--limit", type=float, default=15)
    args = p.parse_args()
    data = data_folder(args.data)
    if args.command == "pack":
        pack(data / "parts", args.folder, set(filter(None, args.only.split(","))), args.limit)
        copy_tokenizers(data, args.folder)
    elif (args.folder / "model_index.json").exists():
        unpack_checkpoint(args.folder, data)
    else:
        unpack(args.folder, data / "parts")
        copy_tokenizers(args.folder, data)


if __name__ == "__main__":
    main()
