"""Stage 8: the VAE on mel spectrograms.  L1 reconstruction, a loss on time and frequency differences that keeps edges,
and a small KL term.  Its last act is to measure the scaling factor (1 / standard deviation of the latents).

    python3 train_vae.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import torch

import models
from common import Average, Run, setup, training_parser
from data import SceneBank, ahead
from mel import log_mel


def losses(mel: torch.Tensor, restored: torch.Tensor, posterior) -> dict[str, torch.Tensor]:
    """L1, L1 of the differences along time and frequency, and KL per latent value."""
    error = restored - mel
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    kl = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).mean()
    return {"l1": error.abs().mean(), "edges": edges, "kl": kl}


@torch.no_grad()
def scaling_factor(vae, bank: SceneBank, device) -> float:
    vae.eval()
    wave, _ = bank.batch(64, 2.56, anywhere=True)
    mel = log_mel(wave.to(device))[:, None]
    return 1 / float(torch.cat([vae.encode(m).latent_dist.sample() for m in mel.split(8)]).std())


def main():
    p = training_parser(__doc__, steps=60000, batch=16, rate=4e-4)
    p.add_argument("--seconds", type=float, default=2.56)
    p.add_argument("--kl", type=float, default=1e-4, help="weight of the KL term")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    vae = models.start(models.vae(), folder, "vae").to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    average = Average(vae)
    run = Run(folder, "vae", {"model": vae, "optimizer": optimizer, "average": average}, args)
    bank = SceneBank(folder, args.seed + run.step)
    batches = ahead(lambda: bank.batch(args.batch, args.seconds, anywhere=True, device=device))
    while not run.finished():
        mel = log_mel(next(batches)[0])[:, None]
        with autocast():
            posterior = vae.encode(mel).latent_dist
            restored = vae.decode(posterior.sample()).sample
        terms = losses(mel, restored.float(), posterior)
        loss = terms["l1"] + 0.5 * terms["edges"] + args.kl * terms["kl"]
        run.set_rate(optimizer)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        average.update(vae)
        run.advance(every=50, **terms)
    run.save()
    average.apply(vae)
    factor = scaling_factor(vae, bank, device)
    models.save(vae, folder, "vae", scaling_factor=factor)
    print(f"scaling factor {factor:.4f}")


if __name__ == "__main__":
    main()
