"""Stage 10: HiFi-GAN.  First spectrogram losses alone (a fifth of the time), then adversarial training with the
discriminators of discriminators.py.  A quarter of the mels that it learns from went through the trained VAE when that is
there (--vae), since that is what it will be given.

    python3 train_vocoder.py [--data FOLDER] [--device cuda] [--minutes M] [--vae]
"""

import torch
from torch.nn.utils import parametrize

import models
from common import Average, Run, Team, in_team, setup, training_parser
from data import SceneBank, ahead
from discriminators import Discriminators, discriminator_loss, generator_losses
from mel import HOP, log_mel

RESOLUTIONS = (256, 512, 1024, 2048)


def spectral_loss(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Spectral convergence and log-magnitude distance at several STFT resolutions."""
    total = 0.0
    for fft in RESOLUTIONS:
        window = torch.hann_window(fft, device=made.device)
        a, b = (
            torch.stft(x.float(), fft, fft // 4, window=window, return_complex=True).abs().clamp(min=1e-5)
            for x in (made, real)
        )
        total = total + (a - b).norm() / b.norm().clamp(min=1e-3) + (a.log() - b.log()).abs().mean()
    return total / len(RESOLUTIONS)


def initialise(vocoder, mels: torch.Tensor):
    """The class's own initialisation (std 0.01) starts in silence: use the fan-in scale.  And the first layer takes the
    mels (n, frames, 64) off their mean, -5 or so, and by their spread: else what differs from frame to frame, the only
    thing that can make noise of it, would be lost beside what is always there."""
    for m in vocoder.modules():
        if isinstance(m, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
            fan = m.weight[0].numel() if isinstance(m, torch.nn.Conv1d) else m.weight[:, 0].numel() / m.stride[0]
            torch.nn.init.normal_(m.weight, std=0.7 * fan**-0.5)
            torch.nn.init.zeros_(m.bias)
    heard = mels[mels.mean(2) > -9]
    first = vocoder.conv_pre
    with torch.no_grad():
        first.weight /= heard.std(0)[None, :, None]
        first.bias.copy_(-(first.weight.sum(2) @ heard.mean(0)))
    return vocoder


def with_exact_end(vocoder, stages: int = 2):
    """The last stages in float32 whatever the autocast context: bf16's rounding would be noise in the quiet bands, and
    with so few channels bf16 is no faster."""
    first, kernels = len(vocoder.upsampler) - stages, vocoder.num_kernels

    def exact(forward):
        def run(x):
            with torch.autocast(x.device.type, enabled=False):
                return forward(x.float())

        return run

    for module in (*vocoder.upsampler[first:], *vocoder.resblocks[first * kernels :], vocoder.conv_post):
        module.forward = exact(module.forward)
    return vocoder


class Centred:
    """The vocoder on mels without their mean, in units of their spread, while it learns: a step then moves what differs
    from frame to frame as easily as what is always there.  `settle` folds both into the first layer, which makes it the
    published class again: the function stays the same, its edges, which are of zeros, included."""

    def __init__(self, vocoder, mels: torch.Tensor):
        heard = mels[mels.mean(2) > -9]
        self.vocoder, self.mean, self.spread = vocoder, heard.mean(0), heard.std(0)
        first = vocoder.conv_pre
        self.edge, first.padding = first.padding[0], (0,)
        with torch.no_grad():
            first.bias += first.weight.sum(2) @ self.mean
            first.weight *= self.spread[None, :, None]

    def __call__(self, mel: torch.Tensor) -> torch.Tensor:
        mel = torch.nn.functional.pad(mel, (0, 0, self.edge, self.edge))
        return self.vocoder((mel - self.mean) / self.spread)

    @torch.no_grad()
    def settle(self):
        first = self.vocoder.conv_pre
        first.weight /= self.spread[None, :, None]
        first.bias -= first.weight.sum(2) @ self.mean
        first.padding = (self.edge,)


def crop(wave: torch.Tensor, mel: torch.Tensor, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The loudest of four random places in each clip, so that silence is not most of what is learnt."""
    level = torch.nn.functional.avg_pool1d(mel.mean(2)[:, None], frames, 1)[:, 0]
    picks = torch.randint(0, level.shape[1], (len(mel), 4), device=mel.device)
    start = picks.gather(1, level.gather(1, picks).argmax(1, keepdim=True))
    samples = HOP * start + torch.arange(frames * HOP, device=mel.device)
    rows = start + torch.arange(frames, device=mel.device)
    return wave.gather(1, samples), mel.gather(1, rows[..., None].expand(-1, -1, mel.shape[2]))


def main():
    p = training_parser(__doc__, steps=150000, batch=16, rate=4e-4)
    p.add_argument("--frames", type=int, default=64, help="mel frames of a training crop (10 ms each)")
    p.add_argument("--seconds", type=float, default=2.56, help="what the crops are chosen from")
    p.add_argument("--warmup", type=float, default=0.2, help="part of the training that is without discriminators")
    p.add_argument("--vae", action="store_true", help="a quarter of the mels through the trained VAE")
    p.add_argument("--workers", type=int, default=1, help="on a CPU: processes of --threads each that share the work")
    args = p.parse_args()
    in_team(args.workers, train, args)


def train(team: Team, args):
    folder, device, autocast = setup(args)
    bank = SceneBank(folder, args.seed)
    mels = log_mel(bank.batch(64, args.seconds, anywhere=True)[0])
    vocoder = models.start(initialise(models.vocoder(), mels), folder, "vocoder")
    speak = Centred(vocoder.to(device), mels.to(device))
    vocoder.apply_weight_norm()
    vocoder = with_exact_end(vocoder)
    judges = Discriminators().to(device)
    vae = models.load(models.vae(), folder, "vae").to(device) if args.vae else None
    settings = dict(lr=args.rate, betas=(0.8, 0.99), weight_decay=1e-3, fused=True)
    optimizer, judge_optimizer = (torch.optim.AdamW(x.parameters(), **settings) for x in (vocoder, judges))
    average = Average(vocoder)
    run = Run(
        folder,
        "vocoder",
        dict(model=vocoder, judges=judges, optimizer=optimizer, judge_optimizer=judge_optimizer, average=average),
        args,
        team,
    )
    torch.manual_seed(args.seed + args.workers * run.step + team.rank)
    bank = SceneBank(folder, args.seed + args.workers * run.step + team.rank)
    batches = ahead(lambda: bank.batch(args.batch, args.seconds, anywhere=True, device=device))
    while not run.finished():
        wave, _ = next(batches)
        mel = log_mel(wave)
        if vae is not None:
            with torch.no_grad(), autocast():  # whole clips: its norms and edges are then as when sounds are made
                few = len(mel) // 4
                restored = vae(mel[:few, None], sample_posterior=True).sample[:, 0].float()
            mel = torch.cat([restored, mel[few:]])
        real, mel = crop(wave, mel, args.frames)
        with autocast():
            made = speak(mel)[:, : real.shape[1]]
        made = made.float()
        spectral = spectral_loss(made, real)
        mel_l1 = (log_mel(made) - log_mel(real)).abs().mean()
        loss, values = 4 * spectral + 10 * mel_l1, {"spectral": spectral, "mel_l1": mel_l1}
        run.set_rate(optimizer, judge_optimizer)
        if run.progress() >= args.warmup:
            if run.step % 2 == 0:  # half as often: they learn faster than the vocoder
                with autocast():
                    judged = discriminator_loss(judges(real), judges(made.detach()))
                judge_optimizer.zero_grad()
                judged.backward()
                team.average_gradients(judges)
                judge_optimizer.step()
            judges.requires_grad_(False)
            with autocast():
                adversarial, matching = generator_losses(judges(real), judges(made))
            judges.requires_grad_(True)
            loss = loss + adversarial + 2 * matching
            values |= {"adversarial": adversarial, "matching": matching}
        optimizer.zero_grad()
        loss.backward()
        team.average_gradients(vocoder)
        torch.nn.utils.clip_grad_norm_(vocoder.parameters(), 10.0)
        optimizer.step()
        average.update(vocoder)
        run.advance(every=100, **values)
    run.save()
    if team.rank:
        return
    average.apply(vocoder)
    for module in vocoder.modules():  # the class's own way knows only PyTorch's older weight norm
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
    speak.settle()
    models.save(vocoder, folder, "vocoder")


if __name__ == "__main__":
    main()
