"""Somebody's networks as engines of `mofang image edit`: ONNX and ncnn, of every shape they come in, and what is none."""

import struct

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang import trust
from mofang.cli import mofang
from mofang.image.edit.alpha import straight
from mofang.image.edit.engines import chosen, key, open_network, read_engine
from mofang.image.edit.enlarge import by_engine
from mofang.image.edit.network import Network, fitting
from mofang.studio import Studio, UserError


def scene(rows=90, columns=130, seed=0):
    """(rows, columns, 3) in 0..1: soft ground with things on it."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.uniform(0.2, 0.8, (4, 5, 3)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    for _ in range(9):
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        cv2.circle(image, centre, int(rng.integers(4, 20)), rng.uniform(0.05, 0.95, 3).tolist(), -1, cv2.LINE_AA)
    return np.clip(image, 0, 1).astype(np.float32)


def onnx_graph(path, factor=1.0, *, shape=(None, 3, None, None), half=False, rim=0, times=1.0, beside=""):
    """An ONNX model that repeats pixels `factor` times, leaves `rim` of them out all around, and multiplies by `times`."""
    from onnx import TensorProto, external_data_helper, helper, numpy_helper, save

    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    number = np.float16 if half else np.float32
    tensors = [helper.make_tensor("scale", TensorProto.FLOAT, [4], [1, 1, factor, factor]),
               numpy_helper.from_array(np.full((1, 1, 1, 1), times, number), "times")]  # fmt: skip
    nodes = [helper.make_node("Resize", ["x", "", "scale"], ["large"], mode="nearest"),
             helper.make_node("Mul", ["large", "times"], ["inner" if rim else "y"])]  # fmt: skip
    if rim:
        for name, values in (("from", [rim, rim]), ("to", [-rim, -rim]), ("axes", [2, 3])):
            tensors.append(numpy_helper.from_array(np.array(values, np.int64), name))
        nodes.append(helper.make_node("Slice", ["inner", "from", "to", "axes"], ["y"]))
    if len(shape) != 4:
        nodes = [helper.make_node("Identity", ["x"], ["y"])]
        tensors = []
    named = [side or f"side{number}" for number, side in enumerate(shape)]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", kind, named)],
                              [helper.make_tensor_value_info("y", kind, None)], tensors)  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if beside:
        external_data_helper.set_external_data(model.graph.initializer[1], beside)
        if "/" not in beside:
            (path.parent / beside).write_bytes(np.full(1, times, number).tobytes())
        model.graph.initializer[1].ClearField("raw_data")
    path.write_bytes(model.SerializeToString()) if beside else save(model, str(path))
    return path


def ncnn_network(path, channels=3, factor=2, cut=0):
    """An ncnn network that repeats pixels: a convolution to factor² copies of each channel, then PixelShuffle."""
    many = channels * factor**2
    kernel = np.zeros((many, channels, 3, 3), "<f4")
    for n in range(many):
        kernel[n, n // factor**2, 1, 1] = 1
    path.write_text(f"7767517\n3 3\nInput data 0 1 data\nConvolution conv 1 1 data c 0={many} 1=3 4=1 5=1 6={kernel.size}\n"
                    f"PixelShuffle shuffle 1 1 c out 0={factor}\n")  # fmt: skip
    content = struct.pack("<I", 0) + kernel.tobytes() + np.zeros(many, "<f4").tobytes()
    path.with_suffix(".bin").write_bytes(content[: len(content) - cut])
    return path


def repeated(image, factor):
    return image.repeat(factor, 0).repeat(factor, 1)


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "image", "edit", *map(str, arguments)])


def save_picture(path, image):
    Image.fromarray((image * 255).round().astype(np.uint8)).save(path)
    return path


# -- shapes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {"factor": 1}, {"factor": 3}, {"factor": 4, "half": True}, {"factor": 2, "rim": 7}, {"factor": 2, "rim": 36},
    {"factor": 1, "rim": 10}, {"factor": 2, "shape": (1, 3, 64, 64)}, {"factor": 2, "shape": (1, 3, 48, 80)},
    {"factor": 2, "rim": 5, "shape": (1, 3, 64, 64)}, {"factor": 4, "shape": (1, None, None, None)},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("size", [(90, 130), (300, 270), (5, 9)])
def test_every_graph_that_repeats_pixels_repeats_them_whatever_its_shape(tmp_path, options, size):
    network = open_network("onnx", onnx_graph(tmp_path / "n.onnx", **options), 1)
    assert network.factor == options["factor"]
    image = scene(*size)
    done = network(image)
    assert done.shape == (size[0] * network.factor, size[1] * network.factor, 3)
    assert np.allclose(done, repeated(image, network.factor), atol=2e-3 if "half" in options else 1e-6)


def test_a_network_of_one_channel_works_on_lightness(tmp_path):
    network = open_network("onnx", onnx_graph(tmp_path / "n.onnx", 2, shape=(1, 1, None, None)), 1)
    image = scene()
    assert network.channels == 1 and np.abs(network(image)[::2, ::2] - image).mean() < 0.01


def test_a_network_runs_over_its_own_result_or_is_reduced_to_the_factor_asked_for(tmp_path):
    image = scene(40, 50)
    for own, asked, shape in ((2, 4, (160, 200)), (4, 2, (80, 100)), (3, 4, (160, 200)), (2, None, (80, 100))):
        done = by_engine(image, open_network("onnx", onnx_graph(tmp_path / f"{own}.onnx", own), 1), asked)
        assert done.shape[:2] == shape
        assert np.abs(cv2.resize(done, (50, 40), interpolation=cv2.INTER_AREA) - image).mean() < 0.01


def test_weights_beside_the_graph_are_part_of_what_it_is(tmp_path):
    path = onnx_graph(tmp_path / "n.onnx", 2, times=0.5, beside="weights.bin")
    image = scene()
    assert np.allclose(open_network("onnx", path, 1)(image), repeated(image, 2) * 0.5, atol=1e-6)
    before = key("onnx", path)
    (tmp_path / "weights.bin").write_bytes(np.float32(0.25).tobytes())
    assert key("onnx", path) != before
    assert np.allclose(open_network("onnx", path, 1)(image), repeated(image, 2) * 0.25, atol=1e-6)


@given(st.integers(1, 8), st.integers(0, 12), st.integers(32, 300), st.integers(32, 300))
def test_factor_and_rim_are_found_from_sizes(factor, rim, rows, columns):
    found = fitting((rows, columns), (rows * factor - 2 * rim, columns * factor - 2 * rim))
    if rows != columns:
        assert found is not None and (found.factor, found.rim) == (factor, rim)
    elif found is not None and rim == 0:
        assert (found.factor, found.rim) == (factor, 0)


def test_factors_that_are_not_whole_are_none():
    assert fitting((64, 112), (96, 168)) is None and fitting((64, 64), (96, 96)) is None and fitting((64, 112), (168, 96)) is None


def test_a_network_is_chosen_from_a_folder_by_its_factor(tmp_path):
    for name in ("RealESRGAN_x2plus", "RealESRGAN_x4plus", "4x-UltraSharp-fp32"):
        onnx_graph(tmp_path / f"{name}.onnx", 4)
    assert chosen("onnx", tmp_path, 2).name == "RealESRGAN_x2plus.onnx"
    (tmp_path / "RealESRGAN_x4plus.onnx").unlink()
    assert chosen("onnx", tmp_path, 4).name == "4x-UltraSharp-fp32.onnx"
    with pytest.raises(UserError, match="holds 2 networks"):
        chosen("onnx", tmp_path)
    with pytest.raises(UserError, match="holds no network"):
        chosen("ncnn", tmp_path)
    for name, factor in (("scale2.0x_model", 2), ("up3x-latest", 3), ("x8", 8)):
        (tmp_path / name).mkdir()
        for each in (name, "plain"):
            onnx_graph(tmp_path / name / f"{each}.onnx", 2)
        assert chosen("onnx", tmp_path / name, factor).stem == name


# -- ncnn --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels, factor", [(3, 2), (3, 4), (1, 2), (3, 1)])
def test_ncnn_networks_run(tmp_path, channels, factor):
    pytest.importorskip("ncnn")
    network = open_network("ncnn", ncnn_network(tmp_path / "n.param", channels, factor), 1)
    assert (network.channels, network.factor) == (channels, factor)
    image = scene(280, 100)
    done = network(image)
    assert done.shape == (280 * factor, 100 * factor, 3)
    assert np.abs(done[::factor, ::factor] - image).mean() < (0.02 if channels == 1 else 1e-6)


def test_ncnn_gives_what_the_equation_of_its_layers_gives(tmp_path):
    pytest.importorskip("ncnn")
    rng = np.random.default_rng(5)
    kernel, bias = rng.normal(0, 0.1, (3, 3, 3, 3)).astype("<f4"), rng.normal(0, 0.05, 3).astype("<f4")
    (tmp_path / "n.bin").write_bytes(struct.pack("<I", 0) + kernel.tobytes() + bias.tobytes())
    (tmp_path / "n.param").write_text("7767517\n4 4\nInput in 0 1 a\nConvolution c 1 1 a b 0=3 1=3 4=1 5=1 6=81\n"
                                      "ReLU r 1 1 b c\nInterp i 1 1 c d 0=1 1=2.0 2=2.0\n")  # fmt: skip
    image = scene(60, 70)
    filtered = sum(cv2.filter2D(image[..., i], -1, kernel[o, i], borderType=cv2.BORDER_REPLICATE) * (np.arange(3) == o)[:, None, None]
                   for o in range(3) for i in range(3))  # fmt: skip
    expected = np.clip(np.maximum(np.moveaxis(filtered, 0, 2) + bias, 0), 0, 1)
    assert np.allclose(open_network("ncnn", tmp_path / "n.param", 1)(image), repeated(expected, 2), atol=1e-4)


def test_without_ncnn_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ncnn", None)
    with pytest.raises(UserError, match=r"pip install 'mofang\[ncnn\]'"):
        open_network("ncnn", ncnn_network(tmp_path / "n.param"))


PARAM = "7767517\n3 3\nInput data 0 1 data\nConvolution conv 1 1 data c 0=12 1=3 4=1 5=1 6=324\nPixelShuffle s 1 1 c out 0=2\n"


@pytest.mark.parametrize("old, new, said", [
    ("7767517", "7767518", "does not begin"), ("3 3\n", "4 3\n", "head counts"), ("3 3\n", "3\n", "whole"),
    ("6=324", "6=999999999", "has not the weights"), ("0=12 1=3", "0=99999 1=3", "weights of its kernel"),
    ("data c 0", "nowhere c 0", "reads what no layer"), ("c out", "c data", "writes what was"),
    ("PixelShuffle s 1 1 c out 0=2", "Interp s 1 1 c out 0=1 1=9999 2=2", "too much"),
    ("PixelShuffle s 1 1 c out 0=2", "PixelShuffle s 9 1 c out", "blobs it counts"),
    ("PixelShuffle s 1 1 c out 0=2", "Vanish s 1 1 c out", "not known"), ("0=2\n", "two\n", "without a name"),
])  # fmt: skip
def test_ncnn_networks_that_lie_are_refused_in_one_line(tmp_path, old, new, said):
    pytest.importorskip("ncnn")
    ncnn_network(tmp_path / "n.param").write_text(PARAM.replace(old, new, 1))
    with pytest.raises(UserError, match=said) as caught:
        open_network("ncnn", tmp_path / "n.param", 1)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_text_brings_the_reader_of_params_down(tmp_path_factory, data):
    from mofang.image.edit.engines.ncnn import layers

    folder = tmp_path_factory.mktemp("p")
    text = list(PARAM)
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from("0123456789=-. \nax\0é"))
    (folder / "n.param").write_text("".join(text), "utf-8")
    (folder / "n.bin").write_bytes(bytes(2000))
    try:
        assert layers(folder / "n.param")
    except UserError as error:
        assert "\n" not in str(error)


# -- what is no network ------------------------------------------------------------------------------------------------------


def test_other_graphs_are_refused_in_one_line(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"\x08\x01 no graph")
    (tmp_path / "p.onnx").write_bytes(b"\x80\x04\x95cos\nsystem\n.")
    (tmp_path / "cut.onnx").write_bytes(onnx_graph(tmp_path / "whole.onnx", 2).read_bytes()[:-40])
    gone = onnx_graph(tmp_path / "gone.onnx", 2, beside="other.bin")
    (tmp_path / "other.bin").unlink()
    short = onnx_graph(tmp_path / "short.onnx", 2, beside="short.bin")
    (tmp_path / "short.bin").write_bytes(b"\0")
    bad = {path: said for said, paths in {
        "four dimensions": [onnx_graph(tmp_path / "r.onnx", shape=(None, 3, None))],
        "makes": [onnx_graph(tmp_path / "f.onnx", 9), onnx_graph(tmp_path / "w.onnx", 1.5)],
        "neither one channel": [onnx_graph(tmp_path / "c.onnx", shape=(1, 5, None, None))],
        "at once": [onnx_graph(tmp_path / "b.onnx", shape=(8, 3, 32, 32))],
        "come last": [onnx_graph(tmp_path / "l.onnx", shape=(1, 64, 64, 3))],
        "0..1": [onnx_graph(tmp_path / "m.onnx", 2, times=255.0)],
        "numbers that are none": [onnx_graph(tmp_path / "n.onnx", 2, times=np.nan)],
        "size": [onnx_graph(tmp_path / "s.onnx", 2, shape=(1, 3, 8, 8)), onnx_graph(tmp_path / "h.onnx", 2, shape=(1, 3, 64, None))],
        "outside": [onnx_graph(tmp_path / "out.onnx", 2, beside="../../etc/passwd")],
        "other.bin": [gone], "does not open": [short], "whole": [tmp_path / "x.onnx", tmp_path / "cut.onnx"],
        "pickle": [tmp_path / "p.onnx"], "no network": [tmp_path / "gone2.onnx"],
    }.items() for path in paths}  # fmt: skip
    for path, said in bad.items():
        with pytest.raises(UserError, match=said) as caught:
            open_network("onnx", path, 1)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400, path


def test_a_runner_of_another_kind_is_a_network_too():
    class Doubling:
        name, channels, fixed = "doubling", 3, None

        def __call__(self, part):
            return repeated(part, 2)

    image = scene(20, 30)
    assert np.array_equal(Network(Doubling())(image), repeated(image, 2))


@pytest.mark.parametrize("text", ["onnx", "onnx:", "torch:x.pt", "", "ncnn: "])
def test_engines_that_are_none(text):
    with pytest.raises(UserError, match="no engine"):
        read_engine(text)


# -- clear pictures and the command ------------------------------------------------------------------------------------------


def test_colours_are_told_from_the_white_they_were_laid_on():
    colours, alpha = scene(), np.clip(np.linspace(-0.2, 1.2, 130, dtype=np.float32)[None].repeat(90, 0), 0, 1)
    found = straight(colours * alpha[..., None] + 1 - alpha[..., None], alpha)
    assert np.abs(found - colours)[:, 40:].max() < 1e-5
    assert np.abs(found[:, 0] - colours[:, 0]).mean() < 0.4 * np.abs(1 - colours[:, 0]).mean()


def test_the_command_enlarges_keeps_clear_what_is_clear_and_is_made_again(tmp_path):
    from mofang.apps.recall import recall
    from mofang.apps.remake import remake

    onnx_graph(tmp_path / "x4.onnx", 4)
    clear = np.zeros((40, 60, 4), np.uint8)
    clear[8:32, 10:50] = (200, 40, 40, 255)
    Image.fromarray(clear).save(tmp_path / "a.png")
    result = run(tmp_path, "enlarge", tmp_path / "a.png", tmp_path / "o.png", "--engine", f"onnx:{tmp_path}")
    assert result.exit_code == 0, (result.output, result.exception)
    report = trust.verify(tmp_path / "o.png", tmp_path / "studio")
    assert report.ok and report.record is not None
    studio = Studio(tmp_path / "studio")
    again = recall(studio, tmp_path / "o.png").command
    assert f"--engine onnx:{tmp_path / 'x4.onnx'}" in again and str(tmp_path) not in str(report.credentials.lineage["recipe"])
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine == "edit")
    made = np.asarray(Image.open(asset.path))  # As it is before the label of what networks paint is laid on.
    assert made.shape == (160, 240, 4) and np.array_equal(made[..., 3], repeated(clear[..., 3], 4))
    assert (made[32:128, 40:200, :3] == (200, 40, 40)).all()
    assert remake(studio, asset)[0] == asset.id
    onnx_graph(tmp_path / "x4.onnx", 4, times=0.5)
    with pytest.raises(UserError, match="put that one back"):
        remake(studio, asset)


@pytest.mark.parametrize("verb", ["denoise", "deblur", "unjpeg"])
def test_restoring_networks_change_a_picture_by_a_strength(tmp_path, verb):
    pytest.importorskip("ncnn")
    picture = save_picture(tmp_path / "a.png", scene(400, 400))
    ncnn_network(tmp_path / "same.param", factor=1)
    onnx_graph(tmp_path / "half.onnx", 1, times=0.5)
    for engine, strength, level in (("ncnn:same.param", 1, 1.0), ("onnx:half.onnx", 1, 0.5), ("onnx:half.onnx", 0.5, 0.75)):
        kind, name = engine.split(":")
        result = run(tmp_path, verb, picture, tmp_path / "o.png", "--engine", f"{kind}:{tmp_path / name}", "--strength", strength)
        assert result.exit_code == 0, result.exception
        made, before = (np.asarray(Image.open(each))[100:300].astype(float) for each in (tmp_path / "o.png", picture))
        assert np.abs(made - before * level).max() <= 1  # Around is the label of what networks paint.


@pytest.mark.parametrize("arguments, said", [
    (["enlarge", "--engine", "onnx:none.onnx"], "no network"), (["enlarge", "--engine", "onnx:same.onnx"], "keeps a picture's size"),
    (["denoise", "--engine", "onnx:two.onnx"], "enlarges by 2"), (["enlarge", "--engine", "caffe:x"], "no engine"),
    (["enlarge", "--engine", "onnx:two.onnx", "--model", "two.onnx"], "not both"), (["enlarge", "--model", "none.onnx"], "no network"),
    (["enlarge", "--engine", "onnx:a.png"], "neither safetensors"), (["enlarge", "--engine", "onnx:."], "holds 2 networks"),
    (["enlarge", "--engine", "ncnn:none.param"], "no network"), (["enlarge", "--engine", "onnx:" + "x" * 5000], "no network"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOFANG_LANG", "en")
    save_picture(tmp_path / "a.png", scene())
    onnx_graph(tmp_path / "same.onnx", 1)
    onnx_graph(tmp_path / "two.onnx", 2)
    verb, *options = arguments
    result = run(tmp_path, verb, "a.png", "o.png", *options)
    assert isinstance(result.exception, UserError), result.exception
    assert said in str(result.exception) and "\n" not in str(result.exception) and not (tmp_path / "o.png").exists()
