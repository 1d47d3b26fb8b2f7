"""Stage 15: the latent diffusion UNet on the bank.  Noise prediction with min-SNR weights; 10 % of the prompts are
dropped (an empty caption and, half of the time each, zeros or GPT-2's answer to it: both kinds of guidance then
work); the LOA is GPT-2's three times in four, the sound's own otherwise.  Half of the batches are 5.12 s long, half
10.24 s.

    python3 train_unet.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import random

import torch

import models
from bank import Conditions
from common import Average, Run, setup, training_parser

DROP, TRUE_LOA, GAMMA = 0.10, 0.25, 5.0


def main():
    p = training_parser(__doc__, steps=60000, batch=96, rate=4e-4)
    p.add_argument("--short-only", action="store_true", help="only 5.12 s: for a CPU")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    bank = torch.load(folder / "bank/latents.pt", weights_only=True)
    generated = torch.load(folder / "bank/generated.pt", weights_only=True)
    # the whole bank lies where training runs: no copies per step
    latents, true_loa, made_loa = (x.to(device) for x in (bank["latents"], bank["loa"], generated["loa"]))
    empty_loa, lines, conditions = generated["empty"].to(device), bank["captions"], Conditions(folder, device)
    model, noise_schedule = models.start(models.unet(), folder, "unet").to(device), models.scheduler()
    alphas = noise_schedule.alphas_cumprod.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = Average(model, decay=0.9995)
    run = Run(folder, "unet", {"model": model, "optimizer": optimizer, "average": average}, args)
    rng = random.Random(args.seed + run.step)
    torch.manual_seed(args.seed + run.step)
    model.train()
    while not run.finished():
        picks = rng.choices(range(len(lines)), k=args.batch)
        words = [rng.randrange(len(lines[0])) for _ in picks]
        dropped = torch.tensor([rng.random() < DROP for _ in picks])
        captions = ["" if d else lines[i][k] for i, k, d in zip(picks, words, dropped)]
        loa = made_loa[picks, words].float()
        real = torch.rand(args.batch) < TRUE_LOA
        loa[real] = true_loa[picks].float()[real]
        zeros = torch.rand(args.batch) < 0.5
        loa[dropped & zeros] = 0
        loa[dropped & ~zeros] = empty_loa.float()
        length = 128 if args.short_only or run.step % 2 else 256
        clean = latents[picks, :, :length].float()
        noise = torch.randn_like(clean)
        steps = torch.randint(0, 1000, (args.batch,), device=device)
        noisy = noise_schedule.add_noise(clean, noise, steps)
        with autocast():
            states, mask = conditions.t5_states(captions)
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
