"""Stage 11: the magnitudes of a spectrogram from its mels, for Griffin-Lim: what 64 bands leave open between harmonics and in
noise, a small network says better than the smoothest answer does.  It corrects that answer (models.inverted, what the
runtime's MelInversion computes) in logarithms; the phases are searched for as before.

A quarter of the mels went through the trained VAE, since that is what it will be given.

    python3 train_magnitudes.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import torch

import models
from common import Average, Run, setup, training_parser
from data import SceneBank, ahead
from mel import FLOOR, log_mel, magnitudes


def losses(made: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The distance of logarithms, and spectral convergence of each clip: the second hears what is loud."""
    logarithms = (made.clamp(min=FLOOR).log() - real.clamp(min=FLOOR).log()).abs().mean()
    error = (made - real).square().sum((1, 2))
    return logarithms, (error / (real.square().sum((1, 2)) + 1e-3)).sqrt().mean()


def main():
    p = training_parser(__doc__, steps=30000, batch=16, rate=1.5e-3)
    p.add_argument("--seconds", type=float, default=1.28, help="of each clip")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    network = models.start(models.MagnitudeNetwork(), folder, "magnitudes").to(device)
    vae = models.load(models.vae(), folder, "vae").to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    average = Average(network)
    run = Run(folder, "magnitudes", {"model": network, "optimizer": optimizer, "average": average}, args)
    torch.manual_seed(args.seed + run.step)
    bank = SceneBank(folder, args.seed + run.step)
    batches = ahead(lambda: bank.batch(args.batch, args.seconds, anywhere=True, device=device))
    while not run.finished():
        wave, _ = next(batches)
        wave = wave * 10 ** torch.empty(len(wave), 1, device=device).uniform_(-1.2, 0.2)
        mel, few = log_mel(wave), len(wave) // 4
        with torch.no_grad(), autocast():
            restored = vae(mel[:few, None], sample_posterior=True).sample[:, 0].float()
            mel = torch.cat([restored[:, : mel.shape[1]], mel[few:]])
            smooth = models.inverted(mel)
        with autocast():
            correction = network(mel).float()
        logarithms, convergence = losses(smooth * correction.exp(), magnitudes(wave).transpose(1, 2)[:, : mel.shape[1]])
        run.set_rate(optimizer)
        optimizer.zero_grad()
        (logarithms + convergence).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update(network)
        run.advance(every=100, logarithms=logarithms, convergence=convergence)
    run.save()
    average.apply(network)
    models.save(network, folder, "magnitudes")


if __name__ == "__main__":
    main()
