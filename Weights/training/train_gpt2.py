"""Stage 14: projection and GPT-2 learn to say the LOA of a caption.  Each step is run twice: with the true LOA as the
earlier inputs, and with its own first answers, which is what it will see when generating.  One caption in twenty is
empty and has the mean LOA (zeros) as its target, so that "no prompt" is a place of its own.

Its last act is to add the generated LOA of every caption to the bank (bank/generated.pt).

    python3 train_gpt2.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import random

import torch

import models
from bank import Conditions
from common import Average, Run, setup, training_parser

COUNT = models.LOA_COUNT


def prompt(projection, conditions: Conditions, lines: list[str]):
    """The projected prompt (n, p, LOA_DIM) and its mask, as the pipeline makes them."""
    clap, (states, mask) = conditions.clap_vectors(lines), conditions.t5_states(lines)
    out = projection(
        hidden_states=clap, hidden_states_1=states, attention_mask=mask.new_ones(len(mask), 1), attention_mask_1=mask
    )
    return out.hidden_states, out.attention_mask


def answer(gpt2, embeds: torch.Tensor, mask: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
    """What follows the prompt and then each of `previous` (n, k, LOA_DIM): (n, k + 1, LOA_DIM)."""
    inputs = torch.cat([embeds, previous], 1)
    mask = torch.cat([mask, mask.new_ones(previous.shape[:2])], 1)
    states = gpt2.transformer(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
    return states[:, embeds.shape[1] - 1 :]


@torch.no_grad()
def generate(gpt2, projection, conditions, lines: list[str]) -> torch.Tensor:
    """(n, 8, LOA_DIM): each step appends the last state as the next input."""
    embeds, mask = prompt(projection, conditions, lines)
    made = embeds[:, :0]
    for _ in range(COUNT):
        made = torch.cat([made, answer(gpt2, embeds, mask, made)[:, -1:]], 1)
    return made


def main():
    p = training_parser(__doc__, steps=20000, batch=128, rate=8e-4)
    args = p.parse_args()
    folder, device, autocast = setup(args)
    bank = torch.load(folder / "bank/latents.pt", weights_only=True)
    loa, lines, conditions = bank["loa"], bank["captions"], Conditions(folder, device)
    model = torch.nn.ModuleDict({"gpt2": models.gpt2(), "projection": models.projection()}).to(device)
    for name in ("sos_embed", "eos_embed", "sos_embed_1", "eos_embed_1"):
        torch.nn.init.normal_(getattr(model["projection"], name), std=0.02)
    models.start(model["gpt2"], folder, "gpt2")
    models.start(model["projection"], folder, "projection")
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.02)
    average = Average(model)
    run = Run(folder, "gpt2", {"model": model, "optimizer": optimizer, "average": average}, args)
    rng = random.Random(args.seed + run.step)
    model.train()
    while not run.finished():
        picks = rng.choices(range(len(lines)), k=args.batch)
        empty = [rng.random() < 0.05 for _ in picks]
        target = loa[picks].float().to(device)
        target[torch.tensor(empty)] = 0
        with autocast():
            said = ["" if e else rng.choice(lines[i]) for i, e in zip(picks, empty)]
            embeds, mask = prompt(model["projection"], conditions, said)
            told = answer(model["gpt2"], embeds, mask, target[:, :-1])
            free = answer(model["gpt2"], embeds, mask, told[:, :-1].detach())
        told, free = ((x.float() - target).square().mean() for x in (told, free))
        run.set_rate(optimizer)
        optimizer.zero_grad()
        (told + free).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=100, told=told, free=free)
    run.save()
    average.apply(model)
    model.eval()
    models.save(model["gpt2"], folder, "gpt2")
    models.save(model["projection"], folder, "projection")
    flat = [c for scene in lines for c in scene]
    with autocast():
        made = [
            generate(model["gpt2"], model["projection"], conditions, flat[i : i + 512]).half().cpu()
            for i in range(0, len(flat), 512)
        ]
        nothing = generate(model["gpt2"], model["projection"], conditions, [""])[0].half().cpu()
    torch.save({"loa": torch.cat(made).unflatten(0, (len(lines), -1)), "empty": nothing}, folder / "bank/generated.pt")


if __name__ == "__main__":
    main()
