"""AudioLDM 2 for Python: text to sound, offline, by the library libaudioldm2 (see audioldm2.h).

    import audioldm2

    pipeline = audioldm2.Pipeline()                       # the model that ships; or Pipeline("audioldm2.aldm")
    sound = pipeline.generate("heavy rain", seconds=5, seed=1)
    sound.samples                                         # float32, of shape (frames,) or (frames, channels)
    sound.write("rain.wav")

This file needs nothing but NumPy and the library, which is looked for as AUDIOLDM2_LIBRARY says, else as the system does.
Ctrl-C stops the work within a step and raises KeyboardInterrupt.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint64, c_void_p
from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt

__all__ = ["Error", "Pipeline", "Sound", "inspect", "version"]

#: Stage, steps done, steps in all; what it returns is not looked at, what it raises ends the work.
Progress = Callable[[str, int, int], None]

_INTERFACE_VERSION = 1
_KINDS = {
    2: "argument", 3: "model file", 4: "configuration", 5: "option", 6: "file", 7: "memory", 8: "device", 9: "other",
}
_OK, _STOPPED = 0, 1
_Progress = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int32, c_int32)


def _load() -> ctypes.CDLL:
    # A wheel brings the library with it.
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audioldm2_library/lib/libaudioldm2.so.0")
    name = os.environ.get("AUDIOLDM2_LIBRARY") or (beside if os.path.exists(beside) else "libaudioldm2.so.0")
    library = ctypes.CDLL(name)
    functions: dict[str, tuple[Any, list[Any]]] = {
        "interface_version": (c_int32, []),
        "version": (c_char_p, []),
        "last_error": (c_char_p, []),
        "open": (c_int, [c_char_p, c_char_p, POINTER(c_void_p)]),
        "pipeline_free": (None, [c_void_p]),
        "pipeline_sample_rate": (c_int32, [c_void_p]),
        "pipeline_default_seconds": (c_double, [c_void_p]),
        "pipeline_device": (c_char_p, [c_void_p]),
        "pipeline_threads": (c_int32, [c_void_p]),
        "inspect": (c_int, [c_char_p, POINTER(c_void_p)]),
        "text_free": (None, [c_void_p]),
        "generate": (c_int, [c_void_p, c_char_p, c_char_p, _Progress, c_void_p, POINTER(c_void_p)]),
        "sound_free": (None, [c_void_p]),
        "sound_samples": (POINTER(c_float), [c_void_p, POINTER(c_size_t)]),
        "sound_sample_rate": (c_int32, [c_void_p]),
        "sound_channels": (c_int32, [c_void_p]),
        "sound_seed": (c_uint64, [c_void_p]),
        "sound_record": (c_char_p, [c_void_p]),
        "sound_warnings": (c_char_p, [c_void_p]),
        "sound_write": (c_int, [c_void_p, c_char_p]),
    }
    for function, (result, arguments) in functions.items():
        entry = getattr(library, "audioldm2_" + function)
        entry.restype, entry.argtypes = result, arguments
    if library.audioldm2_interface_version() < _INTERFACE_VERSION:
        raise ImportError(f"{name}: interface {library.audioldm2_interface_version()}, needed is {_INTERFACE_VERSION}")
    return library


_library = _load()


class Error(Exception):
    """What went wrong, in one sentence that names the file or value and what to do."""

    #: "argument", "model file", "configuration", "option", "file", "memory", "device" or "other".
    kind: str

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _check(status: int) -> None:
    if status != _OK:
        raise Error(_KINDS.get(status, "other"), (_library.audioldm2_last_error() or b"").decode())


def _bytes(text: str | os.PathLike[str], name: str) -> bytes:
    data = text.encode() if name == "prompt" and isinstance(text, str) else os.fsencode(text)
    if b"\0" in data:
        # C's texts end there.
        raise Error("argument", f"the {name} has a zero byte")
    return data


def _text(text: Optional[bytes]) -> str:
    return (text or b"").decode()


def version() -> str:
    """Of the library."""
    return _text(_library.audioldm2_version())


def inspect(path: Optional[str | os.PathLike[str]] = None) -> dict[str, Any]:
    """What a model file contains, can do and comes from; without a path, of the model that ships."""
    text = c_void_p()
    _check(_library.audioldm2_inspect(None if path is None else _bytes(path, "path"), byref(text)))
    try:
        information: dict[str, Any] = json.loads(ctypes.string_at(text.value or 0))
        return information
    finally:
        _library.audioldm2_text_free(text)


class Sound:
    """A finished sound. Its samples are NumPy's own: they outlive it."""

    #: float32 in -1...1, of shape (frames,) for one channel, else (frames, channels).
    samples: npt.NDArray[np.float32]
    #: In Hz.
    sample_rate: int
    #: Give it again to get the same sound.
    seed: int
    #: How the sound came about: what its file says too.
    record: dict[str, Any]
    #: What is to be known and did not stop the work.
    warnings: list[str]

    def __init__(self, handle: c_void_p) -> None:
        self._handle = handle
        count = c_size_t()
        start = _library.audioldm2_sound_samples(handle, byref(count))
        samples = np.ctypeslib.as_array(start, shape=(count.value,)).copy()
        channels = _library.audioldm2_sound_channels(handle)
        self.samples = samples if channels == 1 else samples.reshape(-1, channels)
        self.sample_rate = _library.audioldm2_sound_sample_rate(handle)
        self.seed = _library.audioldm2_sound_seed(handle)
        self.record = json.loads(_text(_library.audioldm2_sound_record(handle)))
        self.warnings = _text(_library.audioldm2_sound_warnings(handle)).splitlines()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes a file whose extension says how: wav, flac, ogg, opus, mp3 or aiff."""
        _check(_library.audioldm2_sound_write(self._handle, _bytes(path, "path")))

    def __reduce__(self) -> str:
        # Two owners of one handle would both free it.
        raise TypeError("a Sound cannot be copied or pickled: copy its samples, or write it")

    def __del__(self) -> None:
        _library.audioldm2_sound_free(self.__dict__.get("_handle"))


class Pipeline:
    """An open model. Sounds that are asked of one pipeline are made one after the other."""

    def __init__(
        self, model: Optional[str | os.PathLike[str]] = None, *, threads: Optional[int] = None,
        device: Optional[str] = None, weight_budget: int = 0,
    ) -> None:
        """
        :param model: a model file; the model that ships if there is none.
        :param threads: to compute with; as many as there are processors to use if there is none.
        :param device: "auto", "cpu", "cuda" or "cuda:N".
        :param weight_budget: bytes of weights that stay in memory from sound to sound.
        """
        settings = _given({"threads": threads, "device": device, "weight_budget": weight_budget})
        handle = c_void_p()
        _check(_library.audioldm2_open(None if model is None else _bytes(model, "path"), settings, byref(handle)))
        self._handle = handle
        #: In Hz.
        self.sample_rate: int = _library.audioldm2_pipeline_sample_rate(handle)
        #: Of a sound unless told otherwise.
        self.default_seconds: float = _library.audioldm2_pipeline_default_seconds(handle)
        #: What computes, such as "avx2".
        self.device: str = _text(_library.audioldm2_pipeline_device(handle))
        #: Of the processor, that compute.
        self.threads: int = _library.audioldm2_pipeline_threads(handle)

    def generate(self, prompt: str, *, progress: Optional[Progress] = None, **options: Any) -> Sound:
        """Makes a sound.

        :param progress: hears how far it is, ten times a second.
        :param options: the fields of a line of `audioldm2 batch`, and memory_limit: seconds, seed, steps, guidance_scale,
            negative_prompt, scheduler, quality, loop, ... What is None was not said.
        :raises Error: for options that cannot be used, and what goes wrong; KeyboardInterrupt after Ctrl-C; what `progress`
            raises.
        """
        if not isinstance(prompt, str):
            raise TypeError(f"the prompt is of type {type(prompt).__name__}, and not a str")
        words = _bytes(prompt, "prompt")
        raised: list[BaseException] = []

        def hear(_: Any, stage: bytes, completed: int, total: int) -> int:
            try:
                if progress is not None:
                    progress(stage.decode(), completed, total)
            except BaseException as error:
                raised.append(error)
            return 1 if raised or interrupt.came else 0

        handle = c_void_p()
        with _Interrupt() as interrupt:
            status = _library.audioldm2_generate(
                self._handle, words, _given(options), _Progress(hear), None, byref(handle))
        if raised:
            raise raised[0]
        _check(status)
        return Sound(handle)

    def __reduce__(self) -> str:
        # Two owners of one handle would both free it.
        raise TypeError("a Pipeline cannot be copied or pickled: open the model again")

    def __del__(self) -> None:
        _library.audioldm2_pipeline_free(self.__dict__.get("_handle"))


class _Interrupt:
    """Notes Ctrl-C while the library works, and does afterwards what it usually does: a handler that raised in the midst of a
    function that C calls would not be heard."""

    came = False

    def __enter__(self) -> _Interrupt:
        is_main = threading.current_thread() is threading.main_thread()
        self._usual = signal.getsignal(signal.SIGINT) if is_main else None
        if callable(self._usual):
            signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: Any) -> None:
        self.came = True

    def __exit__(self, *_: Any) -> None:
        if callable(self._usual):
            signal.signal(signal.SIGINT, self._usual)
            if self.came:
                self._usual(signal.SIGINT, None)


def _given(values: dict[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in values.items() if value is not None}, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"an option of type {type(value).__name__} cannot be used")
