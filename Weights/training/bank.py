"""Stage 13: the scenes turned into what GPT-2 and the UNet learn from, once: bank/latents.pt holds for each scene its
VAE latents (already scaled), its LOA and several captions.  Needs the trained VAE and LOA encoder.

    python3 bank.py [--data FOLDER] [--device cuda] [--scenes N] [--captions K]
"""

import random
import time

import numpy as np
import torch

import captions
import models
from common import data_folder, parser
from data import SceneBank
from mel import kaldi_mel, log_mel


class Conditions:
    """Captions to what conditions GPT-2 and the UNet, as the pipeline makes it."""

    def __init__(self, data, device):
        from transformers import RobertaTokenizer, T5Tokenizer

        self.device = device
        self.clap_tokenizer = RobertaTokenizer.from_pretrained(data / "tokenizers/tokenizer")
        self.t5_tokenizer = T5Tokenizer.from_pretrained(data / "tokenizers/tokenizer_2")
        self.clap = models.load(models.clap(), data, "clap").to(device)
        self.t5 = models.load(models.t5(), data, "t5").to(device)

    @torch.no_grad()
    def clap_vectors(self, lines: list[str]) -> torch.Tensor:
        """(n, 1, CLAP_DIM)."""
        ids = self.clap_tokenizer(lines, padding=True, truncation=True, max_length=128, return_tensors="pt")
        return self.clap.get_text_features(**ids.to(self.device)).pooler_output[:, None]

    @torch.no_grad()
    def t5_states(self, lines: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """States (n, t, T5_DIM) and their mask (n, t), padded to the longest."""
        ids = self.t5_tokenizer(lines, padding=True, truncation=True, max_length=128, return_tensors="pt")
        return self.t5(**ids.to(self.device)).last_hidden_state, ids.attention_mask.to(self.device)


def main():
    p = parser(__doc__)
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--scenes", type=int, default=0, help="how many of them (0: all)")
    p.add_argument("--captions", type=int, default=4)
    p.add_argument("--batch", type=int, default=32)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    data, device = data_folder(args.data), torch.device(args.device)
    vae = models.load(models.vae(), data, "vae").to(device)
    encoder = models.load(models.LOAEncoder(), data, "loa").to(device)
    bank, rng, started = SceneBank(data, 0), random.Random(100), time.monotonic()
    scenes = bank.scenes[: args.scenes or None]
    latents, loa = [], []
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        for start in range(0, len(scenes), args.batch):
            waves = bank.waves[start : min(start + args.batch, len(scenes))]
            wave = torch.from_numpy(waves.astype(np.float32) / 32768).to(device)
            posterior = vae.encode(log_mel(wave)[:, None]).latent_dist
            latents.append((posterior.sample() * vae.config.scaling_factor).half().cpu())
            loa.append(encoder.loa(kaldi_mel(wave)).half().cpu())
    lines = [[captions.describe(rng, s["facts"]) for _ in range(args.captions)] for s in scenes]
    torch.save({"latents": torch.cat(latents), "loa": torch.cat(loa), "captions": lines}, data / "bank/latents.pt")
    print(f"{len(lines)} scenes in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
