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

# The same profiles as ours (Temperley 1999): librosa has chroma and no key detection.
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def key(samples, rate):
    shares = librosa.feature.chroma_cqt(y=samples, sr=rate).sum(1)
    fits = [(np.corrcoef(shares, np.roll(profile, tonic))[0, 1], tonic, minor)
            for minor, profile in ((False, MAJOR), (True, MINOR)) for tonic in range(12)]  # fmt: skip
    return list(max(fits)[1:])


def main(folder):
    warnings.simplefilter("ignore")
    work = json.loads((folder / "work.json").read_text())
    out = {"pieces": [], "stretch": [], "noise": []}
    warm, rate = librosa.load(folder / work["pieces"][0], sr=22_050, duration=5)
    librosa.beat.beat_track(y=warm, sr=rate)  # numba compiles here, not in the measured time
    for name in work["pieces"]:
        samples, rate = librosa.load(folder / name, sr=22_050)
        begun = time.perf_counter()
        tempo, beats = librosa.beat.beat_track(y=samples, sr=rate, units="time")
        seconds = time.perf_counter() - begun
        found = [int(each) for each in key(samples, rate)]
        out["pieces"].append({"tempo": float(np.atleast_1d(tempo)[0]), "beats": beats.tolist(), "key": found, "seconds": seconds})
    for name, speed in work["stretch"]:
        samples, rate = librosa.load(folder / name, sr=None)
        begun = time.perf_counter()
        made = librosa.effects.time_stretch(samples, rate=speed)
        out["stretch"].append(time.perf_counter() - begun)
        wavfile.write(folder / f"peer-{name}", rate, made.astype(np.float32))
    for name in work["noise"]:
        samples, rate = librosa.load(folder / name, sr=None)
        begun = time.perf_counter()
        for kind in ("still", "moving"):
            made = noisereduce.reduce_noise(y=samples, sr=rate, stationary=kind == "still")
            wavfile.write(folder / f"peer-{kind}-{name}", rate, made.astype(np.float32))
        out["noise"].append((time.perf_counter() - begun) / 2)
    (folder / "peer.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
