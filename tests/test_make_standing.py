"""Films by an engine that draws on nothing: the subject stands in the place its words tell of."""

import numpy as np
import pytest
from PIL import Image

from mofang.apps.make import pictures, standing
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.apps.remake import remake
from mofang.image.engines import base
from mofang.studio import Studio

RED = (210, 40, 30)


class Discs:
    """A disc for whatever is asked, on nothing."""

    model, version, hears, exact, cut_out = "discs@0", "1", frozenset({"style"}), True, True

    def __init__(self):
        self.asked = []

    def paint(self, request, progress=None):
        self.asked.append(request.words)
        width, height = request.size
        y, x = np.mgrid[:height, :width]
        inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (width / 3) ** 2
        picture = np.zeros((height, width, 4), np.uint8)
        picture[inside] = (*RED, 255)
        return base.Painted((picture,))

    def close(self):
        pass


def test_the_subject_stands_in_its_place_and_comes_again(tmp_path, monkeypatch):
    engine = Discs()
    monkeypatch.setattr(pictures, "open_engine", lambda name, studio: engine)
    words = "夜里，大海边站着一只小狐狸。"
    shots = (Shot("1", words, Picture(words=words, seed=3)), Shot("2", "风", Picture(words="一切都静悄悄的，很静很静。", seed=4)))
    board = Storyboard("海边", "zh", shots, style="noto", image_engine="own:discs")
    studio = Studio(tmp_path / "studio")
    made = pictures.pictures(studio, board, tmp_path)
    assert engine.asked == ["狐狸"]
    with Image.open(made[0].asset.path) as opened:
        picture = np.asarray(opened.convert("RGB")).astype(int)
    width, height = pictures.canvas_size(board.aspect)
    assert picture.shape == (height, width, 3)
    red = (abs(picture - RED).max(2) < 40).mean()
    assert 0.1 < red < 0.6, "the disc is there, and the place around it"
    assert picture[: height // 10].std() < 60 and picture[: height // 10].mean() > 5, "a sky out of focus, not nothing"
    assert made[0].made.facts["nature"] == "trainedAlgorithmicMedia"
    assert remake(studio, made[0].asset)[0] == made[0].asset.id
    assert [each.asset.id for each in pictures.pictures(studio, board, tmp_path)] == [each.asset.id for each in made]
    assert len(engine.asked) == 1, "what is there is not drawn again, and silence cannot be drawn"


@pytest.mark.parametrize("words, subject", [
    ("夜里，大海边站着一只小狐狸。", "狐狸"), ("一切都静悄悄的，很静很静。", ""), ("zeppelin", "zeppelin"),
    ("The fox looked at the moon.", "fox"), ("它抬头看见了月亮。", ""), ("It was quiet, very quiet, for a long while.", ""),
])  # fmt: skip
def test_what_words_are_about(words, subject):
    assert standing.subject_of(words) == subject
