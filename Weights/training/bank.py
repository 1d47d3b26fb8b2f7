"""Stage 13: the scenes turned into what GPT-2 and the UNet learn from, once: bank/latents.pt holds for each scene its
VAE latents (already scaled), its LOA and several captions as CLAP vectors and T5 states (the last of them for the empty
caption).  Needs the trained VAE, LOA encoder, CLAP and T5.

    python3 bank.py [--data FOLDER] [--device cuda] [--scenes N] [--captions K] [--seconds S]
    python3 bank.py --captions-only       when CLAP or T5 has learned more: the sounds stay
"""

import random
import time

import numpy as np
import torch

import captions
import models
from common import data_folder, parser
from data import SCENE, SceneBank
from mel import HOP, kaldi_mel, log_mel


LONGEST = 40  # T5 tokens of a caption that training looks at: no caption here has more


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

    def table(self, lines: list[str], batch: int = 256) -> dict[str, torch.Tensor]:
        """All that training needs of captions: CLAP vectors (n, 1, CLAP_DIM), T5 states (n, longest, T5_DIM) and their
        mask (n, longest)."""
        clap, states, masks = [], [], []
        for start in range(0, len(lines), batch):
            part = lines[start : start + batch]
            clap.append(self.clap_vectors(part).half().cpu())
            made, mask = (x[:, :LONGEST].cpu() for x in self.t5_states(part))
            missing = LONGEST - mask.shape[1]
            states.append(torch.nn.functional.pad(made.half(), (0, 0, 0, missing)))
            masks.append(torch.nn.functional.pad(mask, (0, missing)))
        mask = torch.cat(masks)
        longest = int(mask.sum(1).max())
        return {"clap": torch.cat(clap), "t5": torch.cat(states)[:, :longest], "mask": mask[:, :longest]}


def captions_of(table: dict, rows: torch.Tensor, longest: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(CLAP vectors, T5 states, mask) of some rows of a table, padded or cut to `longest` tokens."""
    clap, states, mask = table["clap"][rows], table["t5"][rows, :longest], table["mask"][rows, :longest]
    return clap.float(), states.float(), mask


def told(scenes: list[dict], count: int) -> list[str]:
    """The captions in the bank, `count` for each scene: the same ones at every call. The odd ones are in the words of
    wordings.tsv, so that GPT-2 and the UNet read what people type too."""
    rng, words = random.Random(100), (None, captions.further())
    return [captions.describe(rng, s["facts"], words=words[k % 2]) for s in scenes for k in range(count)]


def main():
    p = parser(__doc__)
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--scenes", type=int, default=0, help="how many of them (0: all)")
    p.add_argument("--captions", type=int, default=4)
    p.add_argument("--seconds", type=float, default=SCENE, help="how much of each scene becomes latents")
    p.add_argument("--bf16", action="store_true", help="bf16 on the CPU too")
    p.add_argument("--captions-only", action="store_true", help="the captions of a bank anew, for new text parts")
    p.add_argument("--batch", type=int, default=32)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    data, device = data_folder(args.data), torch.device(args.device)
    if args.captions_only:
        made = torch.load(data / "bank/latents.pt", weights_only=True)
        scenes = SceneBank(data, 0).scenes[: len(made["latents"])]
        made |= Conditions(data, device).table([*told(scenes, args.captions), ""]) | {"captions": args.captions}
        torch.save(made, data / "bank/latents.pt")
        return
    vae = models.load(models.vae(), data, "vae").to(device)
    encoder = models.load(models.LOAEncoder(), data, "loa").to(device)
    bank, started = SceneBank(data, 0), time.monotonic()
    scenes = bank.scenes[: args.scenes or None]
    latents, loa = [], []
    bf16 = args.bf16 or device.type == "cuda"
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
        for start in range(0, len(scenes), args.batch):
            waves = bank.waves[start : min(start + args.batch, len(scenes))]
            wave = torch.from_numpy(waves.astype(np.float32) / 32768).to(device)
            # a little more than is kept: a sound that is cut has a click in its last frames, which would be learnt
            frames = int(args.seconds * models.LATENT_RATE)
            scale = models.VAE_SCALE
            mel = log_mel(wave[:, : (frames + 4) * scale * HOP])[:, : (frames + 2) * scale]
            posterior = vae.encode(mel[:, None]).latent_dist
            latents.append((posterior.sample()[:, :, :frames] * vae.config.scaling_factor).half().cpu())
            loa.append(encoder.loa(kaldi_mel(wave)).half().cpu())
            if start % (8 * args.batch) == 0:
                print(f"{start} scenes in {time.monotonic() - started:.0f} s", flush=True)
    table = Conditions(data, device).table([*told(scenes, args.captions), ""])
    made = {"latents": torch.cat(latents), "loa": torch.cat(loa), "captions": args.captions, **table}
    torch.save(made, data / "bank/latents.pt")
    print(f"{len(scenes)} scenes in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
