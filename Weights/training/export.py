"""Stage 17: all parts as one diffusers folder, float16, as published checkpoints are: what the converter reads.

    python3 export.py OUT [--data FOLDER] [--float32]

The LOA encoder and the magnitude network, which no diffusers pipeline holds, go to OUT/audiomae/ and OUT/magnitudes/ as the
converter knows them.
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import AudioLDM2Pipeline
from safetensors.torch import save_file
from transformers import RobertaTokenizer, T5Tokenizer

import models
from common import RATE, data_folder, parser
from mel import KALDI_DEVIATION, KALDI_MEAN


def pipeline(data: Path) -> AudioLDM2Pipeline:
    """The trained parts, float32."""
    folder = data / "tokenizers"
    return AudioLDM2Pipeline(
        vae=models.load(models.vae(), data, "vae"),
        text_encoder=models.load(models.clap(), data, "clap"),
        text_encoder_2=models.load(models.t5(), data, "t5"),
        language_model=models.load(models.gpt2(), data, "gpt2"),
        projection_model=models.load(models.projection(), data, "projection"),
        tokenizer=RobertaTokenizer.from_pretrained(folder / "tokenizer"),
        tokenizer_2=T5Tokenizer.from_pretrained(folder / "tokenizer_2"),
        feature_extractor=models.clap_features(),
        unet=models.trained_unet(data),
        scheduler=models.scheduler(),
        vocoder=models.load(models.vocoder(), data, "vocoder"),
    )


def audiomae_config(sizes: dict) -> dict:
    """The LOA encoder's sizes and its front end, by the names that the converter reads."""
    return {
        "sampling_rate": RATE,
        "num_mel_bins": sizes["mels"],
        "target_length": sizes["frames"],
        "feature_mean": KALDI_MEAN,
        "feature_std": KALDI_DEVIATION,
        "patch_size": sizes["patch"],
        "hidden_size": sizes["width"],
        "num_hidden_layers": sizes["depth"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": 4 * sizes["width"],
        "layer_norm_eps": 1e-6,
        "first_averaged_layer": sizes["depth"] - 3,
        "pool_time": 8,
        "pool_frequency": 8,
    }


CARD = """---
license: cc-by-sa-4.0
---

# A small AudioLDM 2 trained on free sounds

Made by Weights/training. These weights are licensed under Creative Commons Attribution-ShareAlike 4.0 International
(https://creativecommons.org/licenses/by-sa/4.0/legalcode); Weights/training/ATTRIBUTION.tsv names the author, source and
licence of every recording that they were trained on. Weights/MODEL_CARD.md says what they can do.
"""


def main():
    p = parser(__doc__)
    p.add_argument("out", type=Path)
    p.add_argument("--float32", action="store_true")
    args = p.parse_args()
    data = data_folder(args.data)
    dtype = torch.float32 if args.float32 else torch.float16
    whole = pipeline(data).to(dtype=dtype)
    whole.save_pretrained(args.out)
    for name in ("tokenizer", "tokenizer_2"):  # as trained: saving again may drop files that others read
        for path in (data / "tokenizers" / name).iterdir():
            shutil.copy(path, args.out / name)
    encoder = models.load(models.LOAEncoder(), data, "loa")
    folder = args.out / "audiomae"
    folder.mkdir(exist_ok=True)
    weights = {f"audiomae.model.{k}": v.to(dtype).contiguous() for k, v in encoder.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(audiomae_config(encoder.config), indent=2) + "\n")
    if (data / "parts/magnitudes.safetensors").exists():
        network = models.load(models.MagnitudeNetwork(), data, "magnitudes")
        folder = args.out / "magnitudes"
        folder.mkdir(exist_ok=True)
        save_file({k: v.to(dtype).contiguous() for k, v in network.state_dict().items()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(network.config, indent=2) + "\n")
    (args.out / "README.md").write_text(CARD)
    for name in ("generation_config.json", "vocabulary.json"):  # how its sounds are made, and the words that it knows
        kept = Path(__file__).resolve().parent.parent / "checkpoint" / name
        if not (args.out / name).exists():
            shutil.copy(kept, args.out / name)
    size = sum(f.stat().st_size for f in args.out.rglob("*") if f.is_file())
    print(f"{size / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
