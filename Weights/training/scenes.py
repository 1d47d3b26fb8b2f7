"""Stage 7: compose the scenes that all further stages learn from: bank/waves.bin (int16, 10.24 s each) and
bank/scenes.json (facts for the captions, labels).  About 0.33 MB each.

    python3 scenes.py [--data FOLDER] [--scenes N] [--processes P]
"""

import json
import multiprocessing
from pathlib import Path

import numpy as np

from common import data_folder, parser
from data import SCENE, Pack, Scenes

CHUNK = 200


def compose(job: tuple[Path, int]) -> tuple[bytes, list[dict]]:
    """The scenes of one chunk: samples and descriptions.  The same chunk is always the same."""
    data, chunk = job
    scenes = Scenes(Pack(data), SCENE, chunk)
    made = [scenes.next() for _ in range(CHUNK)]
    waves = np.stack([w for w, _ in made])
    return np.round(32767 * waves.clip(-1, 1)).astype("<i2").tobytes(), [d for _, d in made]


def main():
    p = parser(__doc__)
    p.add_argument("--scenes", type=int, default=12000)
    p.add_argument("--processes", type=int, default=1)
    args = p.parse_args()
    data = data_folder(args.data)
    (data / "bank").mkdir(exist_ok=True)
    jobs, described = [(data, c) for c in range(-(-args.scenes // CHUNK))], []
    with multiprocessing.Pool(args.processes) as pool, (data / "bank/waves.tmp").open("wb") as out:
        for samples, descriptions in pool.imap(compose, jobs):
            out.write(samples)
            described += descriptions
    (data / "bank/waves.tmp").replace(data / "bank/waves.bin")
    (data / "bank/scenes.json").write_text(json.dumps({"scenes": described}, separators=(",", ":")))
    print(f"{len(described)} scenes")


if __name__ == "__main__":
    main()
