#!/usr/bin/env python3
"""Write Tests/Fixtures/Diffusion: what PyTorch's CPU generator and diffusers' schedulers compute.

    python3 make_diffusion_fixtures.py ../Diffusion

Made with torch 2.15.0 (AVX2 or AVX-512 CPU) and diffusers 0.42.1.
"""
import inspect
import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import diffusers
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
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
# With options that the others are recorded without.
SINGLESTEP = {"dpm++-singlestep": DPMSolverSinglestepScheduler}
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
    return config, {**CLASSES, **SINGLESTEP}[kind].from_config(config, **({"skip_prk_steps": True} if kind == "pndm" else {}))


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
    if hasattr(made, "set_begin_index"):
        # Where the first two timesteps are equal, the scheduler would start with the second.
        made.set_begin_index(0)
    noise = torch.Generator().manual_seed(11)
    sample = torch.randn(1, 24, generator=noise) * made.init_noise_sigma
    accepts = inspect.signature(made.step).parameters
    extra = {"eta": eta} if "eta" in accepts else {}
    if "generator" in accepts:
        extra["generator"] = noise
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


LEVELS = [{}] + [{f"use_{name}_sigmas": True} for name in ("karras", "exponential", "beta")]
ENDS = [{}, {"final_sigmas_type": "sigma_min"}]


def options() -> list[dict]:
    """Options beyond the defaults: how noise levels are spaced, where the way ends, solvers and their orders."""
    cases = []

    def add(kind, *overrides, steps):
        merged = {key: value for override in overrides for key, value in override.items()}
        case = trajectory(kind, merged, steps, 0.0, every=False)
        case["config"] = {key: value for key, value in case["config"].items() if key in NEEDED or key in merged}
        cases.append(case)

    for kind in ("dpm++", "dpm++-singlestep", "unipc", "euler"):
        for level, end in itertools.product(LEVELS, ENDS):
            for steps in (2, 5, 25):
                add(kind, level, end, steps=steps)
        for level in LEVELS[1:]:
            add(kind, level, {"timestep_spacing": "linspace", "beta_schedule": "squaredcos_cap_v2"}, steps=7)
            add(kind, level, {"sigma_min": 0.1, "sigma_max": 8.0}, steps=7)
    for kind in ("dpm++", "dpm++-singlestep"):
        for order, solver, algorithm in itertools.product(
                (1, 2, 3), ("midpoint", "heun"), ("dpmsolver++", "sde-dpmsolver++")):
            for steps, end in ((1, {}), (6, {}), (7, {}), (20, ENDS[1])):
                add(kind, {"solver_order": order, "solver_type": solver, "algorithm_type": algorithm}, end, steps=steps)
        for order, lower, end, steps in itertools.product((2, 3), (False, True), ENDS, (6, 8)):
            add(kind, {"solver_order": order, "lower_order_final": lower}, end, steps=steps)
        add(kind, {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}, LEVELS[1], steps=9)
        add(kind, {"prediction_type": "v_prediction", "solver_order": 3}, steps=9)
        add(kind, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"},
            steps=5)
    add("dpm++", {"euler_at_final": True, "lower_order_final": False}, ENDS[1], steps=6)
    for order, end, steps in itertools.product((1, 3), ENDS, (3, 6, 20)):
        add("unipc", {"solver_order": order}, end, steps=steps)
    return cases


NEEDED = ["beta_end", "beta_schedule", "beta_start", "clip_sample", "set_alpha_to_one", "steps_offset", "timestep_spacing"]

# Classes whose configs describe models that every scheduler here can run, and that from_config takes (not DEIS').
SAVED = [
    "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler", "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler",
    "UniPCMultistepScheduler", "DDIMInverseScheduler", "RePaintScheduler",
]


def saved() -> list[dict]:
    """Configs as classes save them with their defaults, and what DPM-Solver++ makes of them."""
    cases = []
    for name in SAVED:
        # As it is written to a file, and read from there.
        config = json.loads(getattr(diffusers, name)().to_json_string())
        case = trajectory("dpm++", {**dict.fromkeys(PUBLISHED, "absent"), **config}, 5, 0.0, every=False)
        # Files have it bare, which is no JSON, and is read as a text of the same letters.
        case["config"] = {key: "-Infinity" if value == -math.inf else value for key, value in case["config"].items()}
        cases.append(case)
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
        "options": options(),
        "saved": saved(),
        "alphas": alphas(),
    }.items():
        rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (folder / f"{name}.json").write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
