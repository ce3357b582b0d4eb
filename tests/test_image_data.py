"""Folders of pictures made into a dataset: what is left out, what stays together, what comes back."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mofang.cli import mofang
from mofang.image.data import Pictures, near, store
from mofang.image.data.caption import caption_of
from mofang.image.data.crop import square
from mofang.image.data.prepare import Preparing, prepare
from mofang.image.data.split import held_out, joined
from mofang.studio import UserError


def drawn(seed, side=96):
    """A picture of its own: shapes in colours on a ground."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), rng.integers(120, 255, 3), np.uint8)
    for _ in range(9):
        colour = tuple(int(each) for each in rng.integers(0, 255, 3))
        x, y, r = (int(each) for each in rng.integers(8, side - 8, 3))
        if rng.random() < 0.5:
            cv2.circle(image, (x, y), 4 + r // 5, colour, -1)
        else:
            cv2.rectangle(image, (x, y), (x + 5 + r // 4, y + 12), colour, -1)
    return image


def folder_of(tmp_path, count):
    folder = tmp_path / "works"
    folder.mkdir()
    for number in range(count):
        Image.fromarray(drawn(number)).save(folder / f"{number:03}.png")
    return folder


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "image", "prepare", *map(str, arguments)])


def test_prepared_pictures_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHARD", 7)
    made = prepare([folder_of(tmp_path, 20)], tmp_path / "data", Preparing(32, val=0.2, licence="own"))
    train, val = made.split("train"), made.split("val")
    assert (len(train), len(val)) == (16, 4) and made.manifest["counts"] == {"train": 16, "val": 4}
    assert len(list((tmp_path / "data").glob("train-*.npy"))) == 3
    indices = np.array([15, 0, 7, 6, 7])
    taken = train.take(indices)
    assert taken.shape == (5, 32, 32, 3) and taken.dtype == np.uint8
    for row, index in enumerate(indices):
        number = int(train.lines[index]["file"][:3])
        expected = np.asarray(Image.fromarray(drawn(number)).resize((32, 32), Image.Resampling.BOX), int)
        assert np.abs(taken[row].astype(int) - expected).mean() < 12
    assert np.concatenate(list(train.batches(5))).shape[0] == 16
    assert not {line["group"] for line in train.lines} & {line["group"] for line in val.lines}
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"contact.png", "report.txt", "report.html", "dataset.json"}
    assert made.manifest["works"][0]["licence"] == "own" and not list((tmp_path / "data").glob(".*"))
    with pytest.raises(IndexError):
        train.take(np.array([16]))


def test_every_format_and_what_is_left_out(tmp_path):
    folder = folder_of(tmp_path, 4)
    Image.fromarray(drawn(10)).convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(drawn(11)[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")
    frames = [Image.fromarray(drawn(each)) for each in (12, 13)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    cut_out = np.dstack([drawn(14), np.zeros((96, 96), np.uint8)])
    cv2.circle(cut_out, (48, 48), 30, (200, 30, 30, 255), -1)
    Image.fromarray(cut_out).save(folder / "alpha.webp", lossless=True)
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">'
    (folder / "a.svg").write_text(f'{head}<script>alert(1)</script><circle cx="5" cy="5" r="4" fill="#080"/></svg>')
    (folder / "b.svg").write_text(f'{head}<image href="/etc/passwd" width="9" height="9"/></svg>')
    (folder / "cut.png").write_bytes((folder / "000.png").read_bytes()[:300])
    (folder / "same.png").write_bytes((folder / "001.png").read_bytes())
    Image.fromarray(drawn(1)).save(folder / "same.bmp")
    Image.new("RGB", (50, 50), (9, 9, 9)).save(folder / "blank.png")
    (folder / "notes.doc").write_text("no picture")
    made = prepare([folder], tmp_path / "data", Preparing(32, alpha=True, val=0))
    files = [line["file"] for line in made.split("train").lines]
    assert set(files) == {"000.png", "001.png", "002.png", "003.png", "cmyk.jpg", "deep.png", "moving.gif", "alpha.webp", "a.svg"}
    assert made.manifest["left_out"] == {"unreadable": 2, "duplicate": 2, "blank": 1} and made.channels == 4
    report = (tmp_path / "data" / "report.txt").read_text("utf-8")
    assert "cut.png is damaged" in report and "b.svg points at other files" in report and "same.png = 001.png" in report
    alpha = made.split("train").take(np.array([files.index("alpha.webp")]))[0]
    assert alpha[0, 0].tolist() == [0, 0, 0, 0] and alpha[16, 16, 3] == 255 and alpha[16, 16, 0] > 180
    first = made.split("train").take(np.array([files.index("moving.gif")]))[0]
    expected = square(np.dstack([drawn(12), np.full((96, 96), 255, np.uint8)]), 32)
    assert np.abs(first[..., :3].astype(int) - expected[..., :3]).mean() < 15


def test_near_duplicates_are_found_and_stay_together(tmp_path):
    folder = folder_of(tmp_path, 30)
    picture = drawn(5)
    Image.fromarray(picture).resize((120, 120)).save(folder / "smaller.jpg", quality=60)
    Image.fromarray(np.ascontiguousarray(picture[:, ::-1])).save(folder / "mirrored.png")
    moved = cv2.warpAffine(picture, np.float32([[1, 0, 3], [0, 1, 2]]), (96, 96), borderMode=cv2.BORDER_REPLICATE)
    Image.fromarray(np.clip(moved.astype(int) + 20, 0, 255).astype(np.uint8)).save(folder / "moved.png")
    made = prepare([folder], tmp_path / "data", Preparing(64, val=0.3))
    parts = {line["file"]: (name, line["group"]) for name in ("train", "val") for line in made.split(name).lines}
    assert len({parts[name] for name in ("005.png", "smaller.jpg", "mirrored.png", "moved.png")}) == 1
    assert made.manifest["near"]["clusters"] == 1 and made.manifest["near"]["pictures"] == 4
    dropped = prepare([folder], tmp_path / "data", Preparing(64, val=0.3, drop_near=True))
    assert sum(dropped.manifest["counts"].values()) == 30 and dropped.manifest["left_out"] == {"near-duplicate": 3}


def test_phash_is_the_median_of_low_frequencies():
    grey = near.grey_of(drawn(3))
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64)
    k, n = np.arange(32)[:, None], np.arange(32)[None]
    basis = np.cos(np.pi * (n + 0.5) * k / 32) * np.sqrt(2 / 32)
    basis[0] /= np.sqrt(2)
    low = (basis @ small @ basis.T)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    assert near.phash(grey) == int("".join("01"[int(bit)] for bit in bits), 2)


@given(st.lists(st.tuples(st.sampled_from(["", "fox", "cat", "owl"]), st.integers(0, 6)), min_size=1, max_size=30),
       st.floats(0, 0.5), st.integers(0, 9))  # fmt: skip
def test_no_subject_and_no_cluster_straddles_the_split(pictures, share, seed):
    subjects, clusters = [each[0] for each in pictures], np.array([each[1] for each in pictures])
    groups = joined(subjects, clusters)
    val = set(held_out(groups, share, seed).tolist())
    for one in range(len(pictures)):
        for other in range(one):
            alike = (subjects[one] and subjects[one] == subjects[other]) or clusters[one] == clusters[other]
            assert not alike or (groups[one] == groups[other] and (one in val) == (other in val))
    assert len(val) < len(pictures) or not val


def test_crop_keeps_what_matters_and_a_cut_out_whole():
    wide = np.full((60, 240, 4), 255, np.uint8)
    wide[:, :, :3] = 200
    wide[20:40, 190:230, :3] = drawn(1, 96)[:20, :40]
    assert square(wide, 60)[..., 0].std() > 10
    tall = np.zeros((200, 80, 4), np.uint8)
    tall[5:195, 20:60] = (10, 120, 200, 255)
    kept = square(tall, 64)
    assert kept[2, 32, 3] > 200 and kept[61, 32, 3] > 200 and kept[32, 2, 3] == 0
    padded = square(wide, 64, whole=True)
    assert padded[2, 2].tolist() == [200, 200, 200, 255]


def test_captions_beside_inside_and_by_name(tmp_path):
    def picture(name, **settings):
        path = tmp_path / name
        Image.fromarray(drawn(0)).save(path, **settings)
        return path

    one = picture("a.png")
    (tmp_path / "a.json").write_text(json.dumps({"zh": "狐狸", "en": "fox", "style": "flat", "subject": "fox", "x": [1]}), "utf-8")
    found = caption_of(one)
    assert (found.words, found.style, found.subject, found.source) == ({"zh": "狐狸", "en": "fox"}, "flat", "fox", "json")
    (tmp_path / "b.txt").write_text("a red fox\n一只红狐狸\n", "utf-8")
    assert caption_of(picture("b.png")).words == {"zh": "一只红狐狸", "en": "a red fox"}
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a blue owl\nNegative prompt: ugly\nSteps: 20")
    assert caption_of(picture("c.png", pnginfo=info)).words == {"": "a blue owl"}
    exif = Image.Exif()
    exif[0x010E] = "a green frog"
    assert caption_of(picture("d.jpg", exif=exif)).words == {"": "a green frog"}
    assert caption_of(picture("red_fox-asleep (2).png")).words == {"": "red fox asleep"}
    for nameless in ("IMG_1234.png", "1f98a.png", "DSC-0001.png", "截图20240101.png", "0042.png"):
        assert caption_of(picture(nameless)).words == {}
    (tmp_path / "e.json").write_text("{" * 100_000)
    assert caption_of(picture("e.png")).words == {"": "e"}


@pytest.mark.parametrize("how", ["truncated", "pickle", "shape", "lines", "version", "json", "missing"])
def test_a_damaged_dataset_is_named(tmp_path, how):
    data = tmp_path / "data"
    prepare([folder_of(tmp_path, 6)], data, Preparing(16, val=0.3))
    shard, manifest = data / "train-0000.npy", data / "dataset.json"
    value = json.loads(manifest.read_text("utf-8"))
    if how == "truncated":
        shard.write_bytes(shard.read_bytes()[:-100])
    elif how == "pickle":
        np.save(shard, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif how == "shape":
        np.save(shard, np.zeros((3, 16, 16, 3), np.uint8))
    elif how == "lines":
        (data / "train.jsonl").write_text('{"caption": 1}\n')
    elif how == "missing":
        shard.unlink()
    else:
        manifest.write_text("[" * 99_999 if how == "json" else json.dumps(value | {"version": 99}))
    with pytest.raises(UserError, match="prepare the dataset again") as caught:
        Pictures.open(data).split("train")
    assert "\n" not in str(caught.value)


def test_interrupted_leaves_nothing(tmp_path):
    def stop(event):
        if event.stage == "compare":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([folder_of(tmp_path, 5)], tmp_path / "data", Preparing(16), on_event=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["works"]


def test_command_line_and_its_one_line_errors(tmp_path):
    folder = folder_of(tmp_path, 3)
    made = run(tmp_path, folder, "--out", tmp_path / "data", "--size", 32, "--licence", "own")
    assert made.exit_code == 0, made.output
    assert "2 pictures to train on and 1 held out" in made.output and "few" in made.output
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ((tmp_path / "empty", "--out", tmp_path / "x"), "there are no pictures"),
        ((tmp_path / "nowhere", "--out", tmp_path / "x"), "does not exist"),
        ((folder, "--out", tmp_path / "x", "--size", 33), "multiple of 8"),
        ((folder, "--out", folder), "was not made by this command"),
    ):
        failed = run(tmp_path, *arguments)
        assert isinstance(failed.exception, UserError) and message in str(failed.exception)
    for path in folder.iterdir():
        path.write_bytes(b"no")
    assert "is a picture that can be used" in str(run(tmp_path, folder, "--out", tmp_path / "x").exception)


def test_all_alike(tmp_path):
    folder = tmp_path / "works"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(drawn(0)).save(folder / f"{number}.png")
    made = prepare([folder], tmp_path / "data", Preparing(32))
    assert made.manifest["counts"] == {"train": 1, "val": 0} and made.manifest["left_out"] == {"duplicate": 4}


def test_consent_that_was_taken_back(tmp_path):
    from mofang.studio import Studio
    from mofang.studio.works import Consent, add

    folder = folder_of(tmp_path, 3)
    studio = Studio(tmp_path / "studio")
    add(studio, folder / "000.png", "CC-BY-4.0", Consent("self"))
    made = prepare([folder], tmp_path / "data", Preparing(16), studio=tmp_path / "studio")
    assert made.manifest["licence"] == "CC-BY-4.0 AND unknown"
    add(studio, folder / "001.png", "own", Consent("Ann", scope="publish"))
    with pytest.raises(UserError, match="does not cover training"):
        prepare([folder], tmp_path / "data", Preparing(16), studio=tmp_path / "studio")
