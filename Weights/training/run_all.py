"""All training stages in order, on the packed data (fetch … prepare and make_tokenizers come before).

    python3 run_all.py [--data FOLDER]                                CPU: one stage after another, hours each
    python3 run_all.py --device cuda --phase 1 --minutes 9 --workers 2    on a GPU lent for minutes: three calls, each
                                                                          phase's stages side by side
    python3 run_all.py --quick --data FOLDER                          three steps of everything: does it run?

Phase 1: vae, loa, clap, text, classifier, vocoder.  Phase 2: bank, gpt2, then unet beside vocoder.  Phase 3: the same two
go on; then export and evaluation.  A stage whose part is there is not trained again; unfinished ones resume.
"""
import os
import subprocess
import sys
import time

from common import HERE, data_folder, parser

FIRST = ["vae", "loa", "clap", "text", "classifier"]
PARTS = {"text": "t5"}  # stage: file in parts/, where the names differ


class Stages:
    def __init__(self, args):
        self.args, self.data, self.started = args, data_folder(args.data), time.monotonic()

    def left(self) -> float:
        """Minutes left of this call."""
        return self.args.minutes - (time.monotonic() - self.started) / 60

    def start(self, script: str, *options: str) -> subprocess.Popen:
        environment = os.environ | {"AUDIOLDM2_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, str(HERE / script), "--device", self.args.device, *options]
        print("+", " ".join(command[1:]), flush=True)
        return subprocess.Popen(command, env=environment)

    def training(self, stage: str, *options: str, budget: float = 0, again: bool = False) -> subprocess.Popen | None:
        """Start a training stage, unless its part is there; on a GPU for at most `budget` minutes of this call."""
        if (self.data / "parts" / f"{PARTS.get(stage, stage)}.safetensors").exists() and not again:
            return None
        if self.args.quick:
            options += ("--steps", "3", "--batch", "4")
        elif budget:
            options += ("--minutes", f"{min(budget, self.left()):.2f}")
        if self.args.workers and stage in ("loa", "clap", "classifier", "vocoder"):
            options += ("--workers", str(self.args.workers))
        return self.start(f"train_{stage}.py", *options)


def wait(*processes: subprocess.Popen | None):
    """Until all have ended; an error of any ends the program."""
    codes = [p.wait() for p in processes if p]
    if any(codes):
        sys.exit(f"a stage failed: {codes}")


def one_after_another(stages: Stages):
    for stage in FIRST:
        wait(stages.training(stage))
    wait(stages.training("vocoder", "--vae"))
    size = ("--scenes", "16", "--captions", "2") if stages.args.quick else ("--scenes", "6000")
    if not (stages.data / "bank/scenes.pt").exists():
        wait(stages.start("bank.py", *size))
    wait(stages.training("gpt2"))
    wait(stages.training("unet", "--short-only"))


def phase(stages: Stages, number: int):
    """One call on a GPU."""
    minutes = stages.args.minutes
    if number == 1:
        whole = ("--budget", f"{minutes - 0.5:.2f}")
        wait(*[stages.training(s, *whole, budget=minutes) for s in FIRST],
             stages.training("vocoder", "--budget", f"{2.5 * minutes:.2f}", budget=minutes - 0.3, again=True))
        return
    vocoder = ("vocoder", "--vae", "--budget", f"{2.5 * minutes:.2f}")
    unet = ("unet", "--budget", f"{1.6 * minutes:.2f}")
    both = dict(again=True)
    beside = stages.training(*vocoder, budget=stages.left() - 0.3, **both)
    if number == 2:
        wait(stages.start("bank.py", "--scenes", "24000", "--workers", "8"))
        wait(stages.training("gpt2", "--budget", "1.5"))
    wait(beside, stages.training(*unet, budget=stages.left() - 0.3, **both))


def main():
    p = parser(__doc__)
    p.add_argument("--device", default="cpu")
    p.add_argument("--phase", type=int, choices=[1, 2, 3])
    p.add_argument("--minutes", type=float, default=9)
    p.add_argument("--workers", type=int, default=0)
    p.add_argument("--quick", action="store_true")
    args = p.parse_args()
    stages = Stages(args)
    if args.phase:
        phase(stages, args.phase)
    else:
        one_after_another(stages)


if __name__ == "__main__":
    main()
