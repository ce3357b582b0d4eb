"""Other people's pictures: opened safely, upright, and cut around what matters."""

import numpy as np
import pytest
from PIL import Image

from mofang.image.engines.folder import fit, focus_of, pictures_in, saliency
from mofang.image.safe import open_picture
from mofang.studio import UserError


def test_exif_rotation_is_applied(tmp_path):
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :10] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # Rotate a quarter turn clockwise to see it upright.
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    opened = open_picture(tmp_path / "a.png")
    assert opened.shape == (40, 20, 3) and opened[2, 10, 0] == 255 and opened[38, 10, 0] == 0


@pytest.mark.parametrize("mode, suffix", [("CMYK", "jpg"), ("L", "png"), ("LA", "png"), ("P", "gif"), ("1", "png"), ("RGBA", "webp")])
def test_every_mode_becomes_rgb(tmp_path, mode, suffix):
    Image.new("RGB", (30, 20), (200, 100, 50)).convert(mode).save(tmp_path / f"a.{suffix}")
    assert open_picture(tmp_path / f"a.{suffix}").shape == (20, 30, 3)


def test_sixteen_bits_keep_their_range(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    opened = open_picture(tmp_path / "a.png")
    assert opened[0, 0, 0] == 0 and opened[-1, -1, 0] == 255 and 120 < opened[8, 0, 0] < 136


def test_transparency_lies_on_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (open_picture(tmp_path / "a.png") == 255).all()


def test_svg_without_scripts_or_other_files(tmp_path):
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="10">'
    (tmp_path / "a.svg").write_text(f'{head}<script>alert(1)</script><rect width="10" height="10" fill="red"/></svg>')
    assert (open_picture(tmp_path / "a.svg")[..., 0] == 255).all()
    (tmp_path / "b.svg").write_text(f'{head}<image xlink:href="/etc/passwd" width="9" height="9"/></svg>')
    with pytest.raises(UserError, match="other files"):
        open_picture(tmp_path / "b.svg")


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", bytes(1000)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "svg", "webp"])
def test_damaged_pictures_are_named(tmp_path, data, suffix):
    path = tmp_path / f"holiday.{suffix}"
    path.write_bytes(data)
    with pytest.raises(UserError, match="holiday"):
        open_picture(path)


def test_a_truncated_picture_is_refused(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged"):
        open_picture(tmp_path / "a.png")


def test_numbers_in_names_are_counted(tmp_path):
    for name in ("10.png", "2.png", "b1.jpg", "a.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in pictures_in(tmp_path)] == ["2.png", "10.png", "b1.jpg"]
    with pytest.raises(UserError, match="holds no pictures"):
        pictures_in(_empty(tmp_path))


def _empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


def test_the_cut_keeps_what_the_eye_goes_to(tmp_path):
    picture = np.full((300, 500, 3), 128, np.uint8)
    picture[120:180, 400:460] = (255, 40, 40)
    left, top, width, height = focus_of(saliency(picture))
    assert left < 0.86 < left + width and top < 0.5 < top + height
    Image.fromarray(picture).save(tmp_path / "a.png")
    cut = fit(tmp_path / "a.png", (300, 300)).image
    assert (cut[..., 0].astype(int) - cut[..., 1] > 100).sum() > 3000, "the red square was cut away"


def test_a_panorama_stands_whole_before_itself(tmp_path):
    Image.new("RGB", (900, 100), (10, 200, 10)).save(tmp_path / "a.png")
    fitted = fit(tmp_path / "a.png", (200, 400))
    assert fitted.image.shape == (400, 200, 3) and fitted.focus[2] > 0.9 and fitted.focus[3] < 0.1
