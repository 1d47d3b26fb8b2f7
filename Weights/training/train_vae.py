"""Stage 8: the VAE on mel spectrograms.  It starts as a linear one (principal.py), whose encoder is kept: its latents
never change, so bank.py needs no more than --steps 0.  The decoder goes on to learn: L1, and a loss on time and frequency
differences that keeps edges; and, from a fifth of the training on, that a discriminator of patches takes its mels for
sounds'.  Without that its mels are as smooth as what it cannot know, and a vocoder makes a hum of what is smooth.  The
scaling factor is models.SHRINK / standard deviation of the latents.

Mels are taken from within sounds: the frames beside a cut hear the cut, and a decoder that has learned such ends
every sound in a click.

    python3 train_vae.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import torch

import models
from common import Average, Run, setup, training_parser
from data import SceneBank, ahead
from discriminators import MelDiscriminator, discriminator_loss, generator_losses
from mel import HOP, RATE, log_mel
from principal import set_linear_decoder, set_principal_encoder

MARGIN = 4  # frames: what a cut is heard in


def losses(mel: torch.Tensor, restored: torch.Tensor) -> dict[str, torch.Tensor]:
    """L1, and L1 of the differences along time and frequency."""
    error = restored - mel
    return {"l1": error.abs().mean(), "edges": error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()}


def inner_mels(bank: SceneBank, size: int, seconds: float, device="cpu") -> torch.Tensor:
    """(size, 1, 100 seconds, 64) from anywhere within the scenes."""
    wave, _ = bank.batch(size, seconds + 2 * MARGIN * HOP / RATE, anywhere=True, device=device)
    return log_mel(wave)[:, None, MARGIN:-MARGIN]


def pull(loss: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """How strongly a loss would move a weight."""
    return torch.autograd.grad(loss, weight, retain_graph=True)[0].norm()


@torch.no_grad()
def scaling_factor(vae, mels: torch.Tensor) -> float:
    return models.SHRINK / float(torch.cat([vae.encode(m).latent_dist.sample() for m in mels.split(8)]).std())


def main():
    p = training_parser(__doc__, steps=60000, batch=16, rate=1.5e-4)
    p.add_argument("--seconds", type=float, default=2.56)
    p.add_argument("--warmup", type=float, default=0.2, help="part of the training that is without a discriminator")
    p.add_argument("--adversarial", type=float, default=0.6, help="how strongly the discriminator counts beside the rest")
    p.add_argument("--linear", type=float, default=5, help="minutes for the linear decoder to start from")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    vae = models.start(models.vae(), folder, "vae")
    begun = [folder / "parts/vae.safetensors", folder / "states/vae.pt"]
    if not any(path.exists() for path in begun):
        mels = inner_mels(SceneBank(folder, args.seed), 512, 1.28)[:, 0]
        print("deviations", [round(x, 2) for x in set_principal_encoder(vae, mels).tolist()], flush=True)
        print(f"a linear decoder's L1 {set_linear_decoder(vae, mels, args.linear):.3f}", flush=True)
    vae = vae.to(device)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    learning = torch.nn.ModuleList([vae.post_quant_conv, vae.decoder])
    optimizer = torch.optim.AdamW(learning.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    judge = MelDiscriminator().to(device)
    judge_optimizer = torch.optim.AdamW(judge.parameters(), lr=args.rate, betas=(0.5, 0.99), fused=True)
    average = Average(learning)
    parts = dict(model=vae, optimizer=optimizer, judge=judge, judge_optimizer=judge_optimizer, average=average)
    run = Run(folder, "vae", parts, args)
    last, balance = vae.decoder.conv_out.weight, torch.ones((), device=device)
    bank = SceneBank(folder, args.seed + run.step)
    batches = ahead(lambda: inner_mels(bank, args.batch, args.seconds, device=device))
    while not run.finished():
        mel = next(batches)
        with torch.no_grad(), autocast():
            latents = vae.encode(mel).latent_dist.sample().float()
        with autocast():
            restored = vae.decode(latents, return_dict=False)[0]
        terms = losses(mel, restored.float())
        loss = terms["l1"] + 0.5 * terms["edges"]
        run.set_rate(optimizer, judge_optimizer)
        for group in judge_optimizer.param_groups:  # it starts from nothing, the decoder does not
            group["lr"] *= 16
        terms["judged"] = discriminator_loss(judge(mel), judge(restored.detach().float()))
        judge_optimizer.zero_grad()
        terms["judged"].backward()
        judge_optimizer.step()
        if run.progress() >= args.warmup:
            judge.requires_grad_(False)
            adversarial, matching = generator_losses(judge(mel), judge(restored.float()))
            judge.requires_grad_(True)
            terms |= {"adversarial": adversarial, "matching": matching}
            if run.step % 10 == 0:  # as VQGAN: both pull at the last layer alike
                balance = balance.lerp(pull(loss, last) / pull(adversarial, last).clamp(min=1e-6), 0.1).clamp(max=20)
            loss = loss + args.adversarial * balance * adversarial + 0.1 * matching
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning.parameters(), 1.0)
        optimizer.step()
        average.update(learning)
        run.advance(every=50, **terms)
    run.save()
    average.apply(learning)
    known = (folder / "parts/vae.json").exists()  # the latents that are there were scaled by it
    mels = inner_mels(SceneBank(folder, args.seed), 64, 2.56, device)
    models.save(vae, folder, "vae", **({} if known else {"scaling_factor": scaling_factor(vae, mels)}))


if __name__ == "__main__":
    main()
