"""The painter: every place in every light, the same picture from the same seed, the hero where it can be seen."""

import xml.dom.minidom
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mofang.image import illustrate
from mofang.image.engines.collage.colour import encoded, linear, mix, shift
from mofang.image.engines.collage.paint import compose, paint
from mofang.image.engines.collage.scene import Mood, Place, Role, Scene, Season, Subject, Time, Weather
from mofang.studio import UserError

GLYPHS = ["1F98A", "1F475", "1F467", "1F433", "26F5", "1F3E0", "1F332", "1F41D", "1F375", "1F3EE", "1F315", "1F680",
          "1F469-200D-1F3EB"]  # fmt: skip
subjects = st.lists(
    st.builds(Subject, st.sampled_from(GLYPHS), st.just("x"), st.integers(1, 9), st.sampled_from(get_args(Role))), max_size=6
)
scenes = st.builds(
    Scene, st.sampled_from(get_args(Place)), st.sampled_from(get_args(Time)), st.none() | st.sampled_from(get_args(Season)),
    st.sampled_from(get_args(Weather)), st.sampled_from(get_args(Mood)), subjects.map(tuple))  # fmt: skip


def scene(place: Place = "hills", time: Time = "day", subjects: tuple[Subject, ...] = (Subject("1F98A", "fox", 1, "hero"),)) -> Scene:
    return Scene(place, time, None, "clear", "calm", subjects)


@pytest.mark.models
@pytest.mark.parametrize("place", get_args(Place))
def test_every_place_is_painted_and_well_formed(place):
    canvas, focus, credits = compose(scene(place, "night"), (180, 320))
    xml.dom.minidom.parseString(canvas.svg())
    picture = paint(scene(place, "night"), (180, 320)).image
    assert picture.shape == (320, 180, 3) and picture.std() > 8, "a flat picture is no picture"
    assert credits[0].licence == "Apache-2.0" and all(0 <= side <= 1 for side in focus)


@pytest.mark.models
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes, st.sampled_from([(90, 160), (160, 90), (120, 120)]), st.integers(0, 2**31))
def test_any_scene_can_be_painted(any_scene, size, seed):
    painting = paint(any_scene, size, seed=seed)
    assert painting.image.shape == (size[1], size[0], 3)
    left, top, width, height = painting.focus
    assert 0 <= left <= left + width <= 1.0001 and 0 <= top <= top + height <= 1.0001


@pytest.mark.models
def test_the_same_seed_gives_the_same_bytes_and_another_another_picture():
    first, again, other = (paint(scene(), (180, 320), seed=seed).image for seed in (4, 4, 5))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.models
@pytest.mark.parametrize("size, lowest", [((180, 320), 0.76), ((320, 180), 0.88), ((240, 240), 0.84)])
def test_heroes_stand_above_the_captions(size, lowest):
    for place in ("meadow", "lake", "room", "city"):
        _, top, _, height = paint(scene(place), size).focus
        assert top + height <= lowest


@pytest.mark.models
def test_what_one_set_does_not_draw_comes_from_another_with_its_credit():
    lighthouse = scene("beach", subjects=(Subject("1F6D9", "lighthouse", 1, "hero"),))
    titles = {credit.title for credit in paint(lighthouse, (180, 320), style="fluent").credits}
    assert "Noto Emoji" in titles


@pytest.mark.models
def test_an_unknown_style_is_refused():
    with pytest.raises(UserError, match="noto"):
        paint(scene(), (64, 64), style="oil")


@pytest.mark.models
def test_a_story_keeps_its_hero():
    paintings = illustrate(["一只小狐狸在山坡上。", "它跑到湖边。"], "zh", (90, 160))
    assert len(paintings) == 2 and all(painting.focus[2] > 0.1 for painting in paintings)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_colours_round_trip(red, green, blue):
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    assert encoded(linear(colour)) == colour
    for same in (mix(colour, "#123456", 0.0), shift(colour)):
        assert all(abs(int(same[i : i + 2], 16) - int(colour[i : i + 2], 16)) <= 1 for i in (1, 3, 5))


def test_mixing_is_oklab():
    # Ottosson 2020: halfway from black to white OKLab has lightness one half, which is sRGB 0x63.
    assert mix("#000000", "#ffffff", 0.5) == "#636363"
