#!/usr/bin/env python3
"""Networks that judge sounds, with He-scaled random weights in the published files' layout, and what the Python packages make
of some sounds with them.

    make_judges.py sounds OUT [--size tiny|full]
    make_judges.py vggish|cnn14|cnn14-16k|clap|clap-fused|musicnn|passt OUT [--size tiny|full]
    make_judges.py musicnn-mtt OUT --size full

OUT/sounds/*.wav are heard as audioldm_eval hears files: channel 0, minus its mean, torchaudio's resampler, at least 32000 samples.
OUT/NAME/ gets the file and golden.safetensors with `embeddings.SOUND` and `logits.SOUND`.

The fixture ../Judges is `--size tiny` (few channels, short sounds). `--size full` has the published shapes, and sounds of 0.1, 10.24
and 35 s; AUDIOLDM2_JUDGES=OUT makes the test JudgeNetworkTests compare these too.

What the packages compute is computed by them, but for MusicNN's network, which TensorFlow's layers make: it is written down here in
PyTorch, and with --size full compared with the package's own under TensorFlow, with the weights of its MSD_musicnn or MTT_musicnn.

Needs numpy < 2, torch, torchaudio, soundfile, safetensors, librosa, resampy, torchlibrosa, transformers; torchvggish, panns_inference,
laion_clap, hear21passt (pip install --no-deps, of which single modules are used); for MusicNN in full musicnn and tensorflow < 2.16.
"""
import argparse
import sys
import types
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from safetensors.torch import save_file
from torch import nn


def stub(name, **members):
    loaded = types.ModuleType(name)
    loaded.__dict__.update(members)
    sys.modules[name] = loaded
    return loaded


def package(name):
    """A package of which single modules are used, without what it downloads when it is imported."""
    place = name.replace(".", "/")
    root = next(path for path in (Path(entry) / place for entry in sys.path) if path.is_dir())
    stub(name, __path__=[str(root)])


# ---- Sounds

def sounds(size):
    """Mono at 16 kHz but for one, in 16 bits."""
    random = np.random.default_rng(0)

    def time(seconds, rate=16000):
        return np.arange(int(seconds * rate)) / rate

    def speech(seconds):
        t = time(seconds)
        pitch = 110 + 25 * np.sin(2 * np.pi * 0.7 * t) + 10 * np.sin(2 * np.pi * 2.3 * t)
        phase = 2 * np.pi * np.cumsum(pitch) / 16000
        formant = 700 + 500 * np.sin(2 * np.pi * 1.3 * t)
        wave = sum(np.sin(k * phase) * np.exp(-((k * pitch - formant) / 500) ** 2) + np.sin(k * phase) / (k + 2) ** 2
                   for k in range(1, 30))
        syllables = np.clip(np.sin(2 * np.pi * 2.1 * t) + 0.4, 0, 1)
        return 0.15 * syllables * wave + 0.002 * random.standard_normal(len(t))

    def noise(seconds):
        return 0.2 * random.standard_normal(len(time(seconds)))

    def tone(seconds):
        t = time(seconds)
        return 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 2637 * t)

    def stereo(seconds):
        t = time(seconds, 44100)
        left = 0.3 * np.sin(2 * np.pi * (200 + 3000 * t / t[-1]) * t) + 0.05 * random.standard_normal(len(t))
        return np.stack([left + 0.02, 0.1 * random.standard_normal(len(t))], axis=1)

    long = size == "full"
    made = {
        "tone": (tone(10.24 if long else 1.2), 16000), "noise": (noise(10.24 if long else 1.2), 16000),
        "speech": (speech(10.24 if long else 2.5), 16000), "silence": (0 * time(3 if long else 0.4), 16000),
        "short": (speech(0.4)[3200:4800], 16000), "stereo": (stereo(4 if long else 0.7), 44100),
    }
    if long:
        made["long"] = (np.concatenate([speech(20), noise(5), tone(10)]), 16000)
    return made


def heard(path, rate, least=32000):
    """audioldm_eval's datasets: channel 0, minus its mean, resampled, zeros up to 32000 samples."""
    wave, own = soundfile.read(path, dtype="float32", always_2d=True)
    wave = torch.from_numpy(wave[:, 0].copy())
    wave = wave - wave.mean()
    if own != rate:
        wave = torchaudio.functional.resample(wave[None], own, rate)[0]
    return nn.functional.pad(wave, (0, max(least - len(wave), 0)))


# ---- Weights

def he(model, calibrate):
    """He-scaled weights; norms that fit what they see, and are not 1 and 0."""
    torch.manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.weight.requires_grad:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.1)
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
        if isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.2)
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
    if norms:
        calibrate()
    return model.eval()


# ---- VGGish

def vggish(size, calibration):
    """torchvggish's network without its PCA and its last ReLU."""
    package("torchvggish")
    from torchvggish import torchvggish as theirs, vggish_input
    if size == "full":
        model = theirs.VGG(theirs.make_layers(), postprocess=False)
    else:
        channels, width, layers = [4, 8, 8, 8, 16, 16], 1, []
        for place, outputs in enumerate(channels):
            layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.ReLU()]
            if place in (0, 1, 3, 5):
                layers.append(nn.MaxPool2d(2, 2))
            width = outputs
        model = theirs.VGG(nn.Sequential(*layers), postprocess=False)
        model.embeddings = nn.Sequential(
            nn.Linear(24 * width, 24), nn.ReLU(True), nn.Linear(24, 24), nn.ReLU(True), nn.Linear(24, 16), nn.ReLU(True))
    state = he(model, None).state_dict()
    model.embeddings = model.embeddings[:-1]

    def judge(wave):
        return model(vggish_input.waveform_to_examples(wave.double().numpy(), 16000).float()), None
    return 16000, judge, ("vggish-10086976.pth", state)


# ---- Cnn14

def cnn14(size, calibration, rate=32000):
    """panns_inference's Cnn14."""
    package("panns_inference")
    from panns_inference import models as theirs
    window = rate * 32 // 1000
    torch.manual_seed(0)
    model = theirs.Cnn14(sample_rate=rate, window_size=window, hop_size=rate // 100, mel_bins=64, fmin=50,
                         fmax=14000 if rate == 32000 else 8000, classes_num=527)
    if size == "tiny":
        channels = [1, 4, 8, 8, 8, 16, 16]
        for block in range(6):
            setattr(model, f"conv_block{block + 1}", theirs.ConvBlock(channels[block], channels[block + 1]))
        model.fc1, model.fc_audioset = nn.Linear(16, 12), nn.Linear(12, 10)
    model.spec_augmenter = nn.Identity()

    def calibrate():
        model(calibration(rate))
    model = he(model, calibrate)
    state = model.state_dict()
    if size == "tiny":  # The transform, which is not small and not read.
        state = {key: value for key, value in state.items() if not key.startswith("spectrogram_extractor.")}

    def judge(wave):
        embedding = model(wave[None])["embedding"]
        return embedding, model.fc_audioset(embedding)
    name = "Cnn14_mAP=0.431.pth" if rate == 32000 else "Cnn14_16k_mAP=0.438.pth"
    return rate, judge, (name, {"iteration": 600000, "model": state})


# ---- LAION's CLAP

TOKENIZER = Path(__file__).parent.parent / "Checkpoints/tiny/tokenizer"
TEXTS = ["a dog barking", "heavy rain on a tin roof", ""]


def clap(size, calibration, fused=False):
    """laion_clap's HTSAT beside transformers' RoBERTa, as its CLAP joins them."""
    package("laion_clap")
    package("laion_clap.clap_module")
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast
    for name in ("torchvision", "torchvision.ops"):
        stub(name)
    stub("torchvision.ops.misc", FrozenBatchNorm2d=nn.Identity)
    from laion_clap.clap_module import htsat as theirs
    tokenizer = RobertaTokenizerFast.from_pretrained(TOKENIZER)
    audio = types.SimpleNamespace(mel_bins=64, window_size=1024, hop_size=480, sample_rate=48000, fmin=50, fmax=14000)
    torch.manual_seed(0)
    tiny = size == "tiny"
    model = nn.Module()
    model.audio_branch = theirs.HTSAT_Swin_Transformer(
        embed_dim=16 if tiny else 96, depths=[2, 1] if tiny else [2, 2, 6, 2], num_heads=[2, 4] if tiny else [4, 8, 16, 32],
        num_classes=3 if tiny else 527, config=audio, enable_fusion=fused, fusion_type="aff_2d" if fused else "None")
    width, text, joint = model.audio_branch.num_features, 64 if tiny else 768, 32 if tiny else 512
    model.text_branch = RobertaModel(RobertaConfig(
        vocab_size=len(tokenizer) if tiny else 50265, hidden_size=text, num_hidden_layers=1 if tiny else 12,
        num_attention_heads=text // 64, intermediate_size=4 * text, max_position_embeddings=40 if tiny else 514,
        type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5))
    model.text_projection = nn.Sequential(nn.Linear(text, joint), nn.ReLU(), nn.Linear(joint, joint))
    model.audio_projection = nn.Sequential(nn.Linear(width, joint), nn.ReLU(), nn.Linear(joint, joint))
    model.logit_scale_a, model.logit_scale_t = nn.Parameter(torch.tensor(2.66)), nn.Parameter(torch.tensor(2.66))
    for name, parameter in model.named_parameters():
        if "bias_table" in name or "_embeddings.weight" in name:
            nn.init.normal_(parameter, std=0.5)

    def branch(wave):
        if not fused:
            return model.audio_branch({"waveform": wave[None]})["embedding"]
        # laion_clap.training.data.get_mel, whose module needs more than it uses.
        mel = torchaudio.transforms.MelSpectrogram(
            sample_rate=48000, n_fft=1024, win_length=1024, hop_length=480, center=True, pad_mode="reflect", power=2.0, norm=None,
            onesided=True, n_mels=64, f_min=50, f_max=14000).to(wave.dtype)(wave)
        mel = torchaudio.transforms.AmplitudeToDB(top_db=None)(mel).T
        return model.audio_branch({"mel_fusion": torch.stack([mel] * 4)[None], "longer": torch.tensor([False])},
                                  device="cpu")["embedding"]

    def filled(wave):
        """The first ten seconds; shorter sounds as often as they fit, then zeros."""
        wave = wave[:480000].repeat(max(480000 // len(wave), 1))
        return nn.functional.pad(wave, (0, 480000 - len(wave)))

    # The norm of the bands hears all sounds at once.
    def calibrate():
        branch(torch.cat([wave[: 160000] for wave in calibration(48000)])[:480000])
    model = he(model, calibrate)
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and "extractor" not in name:
            value.copy_(value.half())

    def judge(wave):
        # In float64: float32 is off by decibels where a band is quiet beside a loud one.
        model.double()
        embedding = nn.functional.normalize(model.audio_projection(branch(filled(wave).double())), dim=-1)
        model.float()
        return embedding, None

    def texts():
        tokens = [tokenizer(text, return_tensors="pt") for text in TEXTS]
        states = [model.text_branch(**token).pooler_output for token in tokens]
        return nn.functional.normalize(model.text_projection(torch.cat(states)), dim=-1)
    state = {f"module.{name}": value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    if tiny:  # What is not small and not read.
        state = {name: value for name, value in state.items()
                 if "attn_mask" not in name and "position_index" not in name and "extractor" not in name}
    name = "630k-audioset-fusion-best.pt" if fused else "630k-audioset-best.pt"
    return 48000, judge, (name, {"epoch": 15, "name": "x", "state_dict": state}), {"texts": texts()}


# ---- MusicNN

def musicnn_patches(wave):
    """The package's spectrogram, with librosa's padding of its time, and not rounded to float16, which overflows."""
    import librosa
    least = 186 * 256
    wave = nn.functional.pad(wave, (0, max(least - len(wave), 0))).numpy()
    mel = librosa.feature.melspectrogram(y=wave, sr=16000, hop_length=256, n_fft=512, n_mels=96, pad_mode="reflect").T
    mel = torch.from_numpy(np.log10(10000 * mel.astype(np.float64) + 1)).float()
    return mel[: len(mel) // 187 * 187].reshape(-1, 187, 96)


def musicnn_network(tensors, x):
    """models.build_musicnn of the package, in PyTorch, on the names of export_musicnn.py."""
    def norm(path, x, axis=1):
        return nn.functional.batch_norm(x.transpose(1, axis), *(tensors[f"{path}.{part}"] for part in (
            "running_mean", "running_var", "weight", "bias"))).transpose(1, axis)

    def conv(path, x, padding):
        weight = tensors[f"{path}.conv.weight"]
        call = nn.functional.conv2d if weight.ndim == 4 else nn.functional.conv1d
        return norm(f"{path}.norm", call(nn.functional.pad(x, padding), weight, tensors[f"{path}.conv.bias"]).relu())
    x = norm("frontend.norm", x[:, None])
    front = [conv(f"frontend.timbral.{i}", x, (0, 0, 3, 3)).amax(3) for i in range(2)]
    front += [conv(f"frontend.temporal.{i}", x, (0, 0, n // 2 - 1, n // 2)).amax(3) for i, n in enumerate((128, 64, 32))]
    front = torch.cat(front, 1)
    first = conv("midend.0", front, (3, 3))
    second = conv("midend.1", first, (3, 3)) + first
    third = conv("midend.2", second, (3, 3)) + second
    every = torch.cat([front, first, second, third], 1)
    pooled = norm("backend.pool_norm", torch.cat([every.amax(2), every.mean(2)], 1))
    dense = nn.functional.linear(pooled, tensors["backend.dense.weight"], tensors["backend.dense.bias"]).relu()
    embedding = norm("backend.norm", dense)
    return embedding, nn.functional.linear(embedding, tensors["backend.output.weight"], tensors["backend.output.bias"])


def musicnn(size, calibration, name="MSD_musicnn"):
    import export_musicnn as export
    if size == "full":
        folder = export.folder(name)
        tensors = {name: torch.from_numpy(value.copy()) for name, value in export.renamed(export.checkpoint(folder)).items()}
    else:
        tensors = musicnn_random([4, 3, 6, 10, 8])

    def judge(wave):
        patches = musicnn_patches(wave)
        embedding, logits = musicnn_network(tensors, patches)
        if size == "full":
            for ours, theirs in zip((embedding, logits), musicnn_tensorflow(folder, name, patches)):
                assert (ours - theirs).norm() < 1e-5 * theirs.norm(), "the network here is not the package's"
        return embedding, logits.mean(0, keepdim=True)
    return 16000, judge, (f"{name}.safetensors", tensors)


def musicnn_random(sizes):
    timbral, temporal, middle, hidden, classes = sizes
    front = 2 * timbral + 3 * temporal
    shapes = {f"frontend.timbral.{i}": (timbral, 1, 7, n) for i, n in enumerate((38, 67))}
    shapes |= {f"frontend.temporal.{i}": (temporal, 1, n, 1) for i, n in enumerate((128, 64, 32))}
    shapes |= {f"midend.{i}": (middle, front if i == 0 else middle, 7) for i in range(3)}
    generator = torch.Generator().manual_seed(0)
    tensors = {}

    def add(path, shape, name="conv"):
        scale = (2 / np.prod(shape[1:])) ** 0.5
        tensors[f"{path}.{name}.weight"] = scale * torch.randn(shape, generator=generator)
        tensors[f"{path}.{name}.bias"] = 0.1 * torch.randn(shape[0], generator=generator)

    def add_norm(path, width):
        # Some scales are negative, and some nothing, as in what is published.
        for part, value in (("weight", torch.randn(width, generator=generator).round(decimals=1)), ("bias", None),
                            ("running_mean", None), ("running_var", torch.rand(width, generator=generator) + 0.5)):
            tensors[f"{path}.{part}"] = 0.3 * torch.randn(width, generator=generator) if value is None else value
    add_norm("frontend.norm", 1)
    tensors["frontend.norm.weight"][:] = 0.6
    for path, shape in shapes.items():
        add(path, shape)
        add_norm(f"{path}.norm", shape[0])
    width = 2 * (front + 3 * middle)
    add_norm("backend.pool_norm", width)
    add("backend", (hidden, width), "dense")
    add_norm("backend.norm", hidden)
    add("backend", (classes, hidden), "output")
    return tensors


def musicnn_tensorflow(folder, name, patches):
    """Penultimate layer and logits of the package's network with its own weights."""
    import tensorflow as tf
    package("musicnn")
    from musicnn import models
    tf.compat.v1.disable_eager_execution()
    tf.compat.v1.reset_default_graph()
    with tf.name_scope("model"):
        x = tf.compat.v1.placeholder(tf.float32, [None, 187, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        found = models.define_model(x, training, name, 50)
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.Saver().restore(session, f"{folder}/")
        values = session.run([found[-1], found[0]], {x: patches.numpy(), training: False})
    return [torch.from_numpy(value) for value in values]


# ---- PaSST

def passt(size, calibration):
    """hear21passt's network and spectrogram."""
    for name in ("timm", "timm.models"):
        stub(name)
    stub("timm.models._hub", download_cached_file=None)
    package("hear21passt")
    package("hear21passt.models")
    from hear21passt.models import passt as theirs, preprocess
    theirs.first_RUN = False
    torch.manual_seed(0)
    tiny = size == "tiny"
    model = theirs.PaSST(stride=10, img_size=(128, 998), distilled=True, embed_dim=64 if tiny else 768, depth=2 if tiny else 12,
                         num_heads=1 if tiny else 12, num_classes=12 if tiny else 527)
    model = he(model, None)
    for name, parameter in model.named_parameters():
        if "pos_embed" in name or "token" in name:
            nn.init.normal_(parameter, std=0.5)
    model = model.half().float().eval()
    # As hear21passt.base makes it.
    spectrogram = preprocess.AugmentMelSTFT(fmin_aug_range=10, fmax_aug_range=2000).eval()

    def judge(wave):
        mel = spectrogram(wave[None])[:, None, :, :998]
        logits, features = model(mel)
        return features, logits
    return 32000, judge, ("passt-s-f128-p16-s10-ap.476-swa.pt", {name: value.half() for name, value in model.state_dict().items()})


JUDGES = {"vggish": vggish, "cnn14": cnn14, "cnn14-16k": lambda *a: cnn14(*a, rate=16000), "clap": clap,
          "clap-fused": lambda *a: clap(*a, fused=True), "musicnn": musicnn,
          "musicnn-mtt": lambda *a: musicnn(*a, name="MTT_musicnn"), "passt": passt}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["sounds", *JUDGES])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", choices=["tiny", "full"], default="tiny")
    arguments = parser.parse_args()
    folder = arguments.out / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.name == "sounds":
        for name, (wave, rate) in sounds(arguments.size).items():
            soundfile.write(folder / f"{name}.wav", wave, rate, subtype="PCM_16")
        return
    paths = sorted((arguments.out / "sounds").glob("*.wav"))

    def calibration(rate):
        waves = [heard(path, rate)[: 2 * rate] for path in paths if path.stem in ("speech", "noise", "tone")]
        return torch.stack([nn.functional.pad(wave, (0, 2 * rate - len(wave))) for wave in waves])
    rate, judge, (file, contents), *golden = JUDGES[arguments.name](arguments.size, calibration)
    save_file(contents, folder / file) if file.endswith(".safetensors") else torch.save(contents, folder / file)
    golden = golden[0] if golden else {}
    for path in paths:
        embeddings, logits = judge(heard(path, rate, least=1 if "clap" in arguments.name else 32000))
        golden[f"embeddings.{path.stem}"] = embeddings.float().contiguous()
        if logits is not None:
            golden[f"logits.{path.stem}"] = logits.float().contiguous()
    save_file(golden, folder / "golden.safetensors")


if __name__ == "__main__":
    main()
