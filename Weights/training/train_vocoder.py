"""Stage 10: HiFi-GAN.  First spectrogram losses alone (a fifth of the time), then adversarial training with the
discriminators of discriminators.py.  Half of the mels that it learns from went through the trained VAE when that is
there (--vae), since that is what it will be given.

    python3 train_vocoder.py [--data FOLDER] [--device cuda] [--minutes M] [--vae]
"""

import torch

import models
from common import Average, Run, setup, training_parser
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


def initialise(vocoder):
    """The class's own initialisation (std 0.01) starts in silence: use the fan-in scale."""
    for m in vocoder.modules():
        if isinstance(m, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
            fan = m.weight[0].numel() if isinstance(m, torch.nn.Conv1d) else m.weight[:, 0].numel() / m.stride[0]
            torch.nn.init.normal_(m.weight, std=0.7 * fan**-0.5)
            torch.nn.init.zeros_(m.bias)
    return vocoder


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
    p.add_argument("--vae", action="store_true", help="half of the mels through the trained VAE")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    vocoder = models.start(initialise(models.vocoder()), folder, "vocoder").to(device)
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
    )
    bank = SceneBank(folder, args.seed + run.step)
    batches = ahead(lambda: bank.batch(args.batch, args.seconds, anywhere=True, device=device))
    while not run.finished():
        wave, _ = next(batches)
        mel = log_mel(wave)
        if vae is not None:
            with torch.no_grad(), autocast():
                half = len(mel) // 2
                restored = vae(mel[:half, None], sample_posterior=True).sample[:, 0].float()
            mel = torch.cat([restored, mel[half:]])
        real, mel = crop(wave, mel, args.frames)
        with autocast():
            made = vocoder(mel)[:, : real.shape[1]]
        made = made.float()
        spectral = spectral_loss(made, real)
        mel_l1 = (log_mel(made) - log_mel(real)).abs().mean()
        loss, values = 4 * spectral + 10 * mel_l1, {"spectral": spectral, "mel_l1": mel_l1}
        run.set_rate(optimizer, judge_optimizer)
        if run.progress() >= args.warmup:
            with autocast():
                judged = discriminator_loss(judges(real), judges(made.detach()))
            judge_optimizer.zero_grad()
            judged.backward()
            judge_optimizer.step()
            judges.requires_grad_(False)
            with autocast():
                adversarial, matching = generator_losses(judges(real), judges(made))
            judges.requires_grad_(True)
            loss = loss + adversarial + 2 * matching
            values |= {"judged": judged, "adversarial": adversarial, "matching": matching}
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vocoder.parameters(), 10.0)
        optimizer.step()
        average.update(vocoder)
        run.advance(every=100, **values)
    run.save()
    average.apply(vocoder)
    models.save(vocoder, folder, "vocoder")


if __name__ == "__main__":
    main()
