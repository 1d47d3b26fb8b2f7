"""What Python hears of the library: check.py MODULE_FOLDER PROGRAM SCRATCH."""
import copy
import os
import signal
import subprocess
import sys
import threading
import time
import wave

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import audioldm2  # noqa: E402
import numpy as np  # noqa: E402

program, scratch = sys.argv[2:]
options = {"seconds": 1, "steps": 2, "seed": 7}
pipeline = audioldm2.Pipeline(device="cpu")
heard = []
sound = pipeline.generate("heavy rain", progress=lambda *step: heard.append(step), **options)
assert ("denoising", 2, 2) in heard, heard
assert sound.samples.dtype == np.float32 and sound.samples.shape == (sound.sample_rate,) and sound.seed == 7
assert sound.record["prompt"] == "heavy rain" and np.abs(sound.samples).max() > 0.01

path = os.path.join(scratch, "command.wav")
subprocess.run(
    [program, "generate", "heavy rain", "-o", path, "--quiet", "--device", "cpu"]
    + [word for name, value in options.items() for word in ("--" + name, str(value))], check=True)
with wave.open(path) as file:
    command = np.frombuffer(file.readframes(file.getnframes()), "<i2")
assert np.array_equal(np.clip(np.rint(sound.samples * 32768), -32768, 32767).astype(np.int16), command), "samples differ"
written = os.path.join(scratch, "python.wav")
sound.write(written)
assert open(written, "rb").read() == open(path, "rb").read()

for wrong, kind in [({"step": 2}, "option"), ({"seconds": -1}, "option"), ({"memory_limit": 1}, "memory")]:
    try:
        pipeline.generate("rain", **wrong)
        raise AssertionError(f"{wrong} was taken")
    except audioldm2.Error as error:
        assert error.kind == kind and str(error), (error.kind, error)
assert audioldm2.inspect()["family"] == "audioldm2"

# NumPy's numbers are numbers; a zero byte would cut a text, and two owners of a handle would both free it.
numbers = {"seconds": np.float32(1), "steps": np.int64(2), "seed": np.uint64(7)}
assert np.array_equal(pipeline.generate("heavy rain", **numbers).samples, sound.samples)
for wrong in [lambda: pipeline.generate("ra\0in"), lambda: audioldm2.Pipeline("a\0b"), lambda: sound.write("a\0.wav")]:
    try:
        wrong()
        raise AssertionError("a zero byte was taken")
    except audioldm2.Error as error:
        assert error.kind == "argument" and "zero byte" in str(error), error
for wrong in [lambda: copy.copy(pipeline), lambda: copy.copy(sound), lambda: pipeline.generate(None)]:
    try:
        wrong()
        raise AssertionError("no TypeError")
    except TypeError:
        pass

# A child of this process has none of the threads that work: it says so, and does not wait for them.
child = os.fork()
if child == 0:
    signal.alarm(20)
    try:
        pipeline.generate("rain", **options)
        os._exit(1)
    except audioldm2.Error as error:
        os._exit(0 if error.kind == "argument" and "fork" in str(error) else 2)
assert os.waitpid(child, 0)[1] == 0, "a forked child does not say that it cannot work"


class Enough(Exception):
    pass


def stop(*_):
    raise Enough


try:
    pipeline.generate("rain", progress=stop, steps=1000)
    raise AssertionError("not stopped")
except Enough:
    pass

# Ctrl-C after a second of work that takes minutes, and how long it goes on.
steps = []
begun = time.monotonic()
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    pipeline.generate("rain", progress=lambda *step: steps.append((time.monotonic(), *step)), seconds=60, steps=1000)
    raise AssertionError("not interrupted")
except KeyboardInterrupt:
    ended = time.monotonic()
times = [time for time, stage, *_ in steps if stage == "denoising"]
done = max((completed for _, stage, completed, _ in steps if stage == "denoising"), default=0)
step = (times[-1] - times[0]) / max(done, 1) if done else ended - begun
assert ended - begun - 1 < max(2 * step, 0.5), (ended - begun - 1, step)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
print(f"Python: samples equal the command's; Ctrl-C stopped after {ended - begun - 1:.2f} s, a step takes {step:.2f} s")
