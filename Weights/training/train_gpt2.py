"""Stage 14: projection and GPT-2 learn to say the LOA of a caption.  Each step is run twice: with the true LOA as the
earlier inputs, and with its own first answers, which is what it will see when generating.  One caption in twenty is
empty and has the mean LOA (zeros) as its target, so that "no prompt" is a place of its own.

Its last act is to add the generated LOA of every caption (and of the empty one, last) to the bank: bank/generated.pt.

    python3 train_gpt2.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import torch

import models
from bank import captions_of
from common import Average, Run, setup, training_parser

COUNT = models.LOA_COUNT


def prompt(projection, clap: torch.Tensor, states: torch.Tensor, mask: torch.Tensor):
    """The projected prompt (n, p, LOA_DIM) and its mask, as the pipeline makes them."""
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


def generate(gpt2, projection, clap: torch.Tensor, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, 8, LOA_DIM): each step appends the last state as the next input."""
    embeds, mask = prompt(projection, clap, states, mask)
    made = embeds[:, :0]
    for _ in range(COUNT):
        made = torch.cat([made, answer(gpt2, embeds, mask, made)[:, -1:]], 1)
    return made


class Prompts:
    """Which captions make a batch.  GPT-2's positions count padding, and a prompt that stands alone has none: so every
    other batch is of captions of about the same length, the others are mixed."""

    def __init__(self, lengths: torch.Tensor):
        self.lengths, self.order = lengths, lengths.argsort()

    def batch(self, size: int, mixed: bool) -> torch.Tensor:
        count = len(self.lengths)
        if mixed:
            return torch.randint(0, count, (size,))
        middle = int(torch.randint(0, count, ()))
        window = self.order[max(0, middle - 2 * size) : middle + 2 * size]
        return window[torch.randint(0, len(window), (size,))]

    def same_length(self, limit: int = 512):
        """All captions in groups of one length each."""
        for length in self.lengths.unique():
            yield from (self.lengths == length).nonzero()[:, 0].split(limit)


def main():
    p = training_parser(__doc__, steps=20000, batch=128, rate=8e-4)
    args = p.parse_args()
    folder, device, autocast = setup(args)
    bank = torch.load(folder / "bank/latents.pt", weights_only=True)
    table = {k: bank[k].to(device) for k in ("clap", "t5", "mask")}
    loa, count, empty = bank["loa"].to(device), bank["captions"], len(bank["mask"]) - 1
    lengths = bank["mask"].sum(1)
    prompts = Prompts(lengths[:empty])
    model = torch.nn.ModuleDict({"gpt2": models.gpt2(), "projection": models.projection()}).to(device)
    for name in ("sos_embed", "eos_embed", "sos_embed_1", "eos_embed_1"):
        torch.nn.init.normal_(getattr(model["projection"], name), std=0.02)
    models.start(model["gpt2"], folder, "gpt2")
    models.start(model["projection"], folder, "projection")
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
    average = Average(model)
    run = Run(folder, "gpt2", {"model": model, "optimizer": optimizer, "average": average}, args)
    torch.manual_seed(args.seed + run.step)
    model.train()
    while not run.finished():
        rows = prompts.batch(args.batch, mixed=run.step % 2 == 0)
        longest = int(lengths[rows].max())
        rows = rows.to(device)
        target = loa[rows // count].float()
        dropped = torch.rand(args.batch, device=device) < 0.05
        rows, target = rows.masked_fill(dropped, empty), target.masked_fill(dropped[:, None, None], 0)
        with autocast():
            embeds, mask = prompt(model["projection"], *captions_of(table, rows, longest))
            told = answer(model["gpt2"], embeds, mask, target[:, :-1])
            free = answer(model["gpt2"], embeds, mask, told[:, :-1].detach())
        told, free = ((x.float() - target).square().mean() for x in (told, free))
        run.set_rate(optimizer)
        optimizer.zero_grad()
        (told + free).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=50, told=told, free=free)
    run.save()
    average.apply(model)
    model.eval()
    models.save(model["gpt2"], folder, "gpt2")
    models.save(model["projection"], folder, "projection")
    made = torch.empty(empty + 1, *loa.shape[1:], dtype=torch.half)
    typical = lengths[:empty].median()  # how far the empty caption is padded: to its prompt's length
    with torch.no_grad(), autocast():
        for rows in (*prompts.same_length(), torch.tensor([empty])):
            longest = int(typical if rows[0] == empty else lengths[rows[0]])
            table_rows = captions_of(table, rows.to(device), longest)
            made[rows] = generate(model["gpt2"], model["projection"], *table_rows).half().cpu()
    torch.save(made, folder / "bank/generated.pt")


if __name__ == "__main__":
    main()
