"""Stage 15: the latent diffusion UNet on the bank.  Noise prediction with min-SNR weights; 10 % of the prompts are
dropped (an empty caption and, half of the time each, zeros or GPT-2's answer to it: both kinds of guidance then
work); the LOA is GPT-2's three times in four, the sound's own otherwise.

    python3 train_unet.py [--data FOLDER] [--device cuda] [--minutes M]
    python3 train_unet.py --size small --seconds 2.56 --batch 16      what a CPU can do in hours
"""

import torch

import models
from bank import captions_of
from common import Average, Run, setup, training_parser

DROP, TRUE_LOA, GAMMA = 0.10, 0.25, 5.0


class Examples:
    """Random batches from the bank, which lies where training runs: no copies per step."""

    def __init__(self, folder, device: torch.device, frames: int):
        bank = torch.load(folder / "bank/latents.pt", weights_only=True)
        self.table = {k: bank[k].to(device) for k in ("clap", "t5", "mask")}
        self.latents, self.true_loa = bank["latents"][:, :, :frames].to(device), bank["loa"].to(device)
        self.made_loa = torch.load(folder / "bank/generated.pt", weights_only=True).to(device)
        self.captions, self.empty, self.device = bank["captions"], len(bank["mask"]) - 1, device
        self.lengths, self.longest = bank["mask"].sum(1), bank["mask"].shape[1]

    def batch(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(latents (size, 8, frames / 4, 16), LOA, T5 states, their mask)."""
        rows = torch.randint(0, self.empty, (size,), device=self.device)
        scenes = rows // self.captions
        dropped, real, zeros = (torch.rand(size, device=self.device) < p for p in (DROP, TRUE_LOA, 0.5))
        rows = rows.masked_fill(dropped, self.empty)
        loa = torch.where((real & ~dropped)[:, None, None], self.true_loa[scenes], self.made_loa[rows]).float()
        loa = loa.masked_fill((dropped & zeros)[:, None, None], 0)
        # on a GPU one shape is faster than fewer tokens
        longest = int(self.lengths[rows].max()) if self.device.type == "cpu" else self.longest
        return self.latents[scenes].float(), loa, *captions_of(self.table, rows, longest)[1:]


def main():
    p = training_parser(__doc__, steps=60000, batch=96, rate=4e-4)
    p.add_argument("--size", choices=list(models.UNETS), default="full")
    p.add_argument("--seconds", type=float, default=10.24, help="train on the first so many seconds of the scenes ...")
    p.add_argument("--short", type=float, default=0, help="... every other batch, and on so many otherwise (0: half)")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    long = int(args.seconds * 25)
    short = int(args.short * 25) or long // 2
    examples = Examples(folder, device, long)
    model, noise_schedule = models.start(models.unet(args.size), folder, "unet").to(device), models.scheduler()
    alphas = noise_schedule.alphas_cumprod.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    average = Average(model, decay=0.9995)
    run = Run(folder, "unet", {"model": model, "optimizer": optimizer, "average": average}, args)
    torch.manual_seed(args.seed + run.step)
    model.train()
    while not run.finished():
        clean, loa, states, mask = examples.batch(args.batch)
        clean = clean[:, :, : short if run.step % 2 else long]
        noise = torch.randn_like(clean)
        steps = torch.randint(0, 1000, (args.batch,), device=device)
        signal = alphas[steps][:, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        with autocast():
            made = model(
                noisy,
                steps,
                encoder_hidden_states=loa,
                encoder_hidden_states_1=states,
                encoder_attention_mask_1=mask,
                return_dict=False,
            )[0]
        snr = alphas[steps] / (1 - alphas[steps])
        error = (made.float() - noise).square().mean((1, 2, 3))
        loss = (error * snr.clamp(max=GAMMA) / snr).mean()
        run.set_rate(optimizer, warmup=1000)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=100, loss=loss, error=error.mean())
    run.save()
    average.apply(model)
    models.save(model, folder, "unet")


if __name__ == "__main__":
    main()
