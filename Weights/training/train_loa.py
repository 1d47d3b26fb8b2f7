"""Stage 11: the LOA encoder, AudioMAE-style: 80 % of the patches of the 128-mel picture are hidden, the encoder sees
the others, a small decoder (dropped afterwards) restores some of the hidden ones (all would cost three times as much).

Its last act is to fold the LOA's mean and spread over the data into the final norm, so that the LOA that GPT-2 has to
produce has mean 0 and variance 1 in every channel.

    python3 train_loa.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import torch

import models
from common import Average, Run, setup, training_parser
from data import SceneBank, ahead
from mel import kaldi_mel

PATCH = 16


class MaskedAutoencoder(torch.nn.Module):
    """The encoder on visible patches and two blocks that restore `asked` of the hidden ones (drawn anew for each
    example); the loss is on those, normalised each."""

    def __init__(self, hidden: float, asked: int):
        super().__init__()
        self.hidden, self.asked, self.encoder = hidden, asked, models.LOAEncoder()
        width = self.encoder.config["width"]
        self.mask_token = torch.nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.positions = torch.nn.Parameter(0.02 * torch.randn(1, self.encoder.pos_embed.shape[1] - 1, width))
        self.blocks = torch.nn.ModuleList([models.Block(width, 4) for _ in range(2)])
        self.head = torch.nn.Sequential(torch.nn.LayerNorm(width), torch.nn.Linear(width, PATCH * PATCH))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        tokens = self.encoder.tokens(pictures)
        batch, count, width = tokens.shape
        order = torch.rand(batch, count, device=tokens.device).argsort(1)
        shown = int(count * (1 - self.hidden))
        seen, asked = order[:, :shown], order[:, shown : shown + self.asked]

        def pick(rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
            return rows.gather(1, places[..., None].expand(-1, -1, rows.shape[2]))

        states = self.encoder(pick(tokens, seen))[:, 1:]
        positions = self.positions.expand(batch, -1, -1)
        full = torch.cat([states + pick(positions, seen), self.mask_token + pick(positions, asked)], 1)
        for block in self.blocks:
            full = block(full)
        restored = self.head(full[:, shown:]).float()
        target = pick(pictures.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH).flatten(4).flatten(1, 3), asked)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-3).sqrt()
        return ((restored - target) ** 2).mean()


@torch.no_grad()
def standardise(encoder, bank: SceneBank, device, count: int = 8):
    """Scale and shift the final norm so that the LOA is standardised: averaging and maxima commute with a positive
    scale."""
    encoder.eval()
    loa = torch.cat([encoder.loa(kaldi_mel(bank.batch(64)[0].to(device))) for _ in range(count)]).flatten(0, 1)
    mean, spread = loa.mean(0), loa.std(0).clamp(min=1e-3)
    encoder.norm.weight.div_(spread)
    encoder.norm.bias.sub_(mean).div_(spread)


def main():
    p = training_parser(__doc__, steps=30000, batch=64, rate=1e-3)
    p.add_argument("--asked", type=int, default=128, help="hidden patches restored of each example")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    model = MaskedAutoencoder(0.8, args.asked).to(device)
    models.start(model.encoder, folder, "loa")
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    average = Average(model)
    run = Run(folder, "loa", {"model": model, "optimizer": optimizer, "average": average}, args)
    bank = SceneBank(folder, args.seed + run.step)
    batches = ahead(lambda: bank.batch(args.batch, device=device))
    while not run.finished():
        pictures = kaldi_mel(next(batches)[0])
        with autocast():
            loss = model(pictures)
        run.set_rate(optimizer)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=50, loss=loss)
    run.save()
    average.apply(model)
    standardise(model.encoder, bank, device)
    models.save(model.encoder, folder, "loa")


if __name__ == "__main__":
    main()
