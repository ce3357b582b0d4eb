"""Sound effects: seeded, of any length, without a seam, each where its energy belongs; and picked by the words of a scene."""

import numpy as np
import pytest
from click.testing import CliRunner

from mofang import trust
from mofang.apps.make import ambience
from mofang.cli import mofang
from mofang.sound import pcm
from mofang.sound.effects import EFFECTS, TURN, effect
from mofang.sound.effects.ring import RATE, Ring, band, bubble, gains, struck
from mofang.sound.effects.words import effects_for
from mofang.studio import Studio, UserError


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def middle(samples, share=0.5):
    """The frequency below which `share` of the power lies."""
    power = np.abs(np.fft.rfft(samples.mean(1))) ** 2
    total = np.cumsum(power)
    return np.searchsorted(total, share * total[-1]) / len(samples) * RATE


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_seeded_and_has_no_seam(name):
    made = effect(name, 3.3, 7)
    assert made.shape == (round(3.3 * RATE), 2) and made.dtype == np.float32 and np.isfinite(made).all()
    assert np.array_equal(made, effect(name, 3.3, 7)) and not np.array_equal(made, effect(name, 3.3, 8))
    assert 0.02 < np.abs(made).max() <= 0.9001
    assert abs(float(made.mean())) < 1e-3
    # The step over the seam is one among all others: second differences show a click best.
    bends = np.abs(np.diff(np.concatenate([made, made[:2]]), 2, axis=0)).max(1)
    assert bends[-2:].max() <= bends[:-2].max()
    around = np.sqrt(np.mean(np.concatenate([made[-2400:], made[:2400]]) ** 2))
    assert around < 6 * max(float(made.std()), 1e-9)


def test_lengths_go_round():
    short = Ring(round(150 * RATE / 2), np.random.default_rng(0))
    assert short.seconds < TURN
    made = effect("clock", 150, 1)
    assert len(made) == 150 * RATE and np.array_equal(made[: 75 * RATE], made[75 * RATE :])
    for seconds in (0.1, 1e9):
        with pytest.raises(UserError, match="cannot be made"):
            effect("rain", seconds)
    with pytest.raises(UserError, match="choose one of"):
        effect("vacuum", 3)


def test_sounds_have_their_place_in_the_spectrum():
    places = {name: middle(effect(name, 4, 1)) for name in ("heartbeat", "thunder", "train", "rain", "crickets", "birds", "crowd")}
    assert places["heartbeat"] < 120 and places["thunder"] < 250 and places["train"] < 250
    assert places["rain"] > 1500 and 3500 < places["crickets"] < 5500 and 1800 < places["birds"] < 8000
    assert 150 < places["crowd"] < 1200


def test_clocks_hearts_and_steps_keep_time():
    from mofang.sound.edit.beats import grid
    from mofang.sound.edit.source import Sound

    assert abs(grid(Sound(effect("clock", 10, 2), RATE), 60).tempo - 60) < 0.5
    assert abs(grid(Sound(effect("footsteps", 11, 2), RATE)).tempo - 109) < 4


def test_a_bubble_sounds_as_physics_says():
    made = bubble(0.003, 0.0)  # f = 3 / r
    level = np.abs(np.fft.rfft(made, 1 << 16))
    assert abs(np.argmax(level) * RATE / (1 << 16) - 1000) < 30
    damping = 0.13 / 0.003 + 0.0072 * 0.003**-1.5
    peak = np.abs(made)[: round(0.002 * RATE)].max()
    later = np.abs(made)[round(0.01 * RATE) : round(0.012 * RATE)].max()
    assert abs(later / peak - np.exp(-damping * 0.0096)) < 0.12


def test_struck_modes_die_in_their_time():
    made = struck([(440, 1.0, 1.0)])
    at = [np.abs(made[round(t * RATE) : round((t + 0.01) * RATE)]).max() for t in (0.1, 0.6)]
    assert abs(20 * np.log10(at[0] / at[1]) - 30) < 1


def test_noise_has_the_spectrum_it_was_asked_for():
    ring = Ring(4 * RATE, np.random.default_rng(3))
    power = np.abs(np.fft.rfft(ring.noise(band(500, 1000)))) ** 2
    hertz = np.fft.rfftfreq(ring.length, 1 / RATE)
    inside, octave = power[(hertz > 500) & (hertz < 1000)].mean(), power[(hertz > 1950) & (hertz < 2050)].mean()
    assert abs(10 * np.log10(inside / octave) - 12) < 1
    assert gains(band(500, 1000), 1000)[0] == 0
    curve = ring.wander(0.5, 2.0)
    assert abs(curve.mean()) < 1e-3 and abs(curve.std() - 1) < 0.05 and abs(curve[0] - curve[-1]) < 1e-3


@pytest.mark.parametrize(("text", "found"), [
    ("夜里下起了大雨，雷声隆隆。", {"rain", "thunder"}), ("It rained all night over the forest.", {"rain", "birds"}),
    ("他们坐在篝火旁。", {"fire"}), ("The waves broke on the beach.", {"waves"}), ("姑苏城外寒山寺，夜半钟声到客船。", {"bell"}),
    ("列车穿过原野", {"train"}), ("雨停了，没有风声", set()), ("The rain had stopped.", set()), ("training a terrain model", set()),
    ("", set()), ("小狐狸想摘月亮", set()), ("打雷了打雷了，下雨", {"thunder", "rain"}),
])  # fmt: skip
def test_words_call_for_sounds(text, found):
    assert set(effects_for(text)) == found


def test_every_word_of_the_lexicon_leads_to_an_effect_there_is():
    from mofang.sound.effects import words

    assert {row[0] for row in words._lexicon()} <= set(EFFECTS)


def test_the_bed_lies_where_its_scenes_are_and_under_the_music():
    scenes = [("下雨了", 0.0, 3.0), ("大雨还在下", 3.0, 5.0), ("他走进屋里看书", 5.0, 8.0)]
    found = ambience.around(scenes, 4)
    assert ambience.Around("rain", 0.0, 5.0, 4) in found
    bed = ambience.under(None, [ambience.Around("rain", 0.0, 5.0, 4)], 8.0)
    assert bed.shape == (8 * RATE, 2)
    assert bed[RATE : 4 * RATE].std() > 0.003 and not bed[6 * RATE :].any()
    music = (0.3 * np.sin(np.arange(8 * RATE) / 20))[:, None].repeat(2, 1).astype(np.float32)
    both = ambience.under(music, found, 8.0)
    part = both - music * float((both[-RATE:] * music[-RATE:]).sum() / (music[-RATE:] ** 2).sum())
    assert part[RATE : 4 * RATE].std() < both.std()


def test_from_the_command_line(tmp_path):
    listed = run(tmp_path, "sound", "effect")
    assert listed.exit_code == 0 and all(name in listed.output for name in EFFECTS)
    for name, target in (("rain", "a.wav"), ("海浪", "b.mp3")):
        result = run(tmp_path, "sound", "effect", name, tmp_path / target, "--seconds", "2", "--seed", "3")
        assert result.exit_code == 0, (result.output, result.exception)
        report = trust.verify(tmp_path / target, tmp_path / "studio")
        assert report.ok and report.personal
    assert np.abs(pcm.read(tmp_path / "a.wav", RATE, 2) - effect("rain", 2, 3)).max() < 1e-5
    for arguments in (("rain",), ("moon", tmp_path / "x.wav"), ("rain", tmp_path / "x.txt")):
        assert isinstance(run(tmp_path, "sound", "effect", *arguments).exception, UserError)


def test_an_effect_can_be_made_again(tmp_path):
    from mofang.apps.effect import made, recipe_of
    from mofang.apps.remake import remake

    studio = Studio(tmp_path)
    making = made(studio, recipe_of("bell", 2.0, 5))
    assert remake(studio, making.asset)[0] == making.asset.id
