"""Stage 12: CLAP, contrastive: captions against sounds.  Two scenes of the same classes in one batch are not counted
as each other's negatives.

    python3 train_clap.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import random

import torch
from transformers import RobertaTokenizer

import captions
import models
from common import Average, Run, setup, training_parser
from data import SceneBank, ahead
from mel import clap_mel


def contrastive(text: torch.Tensor, audio: torch.Tensor, scale: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Symmetric cross-entropy over the batch; `same` (batch, batch) marks pairs that are left out of the negatives."""
    logits = scale.exp().clamp(max=100) * text @ audio.T
    logits = logits.masked_fill(same & ~torch.eye(len(text), dtype=torch.bool, device=text.device), -1e4)
    target = torch.arange(len(text), device=text.device)
    cross = torch.nn.functional.cross_entropy
    return (cross(logits, target) + cross(logits.T, target)) / 2


def main():
    p = training_parser(__doc__, steps=20000, batch=96, rate=8e-4)
    args = p.parse_args()
    folder, device, autocast = setup(args)
    tokenizer = RobertaTokenizer.from_pretrained(folder / "tokenizers/tokenizer")
    model = models.start(models.clap(), folder, "clap").to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    average = Average(model)
    run = Run(folder, "clap", {"model": model, "optimizer": optimizer, "average": average}, args)
    bank = SceneBank(folder, args.seed + run.step)
    rng = random.Random(args.seed + run.step)

    def pairs():
        """Sounds, tokens of their captions, and which of them have the same classes."""
        wave, scenes = bank.batch(args.batch, device=device)
        lines = [captions.describe(rng, s["facts"]) for s in scenes]
        ids = tokenizer(lines, padding=True, truncation=True, max_length=128, return_tensors="pt").to(device)
        names = [frozenset(s["labels"]) for s in scenes]
        return wave, ids, torch.tensor([[a == b for b in names] for a in names], device=device)

    batches = ahead(pairs)
    model.train()
    while not run.finished():
        wave, ids, same = next(batches)
        features = clap_mel(wave)
        with autocast():
            text = model.get_text_features(**ids).pooler_output
            audio = model.get_audio_features(input_features=features).pooler_output
        loss = contrastive(text.float(), audio.float(), model.logit_scale_t, same)
        run.set_rate(optimizer)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=25, loss=loss)
    run.save()
    average.apply(model)
    models.save(model, folder, "clap")


if __name__ == "__main__":
    main()
