"""What every stage shares: where data lives, devices, resumable checkpoints, logs."""

import argparse
import json
import math
import os
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RATE = 16000


def data_folder(argument: str | None = None) -> Path:
    """The data folder: an argument, else $AUDIOLDM2_DATA, else ~/.cache/audioldm2-training. Created if missing."""
    path = argument or os.environ.get("AUDIOLDM2_DATA") or "~/.cache/audioldm2-training"
    folder = Path(path).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the one option of every stage."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help="data folder (default: $AUDIOLDM2_DATA or ~/.cache/audioldm2-training)")
    return p


def training_parser(description: str | None, steps: int, batch: int, rate: float) -> argparse.ArgumentParser:
    """A parser with the options of every training stage; the defaults are the stage's own."""
    p = parser(description)
    p.add_argument("--device", default="cpu", help="cpu or cuda")
    p.add_argument("--threads", type=int, default=1, help="CPU threads for PyTorch")
    p.add_argument("--steps", type=int, default=steps, help="optimizer steps in total, over all resumes")
    p.add_argument(
        "--budget",
        type=float,
        default=0,
        help="minutes of training in total, over all resumes, if that comes before --steps (0: no limit)",
    )
    p.add_argument("--minutes", type=float, default=0, help="pause after so many minutes (0: never); resume later")
    p.add_argument("--batch", type=int, default=batch)
    p.add_argument("--rate", type=float, default=rate, help="peak learning rate")
    p.add_argument("--bf16", action="store_true", help="bf16 autocast on the CPU too (CUDA always uses it)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--save-minutes", type=float, default=4, help="minutes between saved states")
    return p


def setup(args):
    """Seeds and threads; returns (data folder, device, maker of autocast contexts: bf16 on CUDA, or if asked for)."""
    import torch

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True

    def autocast():
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=args.bf16 or device.type == "cuda")

    return data_folder(args.data), device, autocast


def decayed(rate: float, progress: float) -> float:
    """The cosine from the rate down to 2 % of it."""
    return rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


class Run:
    """A resumable training run: `states/NAME.pt` holds everything, `logs/NAME.jsonl` one line per report.

    `parts` maps names to objects with state_dict/load_state_dict (models, optimizers, averages).
    """

    def __init__(self, folder: Path, name: str, parts: dict, args, team: "Team | None" = None):
        import torch

        self.torch, self.parts, self.args, self.team = torch, parts, args, team or Team(0, 1, "")
        self.path = folder / "states" / f"{name}.pt"
        self.log_path = folder / "logs" / f"{name}.jsonl"
        for p in (self.path, self.log_path):
            p.parent.mkdir(parents=True, exist_ok=True)
        self.step, self.minutes_before, self.sums, self.count = 0, 0.0, {}, 0
        if self.path.exists():
            state = torch.load(self.path, map_location=args.device, weights_only=True)
            self.step, self.minutes_before = state["step"], state.get("minutes", 0.0)
            for key, part in parts.items():
                part.load_state_dict(state[key])
            print(f"{name}: resumed at step {self.step}", flush=True)
        self.started = self.saved = self.reported = time.monotonic()

    def save(self):
        if self.team.rank:
            return
        temporary = self.path.with_suffix(".tmp")
        self.torch.save(
            {"step": self.step, "minutes": self.minutes(), **{k: p.state_dict() for k, p in self.parts.items()}},
            temporary,
        )
        temporary.replace(self.path)
        self.saved = time.monotonic()

    def report(self, **values):
        if self.team.rank:
            return
        self.log_path.open("a").write(json.dumps({"step": self.step, **values}) + "\n")
        print(
            self.step,
            " ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items()),
            flush=True,
        )

    def minutes(self) -> float:
        """Minutes of training so far, with those of earlier runs."""
        return self.minutes_before + (time.monotonic() - self.started) / 60

    def progress(self) -> float:
        """How much of the training is done, 0 to 1: of the steps or of the budget of time, whichever is further."""
        if not self.args.steps:
            return 1.0
        spent = self.minutes() / self.args.budget if self.args.budget else 0.0
        return self.team.agree(min(1.0, max(self.step / self.args.steps, spent)))

    def finished(self) -> bool:
        """Whether to leave the loop: all is done, or this call's minutes are over."""
        over = self.progress() >= 1 or 0 < self.args.minutes <= self.minutes() - self.minutes_before
        return bool(self.team.agree(float(over)))

    def set_rate(self, *optimizers, warmup: int = 500):
        """The step's learning rate: linear warm-up over `warmup` steps or 5 % of the training, whichever is shorter,
        then cosine down to 2 % of the peak as training ends."""
        progress = self.progress()
        rate = self.args.rate * min(1.0, max((self.step + 1) / warmup, progress / 0.05))
        rate = decayed(rate, progress)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate

    def advance(self, every: int = 100, **values):
        """Count a step, average `values` (tensors or floats), report and save when due."""
        self.step += 1
        for key, value in values.items():
            value = value.detach() if hasattr(value, "detach") else value
            self.sums[key] = self.sums.get(key, 0) + value
        self.count += 1
        now = time.monotonic()
        if self.count >= every:
            means = {k: float(v) / self.count for k, v in self.sums.items()}
            self.report(**means, seconds_per_step=(now - self.reported) / self.count)
            self.sums, self.count, self.reported = {}, 0, now
        if now - self.saved > 60 * self.args.save_minutes:
            self.save()


class Team:
    """Processes of one CPU thread each that train one model together: small kernels gain more from this than from
    threads.  Each has its own examples; gradients are averaged; the first one's clock counts and it alone saves."""

    def __init__(self, rank: int, count: int, meeting: str):
        import torch

        self.rank, self.count, self.torch = rank, count, torch
        if count > 1:
            torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=count)

    def agree(self, value: float) -> float:
        """The first one's value, everywhere."""
        if self.count == 1:
            return value
        shared = self.torch.tensor([value], dtype=self.torch.float64)
        self.torch.distributed.broadcast(shared, 0)
        return float(shared)

    def average_gradients(self, model):
        """Of all parameters that have any; every process must have used the same ones."""
        if self.count == 1:
            return
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        flat = self.torch.cat([g.flatten() for g in gradients])
        self.torch.distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
            gradient.copy_(part.view_as(gradient))


def in_team(count: int, work, *arguments):
    """Run work(team, *arguments) in `count` processes."""
    if count == 1:
        return work(Team(0, 1, ""), *arguments)
    import tempfile

    import torch

    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_member, (count, f"{folder}/meeting", work, arguments), nprocs=count)


def _member(rank: int, count: int, meeting: str, work, arguments):
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: not to go on when the parent is ended
    work(Team(rank, count, meeting), *arguments)


class Average:
    """Exponential moving average of a model's parameters and buffers; `apply` copies it into a model."""

    def __init__(self, model, decay: float = 0.999):
        self.decay, self.updates = decay, 0
        self.values = {
            k: v.detach().clone().float() if v.is_floating_point() else v.clone() for k, v in model.state_dict().items()
        }

    def update(self, model):
        import torch

        self.updates += 1
        weight = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        averaged, current = [], []
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                averaged.append(self.values[key])
                current.append(value.float())
            else:
                self.values[key].copy_(value)
        with torch.no_grad():
            torch._foreach_lerp_(averaged, current, weight)  # one kernel for hundreds of small tensors

    def apply(self, model):
        model.load_state_dict({k: v for k, v in self.values.items()})

    def state_dict(self):
        return {"updates": self.updates, "values": self.values}

    def load_state_dict(self, state):
        self.updates = state["updates"]
        for key, value in state["values"].items():
            self.values[key].copy_(value)
