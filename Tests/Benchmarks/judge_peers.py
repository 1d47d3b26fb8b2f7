#!/usr/bin/env python3
"""Time that judges take for clips, beside the Python packages' networks on the same clips, alternating.

    judge_peers.py FILES CLIPS COUNT AUDIOLDM2 PACKS

FILES is a folder of `Tests/Fixtures/Scripts/make_judges.py --size full` (vggish, cnn14-16k, clap), PACKS one of NAME-float32.aldm and
NAME-int8.aldm that `audioldm2-convert` made of them, CLIPS one of sounds, of which the first COUNT are heard. Ours is the whole
command (opening, reading, resampling, spectrograms, network); theirs are reading, resampling, spectrograms and network of one clip at a
time, without what importing and loading takes. Needs what make_judges.py needs.
"""
import os
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "Fixtures/Scripts"))
import make_judges  # noqa: E402


def stored(folder):
    file = next(path for path in folder.iterdir() if path.name != "golden.safetensors")
    return torch.load(file, map_location="cpu", weights_only=False)


def vggish(folder):
    make_judges.package("torchvggish")
    from torchvggish import torchvggish, vggish_input
    model = torchvggish.VGG(torchvggish.make_layers(), postprocess=False)
    model.load_state_dict(stored(folder))
    model.embeddings = model.embeddings[:-1]
    model.eval()
    return 16000, 32000, lambda wave: model(vggish_input.waveform_to_examples(wave.double().numpy(), 16000).float())


def cnn14(folder):
    make_judges.package("panns_inference")
    from panns_inference import models
    model = models.Cnn14(sample_rate=16000, window_size=512, hop_size=160, mel_bins=64, fmin=50, fmax=8000, classes_num=527)
    model.load_state_dict(stored(folder)["model"])
    model.eval()
    return 16000, 32000, lambda wave: model(wave[None])["embedding"]


def clap(folder):
    make_judges.package("laion_clap")
    make_judges.package("laion_clap.clap_module")
    for name in ("torchvision", "torchvision.ops"):
        make_judges.stub(name)
    make_judges.stub("torchvision.ops.misc", FrozenBatchNorm2d=torch.nn.Identity)
    from laion_clap.clap_module import htsat
    audio = types.SimpleNamespace(mel_bins=64, window_size=1024, hop_size=480, sample_rate=48000, fmin=50, fmax=14000)
    branch = htsat.HTSAT_Swin_Transformer(
        embed_dim=96, depths=[2, 2, 6, 2], num_heads=[4, 8, 16, 32], num_classes=527, config=audio, enable_fusion=False,
        fusion_type="None")
    projection = torch.nn.Sequential(torch.nn.Linear(768, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512))
    state = stored(folder)["state_dict"]
    for part, prefix in ((branch, "module.audio_branch."), (projection, "module.audio_projection.")):
        part.load_state_dict({key.removeprefix(prefix): value.float() if value.is_floating_point() else value
                              for key, value in state.items() if key.startswith(prefix)})
    branch.eval()

    def judge(wave):
        wave = wave[:480000].repeat(max(480000 // len(wave), 1))
        wave = torch.nn.functional.pad(wave, (0, 480000 - len(wave)))
        return torch.nn.functional.normalize(projection(branch({"waveform": wave[None]})["embedding"]), dim=-1)
    return 48000, 1, judge


JUDGES = {"vggish": vggish, "cnn14-16k": cnn14, "clap": clap}


@torch.inference_mode()
def main():
    files, clips, count, program, packs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5])
    paths = sorted(clips.glob("*.wav"))[:count]
    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as heard:
        for path in paths:
            (Path(heard) / path.name).symlink_to(path.resolve())

        def ours(name, weights):
            start = time.time()
            subprocess.run([program, "evaluate", heard, "--judge", packs / f"{name}-{weights}.aldm", "--statistics-only",
                            "--save-statistics", f"{heard}.stats", "--quiet", "--device", "cpu"], check=True)
            return time.time() - start
        for name, make in JUDGES.items():
            rate, least, judge = make(files / name)
            judge(make_judges.heard(paths[0], rate, least))
            times = {"float32": ours(name, "float32")}
            start = time.time()
            for path in paths:
                judge(make_judges.heard(path, rate, least))
            times["theirs"] = time.time() - start
            times["int8"] = ours(name, "int8")
            print(name, *(f"{key} {1000 * value / count:.0f} ms" for key, value in times.items()), "a clip", flush=True)


if __name__ == "__main__":
    main()
