"""Fingerprints: a part is found through noise, codec, level and shift; what only sounds alike is not."""

import numpy as np
import pytest
from click.testing import CliRunner

from mofang.apps.fingerprints import found_in, known, remember
from mofang.cli import mofang
from mofang.sound import pcm, speak
from mofang.sound.fingerprint import HOP, RATE, SIZE, Print, _peaks, _spectrogram, fingerprint, match
from mofang.studio import Studio

TEXTS = ("The fox came down to the river in the grey of the morning, and the owl was already there, waiting by the bridge.",
         "Nobody remembers who built the tower, but everybody knows the song that the wind sings when it blows through the windows.",
         "Bread, butter, apples and a little cheese: that was all they had, and they were as happy as kings and queens.")  # fmt: skip


@pytest.fixture(scope="module")
def spoken() -> list[np.ndarray]:
    return [speak(text, "hibari").samples for text in TEXTS]


def test_peaks_are_where_tones_are() -> None:
    time = np.arange(4 * RATE) / RATE
    loud, faint = np.sin(2 * np.pi * 1000 * time), 1e-4 * np.sin(2 * np.pi * 300 * time)
    tone = np.where((time > 1) & (time < 1.1), loud, faint).astype(np.float32)
    frames, bins = _peaks(_spectrogram(tone))
    strongest = np.argmin(np.abs(frames * HOP / RATE + SIZE / RATE / 2 - 1.05) + np.abs(bins - 128) / 100)
    assert bins[strongest] == pytest.approx(1000 * SIZE / RATE, abs=1) and abs(frames[strongest] * HOP / RATE + 0.064 - 1.05) < 0.06


def test_a_part_is_found_through_noise_level_and_codec(spoken, tmp_path) -> None:
    index = {str(number): fingerprint(each, 24_000) for number, each in enumerate(spoken)}
    rng = np.random.default_rng(0)
    part = spoken[1][round(1.7 * 24_000) : round(5.2 * 24_000)]
    power = np.sqrt(np.square(part).mean())
    noisy = (0.4 * part + 0.4 * power * 10 ** (-10 / 20) * rng.standard_normal(len(part))).astype(np.float32)
    pcm.write(tmp_path / "a.mp3", np.concatenate([0.1 * spoken[0][:1000], noisy]), 24_000, 48_000)
    for samples, start in ((part, 1.7), (noisy, 1.7), (pcm.read(tmp_path / "a.mp3", 24_000), 1.7)):
        found = match(fingerprint(samples, 24_000), index)
        assert [each.name for each in found] == ["1"]
        assert found[0].there - found[0].start == pytest.approx(start, abs=0.15) and found[0].seconds > 2


def test_the_same_voice_saying_something_else_is_no_match(spoken) -> None:
    prints = [fingerprint(each, 24_000) for each in spoken]
    for number, query in enumerate(prints):
        others = {str(other): each for other, each in enumerate(prints) if other != number}
        assert match(query, others) == []
    noise = np.random.default_rng(1).standard_normal(60 * RATE).astype(np.float32)
    assert match(fingerprint(noise, RATE), {"n": fingerprint(noise[::-1].copy(), RATE)} | {"v": prints[0]}) == []


def test_silence_short_and_steady_sounds_do_not_break_it(spoken) -> None:
    tone = np.sin(np.arange(10 * RATE) * 0.3).astype(np.float32)
    silences = (np.zeros(0, np.float32), np.zeros(RATE, np.float32), np.zeros((RATE, 2), np.float32))
    for samples in (*silences, np.ones(500, np.float32), tone):
        made = fingerprint(samples, RATE)
        assert isinstance(made, Print) and match(made, {"a": fingerprint(spoken[0], 24_000)}) == []


def test_works_are_compared_when_a_sound_is_published(spoken, tmp_path) -> None:
    pcm.write_wav(tmp_path / "mine.wav", spoken[0], 24_000)
    pcm.write_wav(tmp_path / "part.wav", spoken[0][24_000 : 4 * 24_000], 24_000)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "s"), *arguments])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    run("works", "add", str(tmp_path / "mine.wav"), "--licence", "own", "--consent", "self")
    assert "mine.wav" in run("works", "match", str(tmp_path / "part.wav"))
    run("speech", "say", TEXTS[0], str(tmp_path / "out.wav"), "--voice", "hibari")
    run("speech", "say", TEXTS[2], str(tmp_path / "other.wav"), "--voice", "hibari")
    # What was published is found too, in a copy as well.
    found = run("works", "match", str(tmp_path / "other.wav")).splitlines()
    assert len(found) == 1 and "other.wav (2" in found[0] and " from 1.5" in found[0]  # Not the label before it, which all share.
    for each in (tmp_path / "s" / "fingerprints").iterdir():
        each.write_bytes(b"broken")
    assert "none" in run("works", "match", str(tmp_path / "other.wav"))
    assert _published(tmp_path, "out.wav")["matches"][0]["work"] == "mine.wav"
    assert _published(tmp_path, "other.wav") == {"compared": 1, "matches": []}
    # The index is kept, and made again where it is damaged.
    studio = Studio(tmp_path / "s")
    kept = next((studio.folder / "cache" / "fingerprints-1").iterdir())
    whole = known(studio)[str(tmp_path / "mine.wav")].hashes
    kept.write_bytes(b"broken")
    assert np.array_equal(known(studio)[str(tmp_path / "mine.wav")].hashes, whole)


def test_a_film_is_found_by_its_sound(spoken, tmp_path) -> None:
    from films import film
    from mofang.trust import Receipt
    from mofang.video import render

    studio, said = Studio(tmp_path / "s"), tmp_path / "said.wav"
    pcm.write_wav(said, spoken[0], 24_000)
    render(film(tmp_path, (75, 75), audio=said), tmp_path / "film.mp4")
    remember(studio, Receipt(tmp_path / "film.mp4", "mofang-1", ""))
    remember(studio, Receipt(tmp_path / "cover.png", "mofang-2", ""))
    (tmp_path / "broken.mp4").write_bytes(b"broken")
    remember(studio, Receipt(tmp_path / "broken.mp4", "mofang-3", ""))
    pcm.write_wav(tmp_path / "part.wav", spoken[0][12_000 : 3 * 24_000], 24_000)
    assert [each.name[:8] for each in found_in(studio, tmp_path / "part.wav")] == ["mofang-1"]
    assert found_in(studio, tmp_path / "film.mp4")[0].share > 0.9


def _published(folder, name: str) -> dict:
    from mofang.trust import verify

    report = verify(folder / name, folder / "s")
    assert report.ok and report.credentials is not None
    return report.credentials.lineage["fingerprints"]
