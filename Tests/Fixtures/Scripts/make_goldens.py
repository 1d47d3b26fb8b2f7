#!/usr/bin/env python3
"""Checkpoint folder and golden tensors as the reference script `make_checkpoint.py` writes them, in evaluation mode.

The script builds its modules by their constructors, which leave them in training mode: dropout then changes the text
stages of its golden files at random (CLAP by 3 %, T5 by 60 % on the tiny checkpoint), and nothing can reproduce them.
This switches every module to evaluation, as `from_pretrained` does.  And it lets GPT-2 answer once for the same sequence:
the script asks for the same 512 vectors of speech twelve times.

    make_goldens.py MAKE_CHECKPOINT.py --size tiny --seed 1 --dtype float16 --out ckpt-tiny --golden golden.safetensors

Arguments after the first are those of make_checkpoint.py.  The files in ../Goldens, with --dtype float16 --seed 1:

    tiny-2.56s        --size tiny
    tiny-1.7s         --size tiny --seconds 1.7 --steps 5 --negative ""
                      --prompt "Techno music, 128 bpm: café noises & a siren (loud!) 🎵"
    tiny-large-2.56s  --size tiny-large
    tiny-large-3.3s   --size tiny-large --seconds 3.3 --steps 7 --guidance 2.5 --prompt "birds singing"
                      --negative "low quality, average quality, harsh noise"

and the folders in ../Checkpoints: the first and the third.  At full size, which no repository holds (`--seed 1 --dtype
float16 --seconds 1.28 --steps 4`, some minutes and 12 GB of memory each): --size large, --size tts.
"""
import importlib.util
import sys


def answering_once(generate):
    answers = []

    def answer(inputs, **arguments):
        for known, result in answers:
            if known.shape == inputs.shape and bool((known == inputs).all()):
                return result.clone()
        answers.append((inputs.clone(), generate(inputs, **arguments)))
        return answers[-1][1].clone()

    return answer


def main():
    path = sys.argv.pop(1)
    spec = importlib.util.spec_from_file_location("make_checkpoint", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    build = script.build

    def build_for_evaluation(*arguments):
        pipeline = build(*arguments)
        for component in pipeline.components.values():
            if hasattr(component, "eval"):
                component.eval()
        pipeline.generate_language_model = answering_once(pipeline.generate_language_model)
        return pipeline

    script.build = build_for_evaluation
    script.main()


if __name__ == "__main__":
    main()
