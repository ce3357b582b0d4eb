"""Photographs repaired and changed: every verb from the command line, each method against what it should reach."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mofang import trust
from mofang.cli import mofang
from mofang.image.edit import blind, blur, colourise, deblur, denoise, enlarge, masks, outpaint, scratches, tiles
from mofang.image.edit.background import cut_out
from mofang.image.edit.inpaint import inpaint
from mofang.image.edit.unjpeg import table_of, unjpeg
from mofang.studio import Studio, UserError


def scene(rows=128, columns=160, seed=0, stripes=0.08):
    """Something like a photograph: soft ground, things with edges, a pattern; (rows, columns, 3) in 0..1."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.25, 0.75, (4, 5, 3)).astype(np.float32)
    image = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        cv2.circle(image, centre, int(rng.integers(5, 26)), rng.uniform(0.05, 0.95, 3).tolist(), -1, cv2.LINE_AA)
    image[: rows // 3] += stripes * np.sin(np.arange(columns) / 2.2)[:, None]
    return np.clip(image, 0, 1).astype(np.float32)


def psnr(one, other):
    return float(-10 * np.log10(((one - other) ** 2).mean()))


def write(path, image):
    Image.fromarray((image * 255).round().astype(np.uint8)).save(path)
    return path


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def edit(tmp_path, *arguments):
    result = run(tmp_path, "image", "edit", *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


# -- methods -----------------------------------------------------------------------------------------------------------------


def test_noise_is_measured_and_taken_out():
    clean = scene()
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, 20 / 255, clean.shape), 0, 1).astype(np.float32)
    assert abs(denoise.noise_of(noisy) * 255 - 20) < 4
    assert psnr(denoise.denoise(noisy), clean) > psnr(noisy, clean) + 6


def test_thin_holes_are_continued_better_than_opencv_does():
    clean = scene()
    hole = np.zeros(clean.shape[:2], np.uint8)
    for start in range(0, 160, 20):
        cv2.line(hole, (start, 0), (start + 30, 127), 1, 3)
    damaged = clean.copy()
    damaged[hole > 0] = 0
    theirs = cv2.inpaint((damaged * 255).astype(np.uint8), hole, 3, cv2.INPAINT_TELEA) / 255
    assert psnr(inpaint(damaged, hole > 0)[hole > 0], clean[hole > 0]) > psnr(theirs[hole > 0], clean[hole > 0])


def test_a_hole_in_a_pattern_gets_the_pattern():
    y, x = np.mgrid[0:96, 0:96]
    clean = np.repeat((0.5 + 0.3 * np.sign(np.sin(x / 3)) * np.sign(np.sin(y / 3)))[..., None], 3, 2).astype(np.float32)
    hole = masks.box((38, 36, 22, 24), clean.shape)
    damaged = np.where(hole[..., None], 0, clean).astype(np.float32)
    filled = inpaint(damaged, hole)
    assert np.array_equal(filled[~hole], damaged[~hole])
    assert filled[hole].std() > 0.8 * clean[hole].std()
    assert np.array_equal(filled, inpaint(damaged, hole))


@pytest.mark.parametrize("text", ["gaussian:1.6", "disk:3", "motion:9,30"])
def test_a_known_blur_is_undone(text):
    clean = scene()
    kernel = blur.read_blur(text)
    assert abs(kernel.sum() - 1) < 1e-5 and kernel.shape[0] % 2 == 1
    soft = deblur.blurred(clean, kernel) + np.random.default_rng(0).normal(0, 1.5 / 255, clean.shape)
    soft = np.clip(soft, 0, 1).astype(np.float32)
    assert psnr(deblur.deblur(soft, kernel), clean) > psnr(soft, clean) + 3


def test_blurs_have_their_size():
    weights = blur.gaussian(2.0)
    place = np.arange(len(weights)) - len(weights) // 2
    assert abs((weights.sum(0) * place**2).sum() - 4) < 0.05
    line = blur.motion(12, 90)
    assert line.sum(1).max() < 0.2 and abs(line[:, line.shape[1] // 2].sum() - 1) < 1e-5


def test_an_unknown_motion_is_found():
    clean = scene(200, 240, 3)
    kernel = blur.motion(11, 0)
    found = blind.blur_of(deblur.blurred(clean, kernel), 19)
    y, x = np.mgrid[0 : found.shape[0], 0 : found.shape[1]]
    spread = [np.sqrt((found * (each - (found * each).sum()) ** 2).sum()) for each in (y, x)]
    assert abs(spread[1] - 3.16) < 0.5 and spread[1] > 2 * spread[0]  # σ of a line of 11: √((11² − 1) / 12)
    with pytest.raises(UserError, match="no edges"):
        blind.blur_of(np.full((90, 90, 3), 0.5, np.float32))


def test_otf_is_convolution():
    picture, kernel = scene(32, 40)[..., 0], blur.motion(5, 20)
    made = np.fft.irfft2(np.fft.rfft2(picture) * deblur.otf(kernel, picture.shape), picture.shape)
    wrapped = np.pad(picture, 8, mode="wrap")
    direct = cv2.filter2D(wrapped, -1, kernel[::-1, ::-1].copy())[8:-8, 8:-8]
    assert np.allclose(made, direct, atol=1e-4)


def test_jpeg_is_repaired_within_what_its_quantisation_allows(tmp_path):
    clean = scene()
    Image.fromarray((clean * 255).astype(np.uint8)).save(tmp_path / "a.jpg", quality=15)
    stored = (np.asarray(Image.open(tmp_path / "a.jpg")) / 255).astype(np.float32)
    table = table_of(tmp_path / "a.jpg")
    assert table is not None and table.shape == (8, 8)
    assert psnr(unjpeg(stored, table), clean) > psnr(stored, clean) + 0.3
    assert table_of(write(tmp_path / "a.png", clean)) is None


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("network", [True, False])
def test_enlarging_beats_bicubic_and_keeps_what_was_seen(factor, network):
    graph = enlarge.shipped(factor) if network else None
    if network and graph is None:
        pytest.skip("the shipped network is not here")
    clean = scene()
    small = cv2.resize(clean, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    large = enlarge.enlarge(small, factor, graph=graph)
    assert large.shape == clean.shape
    assert psnr(large, clean) > psnr(cv2.resize(small, (160, 128), interpolation=cv2.INTER_CUBIC), clean) + 0.2
    again = cv2.resize(large, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(again - small).mean() < 2 / 255


def test_scratches_and_dust_are_found_and_little_else():
    clean = cv2.GaussianBlur(scene(200, 240, stripes=0), (0, 0), 1)
    old, true = clean.copy(), np.zeros(clean.shape[:2], np.uint8)
    for start in (40, 110, 190):
        cv2.line(old, (start, 5), (start + 12, 195), (0.97, 0.97, 0.97), 2, cv2.LINE_AA)
        cv2.line(true, (start, 5), (start + 12, 195), 1, 2)
    whole, found = scratches.scratches(old)
    assert found[true > 0].mean() > 0.7 and found.mean() < 0.12
    assert psnr(whole, clean) > psnr(old, clean) + 3
    nowhere = np.zeros(clean.shape[:2], np.bool_)
    assert np.array_equal(scratches.scratches(old, where=nowhere)[0], old)


def test_strokes_colour_what_is_alike_and_keep_lightness():
    grey = np.repeat(np.where(np.arange(120) < 60, 0.3, 0.7).astype(np.float32)[None, :, None], 80, 0).repeat(3, 2)
    strokes = grey.copy()
    strokes[30:50, 20:40], strokes[30:50, 80:100] = (0.6, 0.2, 0.1), (0.6, 0.75, 0.9)
    done = colourise.from_strokes(grey, strokes)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(done @ weights - grey[..., 0]).max() < 0.02
    left, right = done[:, :50].mean((0, 1)), done[:, 70:].mean((0, 1))
    assert left[0] - left[2] > 0.25 and right[2] - right[0] > 0.15
    with pytest.raises(UserError, match="nothing is painted"):
        colourise.from_strokes(grey, grey)


def test_a_reference_gives_its_colours():
    colour = scene(seed=5)
    grey = np.repeat((colour @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, 2)
    assert psnr(colourise.from_reference(grey, colour), colour) > psnr(grey, colour) + 2
    with pytest.raises(UserError, match="no colours"):
        colourise.from_reference(grey, grey)


def test_tiles_give_what_the_whole_gives():
    image = scene(150, 190)
    blurred = lambda part: cv2.GaussianBlur(part, (0, 0), 2)  # noqa: E731
    assert np.allclose(tiles.tiled(image, blurred, 24, 64), blurred(image), atol=1e-6)


def test_a_thing_is_cut_out_with_its_inside_but_not_the_window_in_its_handle():
    image = np.full((120, 120, 3), (0.9, 0.9, 0.85), np.float32)
    cv2.circle(image, (60, 60), 36, (0.7, 0.1, 0.1), -1, cv2.LINE_AA)
    cv2.circle(image, (60, 55), 14, (0.1, 0.2, 0.6), -1, cv2.LINE_AA)
    soft = cut_out(image)[1]
    assert soft[60, 60] == 1 and soft[55, 60] == 1 and soft[5, 5] == 0 and 0.2 < soft.mean() < 0.4


# -- masks and words ---------------------------------------------------------------------------------------------------------


@given(st.text(max_size=30))
def test_what_people_write_is_read_or_refused(text):
    for read in (masks.read_box, outpaint.read_sides, blur.read_blur, lambda t: outpaint.sides_for(t, (90, 160))):
        try:
            read(text)
        except UserError as error:
            assert "\n" not in str(error).replace(text, "")


def test_a_ratio_says_what_to_add():
    assert outpaint.sides_for("16:9", (90, 100)) == (0, 30, 0, 30)
    assert outpaint.sides_for("1:1", (90, 100)) == (5, 0, 5, 0)


def test_masks_come_from_colour_and_box_and_file(tmp_path):
    image = np.full((60, 80, 3), 120, np.uint8)
    image[20:30, 20:40] = (255, 0, 255)
    keyed = masks.keyed(image, "#ff00ff")
    assert keyed[25, 30] and not keyed[5, 5] and 200 <= keyed.sum() <= 24 * 14
    small = np.zeros((30, 40), np.uint8)
    small[10:20] = 255
    Image.fromarray(small).save(tmp_path / "m.png")
    assert masks.from_file(tmp_path / "m.png", image.shape)[30, 40]
    with pytest.raises(UserError, match="paint the mask"):
        masks.from_file(tmp_path / "m.png", (60, 60))


# -- the command -------------------------------------------------------------------------------------------------------------


def test_what_is_repaired_stays_ones_own_and_what_is_invented_says_so(tmp_path):
    picture = write(tmp_path / "a.png", scene())
    other = write(tmp_path / "b.png", scene(seed=4))
    calls = {
        "denoise": ([], False), "unjpeg": ([], False), "style": (["--like", other], False),
        "cutout": (["--box", "30,20,90,90"], False), "inpaint": (["--box", "60,40,40,40"], True),
        "outpaint": (["--sides", "0,40,0,0"], True),
        "colourise": (["--reference", other], True), "enlarge": ([], False), "scratches": ([], False),
        "deblur": (["--blur", "gaussian:1"], False),
    }  # fmt: skip
    for verb, (options, invented) in calls.items():
        out = tmp_path / f"{verb}.png"
        edit(tmp_path, verb, picture, out, *options)
        report = trust.verify(out, tmp_path / "studio")
        assert report.ok and (report.record is not None) == invented, verb
    assert Image.open(tmp_path / "cutout.png").mode == "RGBA"
    assert Image.open(tmp_path / "enlarge.png").size == (320, 256)
    assert Image.open(tmp_path / "outpaint.png").size == (200, 128)


def test_only_the_mask_changes_and_remake_repeats_the_bytes(tmp_path):
    from mofang.apps.remake import remake

    clean = scene()
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, 0.1, clean.shape), 0, 1)
    picture = write(tmp_path / "a.png", noisy)
    edit(tmp_path, "denoise", picture, tmp_path / "o.png", "--box", "0,0,60,128")
    before, after = np.asarray(Image.open(picture)).astype(int), np.asarray(Image.open(tmp_path / "o.png")).astype(int)
    assert np.array_equal(before[:, 70:], after[:, 70:]) and np.abs(before[:, :50] - after[:, :50]).mean() > 5
    studio = Studio(tmp_path / "studio")
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine == "edit")
    picture.unlink()
    assert remake(studio, asset)[0] == asset.id


def test_transparency_and_odd_formats_go_through(tmp_path):
    rgba = np.dstack([(scene() * 255).astype(np.uint8), np.zeros((128, 160), np.uint8)])
    rgba[:, 40:, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    edit(tmp_path, "denoise", tmp_path / "clear.png", tmp_path / "o.png")
    out = np.asarray(Image.open(tmp_path / "o.png"))
    assert out.shape[2] == 4 and np.array_equal(out[..., 3], rgba[..., 3])
    edit(tmp_path, "denoise", tmp_path / "clear.png", tmp_path / "o.jpg")
    Image.fromarray(rgba[..., :3]).convert("CMYK").save(tmp_path / "c.jpg")
    Image.fromarray((scene()[..., 0] * 65535).astype(np.uint16)).save(tmp_path / "deep.png")
    for name in ("c.jpg", "deep.png"):
        edit(tmp_path, "denoise", tmp_path / name, tmp_path / "p.webp")


def test_a_labelled_picture_stays_labelled(tmp_path):
    write(tmp_path / "raw.png", scene())
    made = trust.publish(tmp_path / "raw.png", tmp_path / "ai.png", trust.Claim("A fox"), Studio(tmp_path / "studio").folder)
    edit(tmp_path, "denoise", made.path, tmp_path / "o.png")
    assert trust.verify(tmp_path / "o.png", tmp_path / "studio").record is not None


@pytest.mark.parametrize("mode", ["colours", "full"])
def test_a_film_is_restyled_without_flicker(tmp_path, mode):
    from mofang.video.mux import encode
    from mofang.video.planes import convert

    still = (scene(96, 128) * 255).round().astype(np.uint8)
    encode((convert(np.roll(still, 2 * n, 1)) for n in range(6)), tmp_path / "a.mp4", 128, 96, 10, "veryfast", 15)
    like = write(tmp_path / "like.png", scene(seed=9)[..., ::-1])
    edit(tmp_path, "style", tmp_path / "a.mp4", tmp_path / "o.mp4", "--like", like, "--mode", mode)
    report = trust.verify(tmp_path / "o.mp4", tmp_path / "studio")
    assert report.ok and (report.record is not None) == (mode == "full")
    frames = []
    capture = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    while (read := capture.read())[0]:
        frames.append(read[1].astype(np.float32))
    assert len(frames) == 6
    # What moves two pixels a frame moves so still: turned back, frames agree away from the label and the seam.
    steady = [np.abs(np.roll(frame, -2 * n, 1) - frames[0])[40:, :100].mean() for n, frame in enumerate(frames)]
    assert max(steady) < 12 and run(tmp_path, "image", "recall", tmp_path / "o.mp4").exit_code == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["inpaint", "a.png", "o.png"], "say what is to go"),
        (["inpaint", "a.png", "o.png", "--key", "pink"], "no colour"),
        (["inpaint", "a.png", "o.png", "--key", "#ff00ff"], "nothing in the picture"),
        (["inpaint", "a.png", "o.png", "--box", "1,2,3"], "no box"),
        (["inpaint", "a.png", "o.png", "--box", "900,900,5,5"], "outside"),
        (["inpaint", "a.png", "o.png", "--box", "0,0,999,999"], "whole picture"),
        (["inpaint", "a.png", "o.png", "--mask", "square.png"], "paint the mask"),
        (["inpaint", "a.png", "o.gif", "--box", "1,1,9,9"], "cannot write"),
        (["cutout", "a.png", "o.jpg"], "transparency"),
        (["cutout", "flat.png", "o.png"], "stands out"),
        (["outpaint", "a.png", "o.png"], "how far"),
        (["outpaint", "a.png", "o.png", "--sides", "0,0,0,9999"], "60%"),
        (["outpaint", "a.png", "o.png", "--ratio", "5:4"], "already"),
        (["deblur", "a.png", "o.png", "--blur", "wind:3"], "no blur"),
        (["deblur", "flat.png", "o.png"], "no edges"),
        (["colourise", "a.png", "o.png"], "where the colours"),
        (["colourise", "a.png", "o.png", "--strokes", "square.png"], "different sizes"),
        (["enlarge", "a.png", "o.png", "--model", "none.onnx"], "no network"),
        (["enlarge", "a.png", "o.png", "--model", "nosuch"], "no model"),
        (["denoise", "gone.png", "o.png"], "no picture"),
        (["denoise", "bad.png", "o.png"], "damaged"),
        (["denoise", "bomb.png", "o.png"], "million pixels"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOFANG_LANG", "en")
    write(tmp_path / "a.png", scene())
    write(tmp_path / "square.png", scene(64, 64))
    write(tmp_path / "flat.png", np.full((96, 96, 3), 0.5))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    bomb()
    result = run(tmp_path, "image", "edit", *arguments)
    assert isinstance(result.exception, (UserError, SystemExit)), result.exception
    text = str(result.exception) if isinstance(result.exception, UserError) else result.output
    assert said in text and "\n" not in text.strip()
    assert not any((tmp_path / name).exists() for name in ("o.png", "o.jpg", "o.gif"))


def bomb():
    """A PNG header that promises 20,000 × 20,000 pixels."""
    import struct
    import zlib
    from pathlib import Path

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    Path("bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
