"""The storyboard as a file: what is written is read back, and a mistake is named where it stands."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.apps.make.storyboard import Picture, Shot, Storyboard, is_storyboard, loads
from mofang.image.engines.collage.scene import Mood, Place, Role, Scene, Season, Subject, Time, Weather
from mofang.studio import UserError

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
filled = words.filter(lambda text: text.strip())
subjects = st.builds(Subject, filled, words, st.integers(1, 9), st.sampled_from(get_args(Role)))
scenes = st.builds(
    Scene,
    st.sampled_from(get_args(Place)),
    st.sampled_from(get_args(Time)),
    st.none() | st.sampled_from(get_args(Season)),
    st.sampled_from(get_args(Weather)),
    st.sampled_from(get_args(Mood)),
    st.lists(subjects, max_size=3).map(tuple),
)
pictures = st.builds(Picture, scenes, st.just(""), st.integers(0, 99)) | st.builds(Picture, st.none(), filled)
shots = st.builds(Shot, filled, filled, pictures, words, st.sampled_from([0.0, 0.5, 1.25]), st.floats(0, 10))
storyboards = st.builds(
    Storyboard,
    words,
    st.sampled_from(["zh", "en"]),
    st.lists(shots, min_size=1, max_size=3, unique_by=lambda shot: shot.id).map(tuple),
    st.sampled_from(["9:16", "1:1"]),
)


@given(storyboards)
def test_written_and_read_back_is_the_same(board):
    text = board.dumps()
    assert loads(text) == board and is_storyboard(text.encode())


def example() -> dict:
    shot = Shot("s01", "从前有座山。", Picture(Scene("mountains", "day", None, "clear", "calm", ())))
    return json.loads(Storyboard("山", "zh", (shot,)).dumps())


@pytest.mark.parametrize(
    "spoil, named",
    [
        (lambda board: board.update(aspect="4:3"), "aspect"),
        (lambda board: board.update(speed=9), "speed"),
        (lambda board: board.update(speed="fast"), "speed"),
        (lambda board: board.update(shots=[]), "shots"),
        (lambda board: board.update(shots="none"), "shots"),
        (lambda board: board.update(titel="x"), "titel"),
        (lambda board: board.update(storyboard=9), "version"),
        (lambda board: board["shots"].append(board["shots"][0]), "same id"),
        (lambda board: board["shots"][0].update(text="  "), "shots\\[0\\].text"),
        (lambda board: board["shots"][0].pop("text"), "shots\\[0\\].text"),
        (lambda board: board["shots"][0]["picture"].clear(), "picture"),
        (lambda board: board["shots"][0]["picture"]["scene"].update(place="moon base"), "scene.place"),
        (lambda board: board["shots"][0]["picture"]["scene"].update(subjects=[{"glyph": 3}]), "glyph"),
    ],
)
def test_a_mistake_is_named_where_it_stands(spoil, named):
    board = example()
    spoil(board)
    with pytest.raises(UserError, match=named) as caught:
        loads(json.dumps(board))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"storyboard": 1}', '{"storyboard": true}'])
def test_broken_files_are_one_line(text):
    with pytest.raises(UserError):
        loads(text)


def test_half_characters_do_not_travel_on():
    board = example()
    board["shots"][0]["text"] = "狐\ud83d"
    assert loads(json.dumps(board)).shots[0].text == "狐?"
