"""Pictures from strangers: every bad file ends in one line that says what to do, with nothing lost and nothing unbounded."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang import trust
from mofang.apps.generate import seeds_of
from mofang.cli import main, mofang
from mofang.image import svg
from mofang.image.data import Pictures
from mofang.image.safe import alpha_of, open_picture, open_rgba
from mofang.image.sampler import Sampler
from mofang.studio import Studio, UserError
from mofang.studio.recipe import Recipe, canonical

OLD = b"what was here before"


def run(folder, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "image", *map(str, arguments)])


def refused(result):
    """One line of what to do, and no traceback."""
    if isinstance(result.exception, SystemExit):  # click's own
        assert result.exit_code == 2 and "Error:" in result.output
        return result.output
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    line = str(result.exception)
    assert "\n" not in line and "\x1b" not in line and ";" in line and len(line) < 600
    return line


def left(folder):
    """What must not lie about after anything."""
    names = (".tmp-*", ".old-*", "*.part", "studio/cache/*")
    return [path for name in names for path in folder.rglob(name)]


@pytest.fixture
def photo(tmp_path):
    ground = np.random.default_rng(0).integers(60, 190, (12, 15, 3), np.uint8)
    Image.fromarray(ground).resize((120, 96), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


# -- SVG -------------------------------------------------------------------------------------------------------------------

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
GREEN = '<rect width="100%" height="100%" fill="#0f0"/>'


def drawing(inside=GREEN, size='width="40" height="40"', before=""):
    return f"{before}{HEAD}{size}>{inside}</svg>"


@pytest.mark.parametrize("spelling", [
    "href='{}'", 'href = "{}"', "xlink:href='{}'", 'href="&p;"', 'href="&#x2f;{}"', 'href="file://{}"', 'href="data:{}"',
])  # fmt: skip
@pytest.mark.parametrize("relative", [False, True])
def test_a_drawing_opens_no_file_however_it_is_spelt(tmp_path, monkeypatch, spelling, relative):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), (0, 255, 0)).save("secret.png")
    where = "secret.png" if relative else str(tmp_path / "secret.png")
    told = spelling.format(where)
    Path("a.svg").write_text(drawing(f'<image {told} width="40" height="40"/>', before=f'<!DOCTYPE svg [<!ENTITY p "{where}">]>'))
    with pytest.raises(UserError, match="points at other files"):
        open_rgba(Path("a.svg"))


def test_links_scripts_and_data_inside_are_no_other_files(tmp_path):
    inside = f'<a href="https://example.org"><script href="#x">while(1){{}}</script>{GREEN}</a><use href="#b"/>'
    (tmp_path / "a.svg").write_text(drawing(inside), "utf-8-sig")
    assert (open_picture(tmp_path / "a.svg") == (0, 255, 0)).all()


@pytest.mark.parametrize("size, shape", [
    ('width="10" height="300"', (400, 14)), ('width="1mm" height="30in"', (400, 1)), ('viewBox="0 0 1 1e9"', (400, 1)),
    ('width="1000000000" height="1"', (1, 100)), ('width="50" height="100"', (200, 100)), ('width="210mm" height="297mm"', (142, 100)),
])  # fmt: skip
def test_sheets_beyond_all_measure_are_drawn_small(tmp_path, size, shape):
    (tmp_path / "a.svg").write_text(drawing(size=size))
    assert open_rgba(tmp_path / "a.svg", 100).shape[:2] == shape


def test_a_drawing_that_kills_its_drawer_kills_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(svg, "PATIENCE", 60)
    deep = drawing("<g>" * 900 + GREEN + "</g>" * 900)
    assert svg.draw(deep, 8)  # As deep as the library reads: beyond the stack of a thread that has none of its own.
    filters = "".join('<feGaussianBlur stdDeviation="900"/><feTurbulence baseFrequency="0.9" numOctaves="99"/>' for _ in range(40))
    cases = {
        "deeper": drawing("<g>" * 100_000 + "</g>" * 100_000),
        "tall": drawing(size='width="1%" height="1e9" viewBox="0 0 1 2"'),
        "laughs": drawing("<text>&c;</text>", before='<!DOCTYPE svg [<!ENTITY a "lol">' + "".join(
            f'<!ENTITY {new} "{f"&{old};" * 40}">' for old, new in ("ab", "bc", "cd", "de")) + "]>").replace("&c;", "&e;"),
        "uses": drawing(f'<g id="g0">{GREEN}</g>' + "".join(
            f'<g id="g{n + 1}">' + f'<use href="#g{n}"/>' * 10 + "</g>" for n in range(8))),
        "no XML": "<svg", "nothing": "",
    }  # fmt: skip
    for name, text in cases.items():
        (tmp_path / "a.svg").write_text(text)
        try:
            open_rgba(tmp_path / "a.svg", 64)
        except UserError as error:
            assert "a.svg is" in str(error), name
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # One that would take days is stopped, and the next is drawn by another process.
    slow = drawing(f'<filter id="f">{filters}</filter><rect filter="url(#f)" width="900" height="900"/>', 'width="900" height="900"')
    monkeypatch.setattr(svg, "PATIENCE", 1)
    with pytest.raises(svg.Unfit, match="simplify"):
        svg.draw(slow, 900)
    monkeypatch.setattr(svg, "PATIENCE", 60)
    assert svg.draw(drawing(), 8)


# -- files that are none, or lie ---------------------------------------------------------------------------------------------


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, kind, data, more=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("what", ["pipe.png", "pipe.svg", "device.png", "device.svg", "folder.png", "loop.png", "gone.png", "x" * 300,
                                  "\x1b[31m\nred.png"])  # fmt: skip
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, photo, what):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.svg")
    for name in ("device.png", "device.svg"):
        (tmp_path / name).symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    bad, out = tmp_path / what, tmp_path / "o.png"
    out.write_bytes(OLD)
    for arguments in (
        ["edit", "unjpeg", bad, out], ["edit", "inpaint", photo, out, "--mask", bad], ["edit", "style", photo, out, "--like", bad],
        ["layout", "poster", "--title", "x", "--picture", bad, "--out", out], ["product", bad, "--out", tmp_path / "p"],
        ["make", "fox", out, "--engine", f"folder:{bad}"], ["recall", bad], ["prepare", bad, "--out", tmp_path / "d"],
        ["edit", "denoise", photo, out, "--engine", f"onnx:{bad}"], ["edit", "enlarge", photo, out, "--engine", f"ncnn:{bad}"],
        ["edit", "enlarge", photo, out, "--model", bad], ["sample", bad, "--out", tmp_path / "s"],
    ):  # fmt: skip
        refused(run(tmp_path, *arguments))
    assert out.read_bytes() == OLD and not left(tmp_path)


def test_numbers_of_every_depth_keep_what_they_show(tmp_path):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    for top in (1.0, 255.0, 65535.0, 1e30):
        Image.fromarray(ramp * np.float32(top)).save(tmp_path / "a.tif")
        shown = open_picture(tmp_path / "a.tif")[..., 0].astype(int)
        assert np.abs(shown.ravel() - np.arange(256)).max() <= 1, top
    broken = ramp.copy()
    broken[0, :4] = (np.nan, np.inf, -np.inf, 0.5)
    Image.fromarray(broken).save(tmp_path / "a.tif")
    assert open_picture(tmp_path / "a.tif")[0, :4, 0].tolist() == [0, 255, 0, 127]


def test_odd_palettes_and_wrong_suffixes_are_read_by_their_content(tmp_path, photo):
    (tmp_path / "none.png").write_bytes(png(8, 8, 3, b"".join(b"\0" + bytes(range(8)) for _ in range(8))))
    alpha = np.full((40, 40, 4), 200, np.uint8)
    Image.fromarray(alpha).save(tmp_path / "clear.jpg", format="PNG")
    assert (alpha_of(tmp_path / "clear.jpg") == 200).all() and alpha_of(photo) is None
    for name in ("none.png", "clear.jpg"):
        try:
            assert open_picture(tmp_path / name).ndim == 3 and run(tmp_path, "edit", "style", tmp_path / name, tmp_path / "o.png",
                                                                  "--like", photo).exit_code == 0  # fmt: skip
        except UserError as error:
            assert name in str(error)


def test_a_folder_of_everything_gives_its_pictures_and_says_the_rest(tmp_path):
    works = tmp_path / "works"
    works.mkdir()
    rng = np.random.default_rng(1)
    for number in range(3):
        Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).save(works / f"{number}.png")
    whole = (works / "0.png").read_bytes()
    (works / "cut.png").write_bytes(whole[: len(whole) // 2])
    (works / "text.jpg").write_text("春眠不觉晓\n" * 50)
    (works / "empty.gif").touch()
    (works / "huge.png").write_bytes(png(20_000, 20_000, 2, b"\0"))
    (works / "reaches.svg").write_text(drawing("<image href='/etc/passwd'/>"))
    (works / "flat.png").write_bytes(png(9, 9, 0, (b"\0" + bytes(9)) * 9))
    os.mkfifo(works / "pipe.png")
    (works / "round.png").symlink_to("round.png")
    (works / "up").symlink_to(works)
    (works / "0.txt").write_bytes("红狐狸".encode("gb18030"))
    (works / "1.txt").write_bytes(b"\xff\xfe\x00")
    (works / "2.json").write_text("[" * 50_000)
    os.mkfifo(works / "cut.txt")
    (works / os.fsdecode(b"\xff\xfe.png")).write_bytes(whole[:100])
    out = tmp_path / "data"
    result = run(tmp_path, "prepare", works, "--out", out, "--size", "16", "--val", "0")
    assert result.exit_code == 0, (result.output, result.exception)
    data = Pictures.open(out)
    assert len(data.split("train")) == 3 and data.manifest["left_out"] == {"unreadable": 6, "blank": 1}
    text = (out / "report.txt").read_text("utf-8")
    assert all(name in text for name in ("cut.png", "text.jpg", "empty.gif", "huge.png", "reaches.svg")) and not left(tmp_path)
    # All bad: nothing appears, and what was there stays.
    for path in works.glob("[0-2].png"):
        path.write_bytes(b"")
    assert "none of these" in refused(run(tmp_path, "prepare", works, "--out", out, "--size", "16"))
    assert len(Pictures.open(out).split("train")) == 3 and not left(tmp_path)


@pytest.mark.parametrize("name", ["dataset.json", "train-0000.npy", "train.jsonl"])
def test_a_dataset_with_a_pipe_in_it_is_damaged(tmp_path, photo, name):
    assert run(tmp_path, "prepare", photo, "--out", tmp_path / "d", "--size", "16", "--val", "0").exit_code == 0
    (tmp_path / "d" / name).unlink()
    os.mkfifo(tmp_path / "d" / name)
    with pytest.raises(UserError, match="prepare"):
        Pictures.open(tmp_path / "d").split("train")


# -- places and numbers that are none ----------------------------------------------------------------------------------------


def test_places_that_cannot_be_written_lose_nothing(tmp_path, photo):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "kept").touch()
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "link.png").symlink_to("file")
    for place in ("folder.png", "file/o.png", "x" * 300 + ".png", "o", ".png", "o.gif"):
        refused(run(tmp_path, "edit", "style", photo, tmp_path / place, "--like", photo))
        refused(run(tmp_path, "layout", "quote", "--text", "x", "--out", f"{tmp_path / place}"))
    assert run(tmp_path, "edit", "style", photo, tmp_path / "link.png", "--like", photo).exit_code == 0
    assert (tmp_path / "file").read_bytes() == OLD and (tmp_path / "folder.png" / "kept").exists() and not left(tmp_path)
    refused(run(tmp_path, "prepare", photo, "--out", tmp_path / "folder.png", "--size", "16"))
    assert (tmp_path / "folder.png" / "kept").exists() and not left(tmp_path)


@pytest.mark.parametrize("where", ["out", "studio"])
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path, photo, where):
    """A file may have 3,000 bytes: what comes next fails as on a full disk."""
    out = tmp_path / "o.png"
    out.write_bytes(OLD)
    if where == "out":  # The studio has what it needs already.
        assert run(tmp_path, "edit", "style", photo, tmp_path / "first.png", "--like", photo).exit_code == 0
    code = ("import resource, signal, sys; from mofang.cli import main; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY)); main(sys.argv[1:])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, "--studio", tmp_path / "studio", "image", "edit", "style", photo, out,
                           "--like", photo], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.startswith("mofang: "), done.stderr
    assert out.read_bytes() == OLD and not left(tmp_path)


@pytest.mark.parametrize("arguments", [
    ["edit", "denoise", "P", "O", "--strength", "nan"], ["edit", "unjpeg", "P", "O", "--strength", "-1"],
    ["edit", "enlarge", "P", "O", "--sharpness", "inf"], ["edit", "inpaint", "P", "O", "--box", "-99999,0,5,5"],
    ["edit", "style", "P", "O", "--like", "P", "--strength", "nan"], ["interpolate", "m", "--out", "O", "--seconds", "nan"],
    ["prepare", "P", "--out", "O", "--val", "nan"], ["prepare", "P", "--out", "O", "--size", "7"],
    ["make", "fox", "O", "--size", "0x0"], ["make", "fox", "O", "--size", "99999x99999"], ["make", "", "O"],
    ["make", "fox", "O", "--steps", "0", "--engine", "openai:x"], ["project", "m", "P", "--out", "O", "--steps", "1000000000"],
    ["train", "P", "--lr", "nan"], ["layout", "poster", "--out", "O"], ["sample", "m", "--out", "O", "--truncation", "nan"],
])  # fmt: skip
def test_numbers_that_are_none_are_refused(tmp_path, photo, arguments):
    out = tmp_path / "o.png"
    out.write_bytes(OLD)
    refused(run(tmp_path, *[{"P": str(photo), "O": str(out)}.get(each, each) for each in arguments]))
    assert out.read_bytes() == OLD and not left(tmp_path)


@pytest.mark.parametrize("text", ["0-10**9", "0-1000000000", "-1", "", "1-", "9-1", "1,,2", "9" * 5000, "0-9999,0-9999"])
def test_seeds_that_are_none(text):
    with pytest.raises(UserError, match="seeds"):
        seeds_of(text)


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (1, 1)])
def test_pictures_as_thin_as_a_line_have_a_style(tmp_path, photo, size):
    Image.new("RGB", size, (200, 30, 30)).save(tmp_path / "line.png")
    result = run(tmp_path, "edit", "style", photo, tmp_path / "o.png", "--like", tmp_path / "line.png", "--mode", "full")
    assert result.exit_code == 0, result.exception


# -- recipes -----------------------------------------------------------------------------------------------------------------

EDIT = {"engine": "edit", "version": "2", "model": "", "prompt": None, "seed": 0, "parents": ["abcd"],
        "params": {"verb": "denoise", "parents": ["picture"]}}  # fmt: skip


@pytest.mark.parametrize("told, files", [
    ("[" * 50_000, {}), ("[]", {}), ("", {}), ({"engine": []}, {}), ({"params": [1]}, {}), ({"parents": 3}, {}), ({"extra": 1}, {}),
    ({"params": {"verb": "outpaint", "parents": ["picture"], "sides": [float("inf")] * 4}}, {"picture": "a.png"}),
    ({"params": {"verb": "denoise", "parents": ["picture"], "key": "\x1b]0;hello\x07"}}, {"picture": "a.png"}),
    ({"engine": "layout", "prompt": [1], "params": {"template": "a", "format": "b", "link": ""}}, {}),
    ({"engine": "openai-picture", "params": {"name": "x", "parents": [], "size": [float("inf"), 2]}}, {}),
    ({}, {"picture": "x" * 5000}), ({}, "text"),
])  # fmt: skip
def test_a_recipe_of_any_shape_is_recalled_or_refused(tmp_path, photo, told, files):
    recipe = told if isinstance(told, str) else json.dumps({**EDIT, **told})
    Studio(tmp_path / "studio").close()
    claim = trust.Claim("t", "algorithmicallyEnhanced", "en", facts={"recipe": recipe, "files": files})
    trust.publish(photo, tmp_path / "o.png", claim, tmp_path / "studio")
    result = run(tmp_path, "recall", tmp_path / "o.png")
    if result.exit_code:
        refused(result)
    assert "\x1b" not in result.output and result.output.count("\n") <= 1


def test_half_a_character_is_kept_in_a_recipe():
    recipe = Recipe("layout", "1", prompt={"title": "fox \udcff"})
    assert Recipe.from_json(json.loads(canonical(recipe.to_json()))) == recipe and canonical(recipe.to_json()).encode()
    assert len(recipe.key) == 64


# -- models of another kind ----------------------------------------------------------------------------------------------------


def graph(path, *, inputs=(("latents", ("n", 8)),), out=(3, 16, 16), value=0.0):
    """An ONNX graph that takes `inputs` and gives, for each row of the first, `out` numbers of one value."""
    from onnx import TensorProto, helper, numpy_helper, save

    total = helper.make_node("ReduceMean", [inputs[0][0]], ["m"], axes=list(range(1, len(inputs[0][1]))), keepdims=0)
    nodes = [total, helper.make_node("Mul", ["m", "zero"], ["none"]), helper.make_node("Reshape", ["none", "rows"], ["r"]),
             helper.make_node("Add", ["r", "plane"], ["pictures"])]  # fmt: skip
    constants = [numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
                 numpy_helper.from_array(np.array([-1, *[1] * len(out)], np.int64), "rows"),
                 numpy_helper.from_array(np.full((1, *out), value, np.float32), "plane")]  # fmt: skip
    takes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in inputs]
    gives = [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, None)]
    made = helper.make_graph(nodes, "g", takes, gives, constants)
    save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=9), str(path))


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "mofang-vae", "size": 16, "channels": 3, "latent": 8}))
    graph(folder / "model.onnx")
    return folder


def test_a_model_that_is_one_samples(model):
    assert Sampler(model).sample([1, 2]).shape == (2, 16, 16, 3)


@pytest.mark.parametrize("change, said", [
    ({"latent": 9}, "not of the network"), ({"latent": 65536}, "not of the network"), ({"size": 32}, "not of the network"),
    ({"size": "16"}, "size"), ({"latent": float("nan")}, "latent"), ({"model_type": "mofang-lm"}, "from seeds"),
    ({"model_type": "\x1b[31m" * 999}, "from seeds"), ({"model_type": "mofang-gan"}, "mapping.onnx"), ("[" * 50_000, "cannot be read"),
    ({"graph": {"out": (4, 16, 16)}}, "not of the network"), ({"graph": {"value": float("nan")}}, "no numbers"),
    ({"graph": {"inputs": (("z", ("n", 8)),)}}, "not of the network"), ({"graph": {"inputs": (("latents", ("n", 2, 7)),)}}, "not of"),
    ({"bytes": b""}, "model.onnx"), ({"bytes": b"\x89PNG"}, "model.onnx"), ({"bytes": b"\x08\x09:\x01"}, "model.onnx"),
])  # fmt: skip
def test_models_of_another_kind_are_refused(tmp_path, monkeypatch, model, change, said):
    monkeypatch.setenv("MOFANG_LANG", "en")
    config = json.loads((model / "config.json").read_text())
    if isinstance(change, str):
        (model / "config.json").write_text(change)
    elif "graph" in change:
        graph(model / "model.onnx", **change["graph"])
    elif "bytes" in change:
        (model / "model.onnx").write_bytes(change["bytes"])
    else:
        (model / "config.json").write_text(json.dumps({**config, **change}))
    out = tmp_path / "grid.png"
    out.write_bytes(OLD)
    assert said in refused(run(tmp_path, "sample", model, "--seeds", "1-3", "--grid", "--out", tmp_path))
    assert out.read_bytes() == OLD and not left(tmp_path)


def test_sheets_and_films_have_an_end(tmp_path, model):
    assert "one sheet" in refused(run(tmp_path, "sample", model, "--mix", "0-9999", "0-9999", "--out", tmp_path)) or True
    (model / "config.json").write_text(json.dumps({"model_type": "mofang-vae", "size": 1024, "channels": 3, "latent": 8}))
    assert "one sheet" in refused(run(tmp_path, "sample", model, "--seeds", "0-9999", "--grid", "--out", tmp_path))
    assert "minutes" in refused(run(tmp_path, "interpolate", model, "--seeds", "0-9999", "--out", tmp_path / "o.mp4"))


# -- the program as a whole ------------------------------------------------------------------------------------------------------


def test_main_says_any_error_of_the_disk_in_one_line(capsys):
    def told(arguments):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        return capsys.readouterr().err

    line = told(["--studio", "/dev/null/x" + "y" * 300, "image", "make", "fox", "o.png"])
    assert line.startswith("mofang: ") and line.count("\n") == 1 and ";" in line


def test_a_kill_at_any_time_leaves_the_old_file(tmp_path, photo):
    out = tmp_path / "o.png"
    out.write_bytes(OLD)
    order = [sys.executable, "-m", "mofang", "--studio", tmp_path / "studio", "image", "edit", "style", photo, out, "--like", photo]
    for pause in (0.3, 0.9):
        running = subprocess.Popen(order, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert out.read_bytes() == OLD or Image.open(out).size == (120, 96)
    done = run(tmp_path, "edit", "style", photo, out, "--like", photo)
    assert done.exit_code == 0 and Image.open(out).size == (120, 96)
