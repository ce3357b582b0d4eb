"""librosa and noisereduce on the same files: run by `sound_edit.py` in their own venv, `python sound_edit_peer.py FOLDER`."""

import json
import sys
import time
import warnings
from pathlib import Path

import librosa
import noisereduce
import numpy as np
from scipy.io import wavfile

# librosa has chroma and no key detection: it gets our profiles (Albrecht & Shanahan 2013) and Temperley's (1999); the better count.
PROFILES = (
    ((0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
     (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)),
    ((5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0), (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)),
)  # fmt: skip
METHODS = {f"{kind}-{share}": {"stationary": kind == "still", "prop_decrease": share}
           for kind in ("still", "moving") for share in (1.0, 0.7)}  # fmt: skip
"""noisereduce's methods, taking all of the noise away as it does by default, and gentler, which spares the voice."""


def keys(samples, rate):
    """[tonic, minor] by each pair of profiles."""
    shares = librosa.feature.chroma_cqt(y=samples, sr=rate).sum(1)
    fits = [[(np.corrcoef(shares, np.roll(profile, tonic))[0, 1], tonic, minor) for minor, profile in enumerate(pair)
             for tonic in range(12)] for pair in PROFILES]  # fmt: skip
    return [list(max(each)[1:]) for each in fits]


def main(folder):
    warnings.simplefilter("ignore")
    work = json.loads((folder / "work.json").read_text())
    out = {"pieces": [], "stretch": [], "noise": []}
    warm, rate = librosa.load(folder / work["pieces"][0], sr=22_050, duration=5)
    # numba compiles here, and what is imported at first use is, not in the measured time.
    librosa.beat.beat_track(y=warm, sr=rate)
    librosa.effects.time_stretch(warm, rate=1.2)
    for method in METHODS.values():
        noisereduce.reduce_noise(y=warm, sr=rate, **method)
    for name in work["pieces"]:
        samples, rate = librosa.load(folder / name, sr=22_050)
        begun = time.perf_counter()
        tempo, beats = librosa.beat.beat_track(y=samples, sr=rate, units="time")
        seconds = time.perf_counter() - begun
        out["pieces"].append({"tempo": float(np.atleast_1d(tempo)[0]), "beats": beats.tolist(), "keys": keys(samples, rate),
                              "seconds": seconds})  # fmt: skip
    for name, speed in work["stretch"]:
        samples, rate = librosa.load(folder / name, sr=None)
        begun = time.perf_counter()
        made = librosa.effects.time_stretch(samples, rate=speed)
        out["stretch"].append(time.perf_counter() - begun)
        wavfile.write(folder / f"peer-{name}", rate, made.astype(np.float32))
    for name in work["noise"]:
        samples, rate = librosa.load(folder / name, sr=None)
        seconds = {}
        for kind, method in METHODS.items():
            begun = time.perf_counter()
            made = noisereduce.reduce_noise(y=samples, sr=rate, **method)
            seconds[kind] = time.perf_counter() - begun
            wavfile.write(folder / f"peer-{kind}-{name}", rate, made.astype(np.float32))
        out["noise"].append(seconds)
    (folder / "peer.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
