"""Stage 15: the latent diffusion UNet on the bank.  v-prediction, every noise level weighted by how hard it is; 10 % of
the prompts are dropped (an empty caption and, half of the time each, zeros or GPT-2's answer to it: both kinds of
guidance then work); the LOA is GPT-2's three times in four, the sound's own otherwise.

Latents of mels are redundant: what the prompt decides lies at the noisiest levels, where noise prediction cannot say it (a
thousandth of its target) and where the schedule hardly goes.  Hence v, and models.SHRINK.

    python3 train_unet.py [--data FOLDER] [--device cuda] [--minutes M]
    python3 train_unet.py --size small --seconds 5.12 --short 5.12 --batch 32 --bf16      what a CPU can do in hours
"""

import contextlib

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import models
from bank import captions_of
from common import Average, Run, Team, in_team, setup, training_parser

DROP, TRUE_LOA = 0.10, 0.25
DEAF, BLUR = 0.12, 0.3  # words of a caption that are not heard; noise on the others, in deviations: for other wordings


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
        """(latents (size, 16, frames / 8, 8), LOA, T5 states, their mask)."""
        rows = torch.randint(0, self.empty, (size,), device=self.device)
        scenes = rows // self.captions
        dropped, real, zeros = (torch.rand(size, device=self.device) < p for p in (DROP, TRUE_LOA, 0.5))
        rows = rows.masked_fill(dropped, self.empty)
        loa = torch.where((real & ~dropped)[:, None, None], self.true_loa[scenes], self.made_loa[rows]).float()
        loa = loa.masked_fill((dropped & zeros)[:, None, None], 0)
        # on a GPU one shape is faster than fewer tokens
        longest = int(self.lengths[rows].max()) if self.device.type == "cpu" else self.longest
        _, states, mask = captions_of(self.table, rows, longest)
        states = states + BLUR * states.std() * torch.randn_like(states)
        heard = torch.rand(mask.shape, device=self.device) >= DEAF
        heard[:, 0] = True
        return self.latents[scenes].float(), loa, states, mask * heard


class Levels:
    """How hard each noise level is: the running mean of its error.  Every level counts by its error relative to that: what
    the prompt decides, at the noisiest levels, would be lost beside the rest."""

    def __init__(self, device: torch.device, bins: int = 50):
        self.means, self.counts = torch.ones(bins, device=device), torch.zeros(bins, device=device)
        self.width = 1000 // bins

    def relative(self, error: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """Each example's error (n), relative to its level's."""
        bins, found = steps // self.width, error.detach()
        for level in bins.unique():
            mean, known = found[bins == level].mean(), self.counts[level] > 0
            self.means[level] = self.means[level].lerp(mean, 0.05) if known else mean
            self.counts[level] += 1
        return error / self.means[bins]


def main():
    p = training_parser(__doc__, steps=60000, batch=96, rate=4e-4)
    p.add_argument("--size", choices=list(models.UNETS), default="full")
    p.add_argument("--seconds", type=float, default=10.24, help="every other batch: the first so many seconds of scenes")
    p.add_argument("--short", type=float, default=0, help="the other batches: the first so many (0: half of it)")
    p.add_argument("--workers", type=int, default=1, help="on a CPU: processes of --threads each that share the work")
    args = p.parse_args()
    in_team(args.workers, train, args)


def train(team: Team, args):
    folder, device, autocast = setup(args)
    long = int(args.seconds * models.LATENT_RATE)
    short = int(args.short * models.LATENT_RATE) or long // 2
    examples = Examples(folder, device, long)
    model, noise_schedule = models.start(models.unet(args.size), folder, "unet").to(device), models.scheduler()
    alphas = noise_schedule.alphas_cumprod.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    average = Average(model, decay=0.998)
    levels = Levels(device)
    run = Run(folder, "unet", {"model": model, "optimizer": optimizer, "average": average}, args, team)
    torch.manual_seed(args.seed + args.workers * run.step + team.rank)
    model.train()
    while not run.finished():
        # a CPU's time goes by the frame: half as many of the long ones
        few = run.step % 2 == 0 and device.type == "cpu"
        frames = short if run.step % 2 else long
        clean, loa, states, mask = examples.batch(max(1, args.batch * short // long) if few else args.batch)
        clean = clean[:, :, :frames]
        noise = torch.randn_like(clean)
        steps = torch.randint(0, 1000, (len(clean),), device=device)
        signal = alphas[steps][:, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        target = signal.sqrt() * noise - (1 - signal).sqrt() * clean
        with autocast(), attention(device):
            made = velocity(model, noisy, steps, loa, states, mask)
        error = (made.float() - target).square().mean((1, 2, 3))
        loss = levels.relative(error, steps).mean()
        run.set_rate(optimizer, warmup=1000)
        optimizer.zero_grad()
        loss.backward()
        team.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        run.advance(every=100, loss=loss, error=error.mean())
    run.save()
    if team.rank == 0:
        average.apply(model)
        models.save(model, folder, "unet")


def velocity(model, noisy: torch.Tensor, steps: torch.Tensor, loa: torch.Tensor, states: torch.Tensor, mask: torch.Tensor):
    """What the UNet makes of noisy latents under a prompt."""
    return model(
        noisy,
        steps,
        encoder_hidden_states=loa,
        encoder_hidden_states_1=states,
        encoder_attention_mask_1=mask,
        return_dict=False,
    )[0]


def attention(device: torch.device):
    """On a CPU the flash kernel's backward pass is slower than plain products at these few places: 27 % of a step."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else contextlib.nullcontext()


if __name__ == "__main__":
    main()
