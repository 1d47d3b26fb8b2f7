#!/usr/bin/env python3
"""Write Tests/Fixtures/Diffusion: what PyTorch's CPU generator and diffusers' schedulers compute.

    python3 make_diffusion_fixtures.py ../Diffusion

Made with torch 2.15.0 (AVX2 or AVX-512 CPU) and diffusers 0.42.1.
"""
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)

CLASSES = {
    "ddim": DDIMScheduler,
    "dpm++": DPMSolverMultistepScheduler,
    "unipc": UniPCMultistepScheduler,
    "euler": EulerDiscreteScheduler,
    "pndm": PNDMScheduler,
}
# scheduler_config.json as the published checkpoints carry it.
PUBLISHED = {
    "_class_name": "DDIMScheduler",
    "_diffusers_version": "0.42.1",
    "beta_end": 0.0195,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.0015,
    "clip_sample": False,
    "clip_sample_range": 1.0,
    "dynamic_thresholding_ratio": 0.995,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "rescale_betas_zero_snr": False,
    "sample_max_value": 1.0,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "thresholding": False,
    "timestep_spacing": "leading",
    "trained_betas": None,
}
SPACINGS = ("leading", "linspace", "trailing")


def floats(array) -> list[float]:
    """The shortest decimals that give the same float32."""
    return [float(str(value)) for value in np.asarray(array, dtype=np.float32).ravel()]


def digest(values: np.ndarray) -> str:
    """FNV-1a, 64 bits, over the little-endian bytes."""
    result = 0xCBF29CE484222325
    for byte in (values + np.float32(0)).astype("<f4").tobytes():
        result = (result ^ byte) * 0x100000001B3 % 2**64
    return f"{result:016x}"


def draws() -> list[dict]:
    cases = []
    for seed in (0, 1, 42, 2**32 + 5, 2**63):
        for counts in ([1], [5], [15], [16], [17], [31], [32], [100], [8192], [3, 20, 4, 16, 1]):
            generator = torch.Generator().manual_seed(seed)
            values = [torch.randn(count, generator=generator).numpy() for count in counts]
            case = {"seed": str(seed), "counts": counts, "digest": digest(np.concatenate(values))}
            if sum(counts) <= 100:
                case["values"] = floats(np.concatenate(values))
            cases.append(case)
    return cases


def scheduler(kind: str, overrides: dict):
    config = {key: value for key, value in {**PUBLISHED, **overrides}.items() if value != "absent"}
    return config, CLASSES[kind].from_config(config, **({"skip_prk_steps": True} if kind == "pndm" else {}))


def timesteps() -> list[dict]:
    """For many numbers of steps: how many timesteps, and a sum in which every one has its own weight."""
    every = [*range(1, 41), 49, 64, 75, 99, 100, 101, 128, 150, 199, 200, 250, 300, 333, 334, 400, 499, 500, 501, 666]
    cases = []
    for kind in CLASSES:
        for spacing in SPACINGS:
            made = scheduler(kind, {"timestep_spacing": spacing})[1]
            rows = []
            for steps in every:
                made.set_timesteps(steps)
                visited = made.timesteps.numpy().astype(np.float64)
                if visited.min() < 0:  # rounding made one step too many, to -1
                    continue
                rows.append([steps, len(visited), float(visited @ np.arange(1, len(visited) + 1))])
            cases.append({"scheduler": kind, "spacing": spacing, "rows": rows})
    return cases


def model(sample: torch.Tensor, timestep) -> torch.Tensor:
    """A function with state in every element, of exactly rounded operations only."""
    index = torch.arange(sample.numel())
    slope = ((7 * index) % 11 - 5).to(torch.float32) / 10
    time = torch.tensor(float(timestep), dtype=torch.float32) / 1000
    return 0.75 * sample / (1 + sample.abs()) + time * slope


def trajectory(kind: str, overrides: dict, steps: int, eta: float, every: bool) -> dict:
    config, made = scheduler(kind, overrides)
    made.set_timesteps(steps)
    noise = torch.Generator().manual_seed(11)
    sample = torch.randn(1, 24, generator=noise) * made.init_noise_sigma
    accepts = inspect.signature(made.step).parameters
    extra = {"eta": eta, "generator": noise} if "eta" in accepts else {}
    samples = []
    for timestep in made.timesteps:
        output = model(made.scale_model_input(sample, timestep), timestep)
        sample = made.step(output, timestep, sample, **extra).prev_sample
        samples.append(floats(sample))
    return {
        "scheduler": kind,
        "config": config,
        "steps": steps,
        "eta": eta,
        "initialNoiseScale": floats(made.init_noise_sigma)[0],
        "timesteps": floats(made.timesteps),
        "samples": samples if every else samples[-1:],
    }


def trajectories() -> list[dict]:
    cases = []
    for kind in CLASSES:
        for eta in (0.0, 0.5, 1.0) if kind == "ddim" else (0.0,):
            for steps in (1, 2, 3, 5, 10, 25, 50):
                cases.append(trajectory(kind, {}, steps, eta, every=steps <= 10))
        for spacing in ("linspace", "trailing", "absent"):
            for steps in (1, 2, 10, 25):
                cases.append(trajectory(kind, {"timestep_spacing": spacing}, steps, 0.0, every=False))
        variants = [
            {"prediction_type": "v_prediction"},
            {"beta_schedule": "linear", "beta_start": "absent", "beta_end": "absent", "steps_offset": "absent"},
            {"beta_schedule": "squaredcos_cap_v2"},
            {"trained_betas": floats(np.linspace(0.01, 0.4, 20)), "num_train_timesteps": 20},
            {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"},
            {"set_alpha_to_one": True},
            {"set_alpha_to_one": "absent"},
        ]
        if kind != "pndm":
            variants.append({"prediction_type": "sample"})
        for variant in variants:
            cases.append(trajectory(kind, variant, 5, 0.0, every=False))
        cases.append(trajectory(kind, {}, 500, 0.0, every=False))
    return cases


def alphas() -> list[dict]:
    cases = []
    for overrides in (
        {},
        {"beta_schedule": "linear"},
        {"beta_schedule": "squaredcos_cap_v2"},
        {"rescale_betas_zero_snr": True},
    ):
        config, made = scheduler("ddim", overrides)
        cases.append({"config": config, "values": floats(made.alphas_cumprod[::37])})
    return cases


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scheduler_config.json").write_text(json.dumps(PUBLISHED, indent=2) + "\n")
    for name, cases in {
        "randn": draws(),
        "timesteps": timesteps(),
        "trajectories": trajectories(),
        "alphas": alphas(),
    }.items():
        rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (folder / f"{name}.json").write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
