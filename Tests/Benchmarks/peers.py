"""Times what others take for the work that `audioldm2 bench` times: the same base-size model in PyTorch and OpenVINO.

    pip install torch diffusers transformers openvino nncf
    python peers.py prepare FOLDER WORK          # once: OpenVINO models of the folder's UNet, VAE decoder and vocoder
    python peers.py time FOLDER WORK [--only NAME …] [--repeats 3] [--threads 2]

FOLDER is a diffusers folder of AudioLDM 2.  One guided UNet step is a batch of two over 10.24 s: latents
[2, 8, 256, 16], language of audio [2, 8, 768], T5 states [2, 16, 1024].  Prints one line of JSON for each peer.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

FRAMES, LOA_TOKENS, T5_TOKENS = 256, 8, 16


class GuidedStep(torch.nn.Module):
    """The UNet with positional arguments only, as exporters like it."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, loa, states, mask):
        return self.unet(
            sample, timestep, encoder_hidden_states=loa, encoder_hidden_states_1=states,
            encoder_attention_mask_1=mask, return_dict=False)[0]


class Decoder(torch.nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latents):
        return self.vae.decode(latents, return_dict=False)[0]


def load(folder, part):
    from diffusers import AudioLDM2UNet2DConditionModel, AutoencoderKL
    from transformers import SpeechT5HifiGan

    kind = {"unet": AudioLDM2UNet2DConditionModel, "vae": AutoencoderKL, "vocoder": SpeechT5HifiGan}[part]
    model = kind.from_pretrained(Path(folder) / part, torch_dtype=torch.float32).eval()
    return {"unet": GuidedStep, "vae": Decoder, "vocoder": lambda m: m}[part](model)


def inputs(part):
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    return {
        "unet": (draw(2, 8, FRAMES, 16), torch.tensor(500), draw(2, LOA_TOKENS, 768), draw(2, T5_TOKENS, 1024),
                 torch.ones(2, T5_TOKENS, dtype=torch.int64)),
        "vae": (draw(1, 8, FRAMES, 16),),
        "vocoder": (draw(1, 4 * FRAMES, 64),),
    }[part]


def prepare(folder, work):
    import nncf
    import openvino

    work.mkdir(parents=True, exist_ok=True)
    for part in ("unet", "vae", "vocoder"):
        model = load(folder, part)
        with torch.no_grad():
            converted = openvino.convert_model(model, example_input=inputs(part))
        openvino.save_model(converted, work / f"{part}.xml", compress_to_fp16=False)
        if part == "unet":
            weights = nncf.compress_weights(converted, mode=nncf.CompressWeightsMode.INT8_SYM)
            openvino.save_model(weights, work / "unet-int8-weights.xml", compress_to_fp16=False)
            data = nncf.Dataset([[array.numpy() for array in inputs(part)]])
            core = openvino.Core().read_model(work / "unet.xml")
            full = nncf.quantize(core, data, subset_size=1, model_type=nncf.ModelType.TRANSFORMER)
            openvino.save_model(full, work / "unet-int8.xml", compress_to_fp16=False)


def seconds(run, repeats):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times), min(times)


def torch_runner(folder, part, dtype, _work, _threads):
    model, arguments = load(folder, part).to(dtype), inputs(part)
    arguments = tuple(a.to(dtype) if a.is_floating_point() else a for a in arguments)

    def run():
        with torch.inference_mode():
            model(*arguments)

    return run


def openvino_runner(_folder, part, precision, work, threads, suffix=""):
    import openvino

    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(work / f"{part}{suffix}.xml", "CPU", options).create_infer_request()
    arguments = [a.numpy() for a in inputs(part)]
    return lambda: request.infer(arguments)


PEERS = {
    "PyTorch float32": (torch_runner, "unet", torch.float32),
    "PyTorch bfloat16": (torch_runner, "unet", torch.bfloat16),
    "OpenVINO float32": (openvino_runner, "unet", "f32"),
    "OpenVINO bfloat16": (openvino_runner, "unet", "bf16"),
    "OpenVINO int8 weights, bfloat16": (openvino_runner, "unet", "bf16", "-int8-weights"),
    "OpenVINO int8": (openvino_runner, "unet", "bf16", "-int8"),
    "VAE, PyTorch float32": (torch_runner, "vae", torch.float32),
    "VAE, OpenVINO bfloat16": (openvino_runner, "vae", "bf16"),
    "vocoder, PyTorch float32": (torch_runner, "vocoder", torch.float32),
    "vocoder, OpenVINO bfloat16": (openvino_runner, "vocoder", "bf16"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "time"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(PEERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.action == "prepare":
        prepare(arguments.folder, arguments.work)
        return
    for name in arguments.only or PEERS:
        runner, part, kind, *suffix = PEERS[name]
        run = runner(arguments.folder, part, kind, arguments.work, arguments.threads, *suffix)
        median, least = seconds(run, arguments.repeats)
        print(json.dumps({"peer": name, "seconds": round(median, 3), "least": round(least, 3)}), flush=True)


if __name__ == "__main__":
    main()
