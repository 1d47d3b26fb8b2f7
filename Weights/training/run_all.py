"""All training stages in order, on the packed data (fetch … prepare and make_tokenizers come before).

    python3 run_all.py [--data FOLDER]                                CPU: one stage after another, hours each
    python3 run_all.py --hours 8 --threads 2                          CPU: so many hours for all of them, the small UNet
    python3 run_all.py --device cuda --phase 1 --minutes 9    on a GPU lent for minutes: three calls, each phase's
                                                              stages side by side
    python3 run_all.py --quick --data FOLDER                          three steps of everything: does it run?

Phase 1: vae, loa, clap, text, classifier, vocoder.  Phase 2: bank, gpt2, then unet beside vocoder.  Phase 3: the same
two go on, beside magnitudes.  Export and evaluation come after.  On a CPU a stage whose part is there is not trained again, and unfinished ones
resume; phase 1 starts from the parts that are there.
"""

import os
import subprocess
import sys
import time

from common import HERE, data_folder, parser

FIRST = ["vae", "loa", "clap", "text", "classifier"]
VOCODER_BUDGET, UNET_BUDGET = "20", "11.5"  # minutes over the three phases of 9, 9 and 7 minutes
PARTS = {"text": "t5"}  # stage: file in parts/, where the names differ
# Parts of the time that --hours gives to what is still to be trained
SHARES = {"vae": 10, "text": 8, "loa": 5, "clap": 8, "gpt2": 4, "unet": 60, "wordings": 40, "magnitudes": 20, "vocoder": 40}
TEAMS = ["train_unet.py", "train_vocoder.py"]  # stages of which several processes are faster than several threads


class Stages:
    def __init__(self, args):
        self.args, self.data, self.started = args, data_folder(args.data), time.monotonic()

    def left(self) -> float:
        """Minutes left of this call."""
        return self.args.minutes - (time.monotonic() - self.started) / 60

    def start(self, script: str, *options: str) -> subprocess.Popen:
        environment = os.environ | {"AUDIOLDM2_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        device = () if script == "scenes.py" else ("--device", self.args.device)
        several = "--workers" if script in TEAMS and self.args.device == "cpu" else "--threads"
        threads = () if script == "scenes.py" or self.args.threads == 1 else (several, str(self.args.threads))
        command = [sys.executable, str(HERE / script), *device, *threads, *options]
        print("+", " ".join(command[1:]), flush=True)
        return subprocess.Popen(command, env=environment)

    def compose(self):
        """The scenes, unless they are there."""
        if not (self.data / "bank/waves.bin").exists():
            size = "200" if self.args.quick else "24000" if self.args.phase else "3600" if self.args.hours else "12000"
            wait(self.start("scenes.py", "--scenes", size, "--processes", str(os.cpu_count() or 1)))

    def training(self, stage: str, *options: str, minutes: float = 0, again: bool = False) -> subprocess.Popen | None:
        """Start a training stage, unless its part is there and it is not to go on; pause it after `minutes`."""
        if (self.data / "parts" / f"{PARTS.get(stage, stage)}.safetensors").exists() and not again:
            return None
        if self.args.quick:
            options += ("--steps", "3", "--batch", "4", *(("--linear", "0.02") if stage == "vae" else ()))
        elif minutes:
            options += ("--minutes", f"{minutes:.2f}")
        return self.start(f"train_{stage}.py", *options)

    def bank(self, *options: str) -> subprocess.Popen:
        few = ("--scenes", "16", "--captions", "2") if self.args.quick else ()
        return self.start("bank.py", *options, *few)


def wait(*processes: subprocess.Popen | None):
    """Until all have ended; an error of any ends the program."""
    codes = [p.wait() for p in processes if p]
    if any(codes):
        sys.exit(f"a stage failed: {codes}")


def one_after_another(stages: Stages):
    stages.compose()
    for stage in FIRST:
        wait(stages.training(stage))
    wait(stages.training("vocoder", "--seconds", "1.28"))
    wait(stages.training("magnitudes"))
    if not (stages.data / "bank/latents.pt").exists():
        wait(stages.bank("--seconds", "5.12"))
    wait(stages.training("gpt2"))
    wait(stages.training("unet", "--size", "small", "--seconds", "5.12", "--short", "5.12", "--batch", "32", "--rate", "1e-3"))
    if (stages.data / "states/unet.pt").exists():  # T5 goes on once the UNet has been trained here
        wait(stages.training("wordings", "--seconds", "2.56"))


def in_hours(stages: Stages, hours: float):
    """All of the small size within so many hours, resumable: each part's share is counted in its own state."""
    stages.compose()
    missing = {s: n for s, n in SHARES.items() if not (stages.data / f"parts/{PARTS.get(s, s)}.safetensors").exists()}
    if "unet" not in missing and not (stages.data / "states/unet.pt").exists():
        del missing["wordings"]  # it has no part of its own
    minutes = {s: f"{60 * hours * n / sum(SHARES.values()):.1f}" for s, n in missing.items()}

    def train(stage: str, *options: str):
        if stage in minutes:
            wait(stages.training(stage, "--bf16", "--budget", minutes[stage], *options))

    train("vae", "--batch", "8", "--seconds", "1.28")
    train("text")
    train("loa", "--batch", "24")
    train("clap", "--batch", "32")
    if not (stages.data / "bank/latents.pt").exists():
        wait(stages.bank("--bf16", "--seconds", "5.12"))
    train("gpt2", "--batch", "96")
    train("unet", "--size", "small", "--seconds", "5.12", "--short", "5.12", "--batch", "32", "--rate", "1e-3")
    train("wordings", "--seconds", "2.56")
    train("magnitudes")
    train("vocoder", "--vae", "--seconds", "1.28", "--batch", "8", "--rate", "4e-4")


def phase(stages: Stages, number: int):
    """One call on a GPU.  A minute is kept for starting and saving."""
    vocoder = ("--budget", VOCODER_BUDGET, "--batch", "32")  # kernels so small that a GPU makes 32 as fast as 16
    unet = ("--budget", UNET_BUDGET, "--size", stages.args.size)
    if number == 1:
        stages.compose()
        left = stages.left() - 1
        wait(
            *[stages.training(s, "--budget", f"{left:.2f}", again=True) for s in FIRST],
            stages.training("vocoder", *vocoder, minutes=left),
        )
        return
    beside = stages.training("vocoder", "--vae", *vocoder, minutes=stages.left() - 1, again=True)
    magnitudes = stages.training("magnitudes", "--budget", "3") if number == 3 else None
    if number == 2:
        wait(stages.bank())
        wait(stages.training("gpt2", "--budget", "2"))
    wait(beside, magnitudes, stages.training("unet", *unet, minutes=stages.left() - 1, again=True))


def main():
    p = parser(__doc__)
    p.add_argument("--device", default="cpu")
    p.add_argument("--phase", type=int, choices=[1, 2, 3])
    p.add_argument("--hours", type=float, default=0, help="on a CPU: for all parts that are not there yet")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--minutes", type=float, default=9)
    p.add_argument("--size", default="full", help="the UNet's, on a GPU: a key of models.UNETS")
    p.add_argument("--quick", action="store_true")
    args = p.parse_args()
    stages = Stages(args)
    if args.phase:
        phase(stages, args.phase)
    elif args.hours:
        in_hours(stages, args.hours)
    else:
        one_after_another(stages)


if __name__ == "__main__":
    main()
