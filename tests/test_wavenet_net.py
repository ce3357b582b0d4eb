"""WaveNet: the network against its equations, the samplers against the network and each other."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mofang.sound import mel, mulaw  # noqa: E402
from mofang.sound.nets.logistics import log_likelihood  # noqa: E402
from mofang.sound.nets.wavenet import WaveNet  # noqa: E402
from mofang.sound.wavenet import kernels  # noqa: E402
from mofang.sound.wavenet.conditions import conditions  # noqa: E402
from mofang.sound.wavenet.sampler import Sampler  # noqa: E402
from mofang.sound.wavenet.shape import Shape  # noqa: E402
from mofang.studio.errors import UserError  # noqa: E402

SMALL = {"layers": 10, "cycle": 5, "residual": 16, "skip": 32, "features": 3, "hop": 15, "conditioning": 6, "upsampling": (3, 5)}
SHAPES = [
    Shape(**SMALL, output="mulaw", speakers=2, speaker=5),
    Shape(**SMALL, output="logistics", mixtures=3),
    Shape(**{**SMALL, "features": 0, "upsampling": ()}, output="logistics", mixtures=4),
    Shape(**{**SMALL, "residual": 80, "skip": 48, "layers": 3, "cycle": 3}),
]


def net(shape, seed=0):
    torch.manual_seed(seed)
    made = WaveNet(shape)
    with torch.no_grad():  # biases that matter
        for name, weight in made.named_parameters():
            if name.endswith("bias"):
                weight.normal_(0, 0.2)
    return made.eval()


def arrays(made):
    return {name: tensor.numpy() for name, tensor in made.state_dict().items()}


def inputs(shape, length, seed=1):
    generator = np.random.default_rng(seed)
    if shape.output == "mulaw":
        return torch.from_numpy(generator.integers(0, 256, (1, length)))
    return torch.from_numpy(generator.uniform(-1, 1, (1, length)).astype(np.float32))


def conditioned(made, frames, seed=2):
    features = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, frames, made.shape.features)).astype(np.float32))
    return features, made.conditions(features if made.shape.features else None, torch.tensor([1]) if made.shape.speakers else None)


def test_one_layer_is_the_papers_equation():
    shape = Shape(**{**SMALL, "layers": 3, "cycle": 3})
    layer = net(shape).layers[2]
    x, h = torch.randn(1, 40, 16), torch.randn(1, 40, 6)
    out, skip = layer(x, h)
    weight, bias, v = (t.detach().numpy() for t in (layer.dilated.weight, layer.dilated.bias, layer.condition.weight))
    xs, hs = x[0].numpy().astype(np.float64), h[0].numpy()
    for t in (0, 3, 4, 25):
        old = xs[t - 4] if t >= 4 else np.zeros(16)
        gates = weight[:, :16] @ old + weight[:, 16:] @ xs[t] + bias + v @ hs[t]
        z = np.tanh(gates[:16]) / (1 + np.exp(-gates[16:]))
        expected = xs[t] + layer.residual.weight.detach().numpy() @ z + layer.residual.bias.detach().numpy()
        assert np.allclose(out[0, t].detach().numpy(), expected, atol=1e-5)
        assert np.allclose(skip[0, t].detach().numpy(),
                           layer.skip.weight.detach().numpy() @ z + layer.skip.bias.detach().numpy(), atol=1e-5)  # fmt: skip


def test_products_of_matrices_are_convolutions():
    made = net(SHAPES[1])
    x = torch.randn(2, 50, 16)
    layer = made.layers[3]
    taps = torch.stack(layer.dilated.weight.split(16, 1), 2)
    out = torch.nn.functional.conv1d(torch.nn.functional.pad(x.transpose(1, 2), (8, 0)), taps, layer.dilated.bias, dilation=8)
    f, g = out.chunk(2, 1)
    z = torch.tanh(f) * torch.sigmoid(g)
    assert torch.allclose(layer(x, None)[1], layer.skip(z.transpose(1, 2)), atol=1e-5)
    one_hot = torch.nn.functional.one_hot(inputs(SHAPES[0], 30), 256).float().transpose(1, 2)
    coded = net(SHAPES[0])
    shifted = torch.nn.functional.pad(one_hot, (2, 0))[:, :, :-1]
    assert torch.allclose(coded._entered(inputs(SHAPES[0], 30)), coded.first(shifted).transpose(1, 2), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_the_receptive_field_is_what_it_says(shape):
    made = net(shape).double()  # The oldest sample's share is too small for float32.
    field, length = shape.receptive_field, 90
    assert field == 2 * (1 + 2 + 4 + 8 + 16) + 2
    samples = inputs(shape, length)
    samples = samples if shape.output == "mulaw" else samples.double()
    features = torch.randn(1, length // 15, 3).double()
    given = made.conditions(features, torch.tensor([1]) if shape.speakers else None)
    before = made(samples, given)
    changed = samples.clone()
    changed[0, 10] = 200 if shape.output == "mulaw" else 0.9
    moved = (made(changed, given) - before).abs().amax(-1)[0] > 0
    assert moved.nonzero().ravel().tolist() == list(range(11, 11 + field))


def test_issue_shape():
    shape = Shape()
    assert (shape.layers, shape.residual, shape.rate, shape.receptive_field) == (30, 64, 16_000, 3071)


@pytest.mark.parametrize("shape", SHAPES)
def test_cached_equals_naive_to_the_bit(shape):
    sampler = Sampler(shape, arrays(net(shape)))
    features = np.random.default_rng(3).standard_normal((15, shape.features)).astype(np.float32) if shape.features else None
    for temperature in (1.0, 0.0):
        fast, slow = (sampler.sample(features, length=221, temperature=temperature, seed=5, naive=naive) for naive in (False, True))
        assert len(fast) == 221 and np.array_equal(fast, slow)
        assert temperature == 0 or len(np.unique(fast)) > 20
    again = sampler.sample(features, length=221, seed=5)
    assert np.array_equal(again, sampler.sample(features, length=221, seed=5))
    assert not np.array_equal(again, sampler.sample(features, length=221, seed=6))


def test_going_on_in_chunks_changes_nothing(monkeypatch):
    from mofang.sound.wavenet import sampler as module

    shape = SHAPES[0]
    made = Sampler(shape, arrays(net(shape)))
    features = np.random.default_rng(3).standard_normal((20, 3)).astype(np.float32)
    whole = made.sample(features)
    monkeypatch.setattr(module, "CHUNK", 64)
    assert np.array_equal(whole, made.sample(features))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernels_compute_the_network(shape):
    """Likeliest values step by step are what the network says of the same past."""
    made = net(shape)
    features, given = conditioned(made, 12)
    sampler = Sampler(shape, arrays(made))
    speaker = 1 if shape.speakers else 0
    drawn = sampler.sample(features[0].numpy() if shape.features else None, length=100, temperature=0, speaker=speaker)
    if shape.output == "mulaw":
        codes = mulaw.encode(drawn).astype(np.int64)
        logits = made(torch.from_numpy(codes)[None], None if given is None else given[:, :100])[0].detach().numpy()
        chosen = logits[np.arange(100), codes]
        assert (logits.max(1) - chosen < 1e-4).all()
    else:
        said = made(torch.from_numpy(drawn)[None], None if given is None else given[:, :100])[0].detach().numpy()
        weights, means = said[:, : shape.mixtures], said[:, shape.mixtures : 2 * shape.mixtures]
        assert np.allclose(np.clip(means[np.arange(100), weights.argmax(1)], -1, 1), drawn, atol=1e-4)


def test_the_numpy_upsampler_is_torchs():
    for strides in ((3, 5), (15,), (2, 8), (1, 7)):
        shape = Shape(**{**SMALL, "upsampling": strides, "hop": int(np.prod(strides))}, speakers=2, speaker=5)
        made = net(shape)
        features, given = conditioned(made, 9)
        flat = conditions(shape, arrays(made), features[0].numpy(), 1, 9 * shape.hop, 12, kernels.ROWS)
        assert np.allclose(flat.reshape(-1, 12)[: 9 * shape.hop, :11], given[0].detach().numpy(), atol=1e-5)


def test_conditions_in_blocks_are_the_same(monkeypatch):
    from mofang.sound.wavenet import conditions as module

    shape = Shape(**SMALL)
    tensors = arrays(net(shape))
    features = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    whole = conditions(shape, tensors, features, 0, 50 * 15 - 4, 8, kernels.ROWS)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert np.allclose(whole, conditions(shape, tensors, features, 0, 50 * 15 - 4, 8, kernels.ROWS), atol=1e-5)
    with pytest.raises(UserError, match="at once"):
        Sampler(replace(shape, features=0, upsampling=(), layers=1), tensors).sample(length=16_000 * 301)


def test_the_upsampler_begins_as_interpolation():
    shape = Shape(**{**SMALL, "features": 6})
    up = WaveNet(shape).upsampler
    with torch.no_grad():
        up.widen.weight.zero_()
        up.widen.bias.zero_()
        for i in range(6):
            up.widen.weight[i, i, 1] = 1
    ramp = torch.arange(10.0)[None, :, None].expand(1, 10, 6)
    y = up(ramp)[0].detach().numpy()
    assert y.shape == (150, 6)
    middle = np.arange(30, 120)
    assert all(np.corrcoef(y[middle, channel], middle)[0, 1] > 0.99 for channel in range(6))


def test_a_mixture_of_logistics_is_a_distribution():
    torch.manual_seed(0)
    parameters = torch.randn(6, 9)
    parameters[:, 6:] -= 2
    levels = 256
    grid = torch.linspace(-1, 1, levels)
    likelihood = log_likelihood(parameters[:, None], grid[None].expand(6, -1), levels)
    assert torch.allclose(likelihood.exp().sum(1), torch.ones(6), atol=1e-4)
    # Each step's mass against numeric integration of the continuous density.
    weights, means, scales = parameters[0].double().chunk(3)
    fine = torch.linspace(-1 / 255, 1 / 255, 2001).double()
    for at in (40, 128, 200):
        s = scales.exp()
        u = (grid[at] + fine[:, None] - means) / s
        density = (weights.softmax(0) * torch.exp(-u) / (s * (1 + torch.exp(-u)) ** 2)).sum(1)
        assert float(torch.trapezoid(density, fine).log()) == pytest.approx(float(likelihood[0, at]), abs=1e-4)
    spike = torch.tensor([0.0, 0.3, -20.0])
    assert torch.isfinite(log_likelihood(spike, torch.tensor(-0.9)))


def test_drawing_follows_the_distribution():
    logits = np.log(np.array([0.1, 0.6, 0.3], np.float32))
    padded = np.full(16, -80, np.float32)
    padded[:3] = logits
    drawn = [kernels.draw_code(padded.copy(), 16, 1.0, chance) for chance in np.linspace(0, 0.9999, 1000)]
    assert np.allclose(np.bincount(drawn, minlength=3) / 1000, [0.1, 0.6, 0.3], atol=0.01)
    parameters = np.array([0.0, 2.0, -0.5, 0.2, -3.0, -3.0], np.float32)
    generator = np.random.default_rng(0)
    values = np.array([kernels.draw_logistic(parameters, 2, 1.0, *generator.random(2)) for _ in range(4000)])
    high = np.exp(2) / (1 + np.exp(2))
    assert (values > -0.15).mean() == pytest.approx(high, abs=0.03)
    assert np.median(values[values > -0.15]) == pytest.approx(0.2, abs=0.01)


def test_mulaw_is_the_law():
    x = np.linspace(-1, 1, 2001).astype(np.float32)
    assert np.allclose(mulaw.compress(x), np.sign(x) * np.log(1 + 255 * np.abs(x)) / np.log(256), atol=1e-6)
    assert np.allclose(mulaw.expand(mulaw.compress(x)), x, atol=1e-6)
    codes = np.arange(256)
    assert np.array_equal(mulaw.encode(mulaw.decode(codes)), codes)
    assert mulaw.encode(np.zeros(1, np.float32))[0] == mulaw.SILENCE
    assert mulaw.encode(np.array([-9, 9], np.float32)).tolist() == [0, 255]
    near = np.linspace(-0.01, 0.01, 100).astype(np.float32)
    assert np.abs(mulaw.decode(mulaw.encode(near)) - near).max() < 3e-4


def test_mel_is_the_formula():
    settings = mel.Mel()
    t = np.arange(16_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    spectrum = mel.log_mel(tone)
    assert spectrum.shape == (80, 80)
    centres = mel.from_mel(np.linspace(mel.to_mel(settings.low), mel.to_mel(settings.high), 82))[1:-1]
    assert abs(centres[spectrum[40].argmax()] - 1000) < 60
    assert mel.magnitudes(tone, settings)[40].max() == pytest.approx(0.5, rel=0.02)
    # One frame by hand: a direct Fourier sum and triangles.
    at = 40 * 200 + 100
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 800)
    piece = tone[at - 400 : at + 400] * window
    spectrum_by_hand = np.abs(np.exp(-2j * np.pi * np.outer(np.arange(513), np.arange(800)) / 1024) @ piece) * 2 / window.sum()
    corners = mel.from_mel(np.linspace(mel.to_mel(40.0), mel.to_mel(7600.0), 82))
    bins = np.arange(513) * 16_000 / 1024
    for band in (10, 30, 60):
        a, b, c = corners[band : band + 3]
        triangle = np.clip(np.minimum((bins - a) / (b - a), (c - bins) / (c - b)), 0, None) * 200 / (c - a)
        assert spectrum[40, band] == pytest.approx(np.log(max(triangle @ spectrum_by_hand, 1e-5)), abs=1e-3)
    assert np.allclose(mel.log_mel(np.zeros(1000, np.float32)), np.log(1e-5))
    assert mel.log_mel(np.zeros(10, np.float32)).shape == (0, 80)


def test_shapes_that_are_none():
    for wrong in ({"residual": 20}, {"upsampling": [3, 3]}, {"output": "sine"}, {"layers": "x"}, {"layers": 10**9},
                  {"model_type": "gpt"}):  # fmt: skip
        with pytest.raises(UserError):
            Shape.read({**Shape(**SMALL).config(), **wrong})
    shape = Shape(**SMALL)
    assert Shape.read(shape.config()) == shape
    tensors = arrays(net(shape))
    with pytest.raises(UserError, match="weights"):
        _ = Sampler(Shape(**{**SMALL, "residual": 32}), tensors).pack
    with pytest.raises(UserError, match="features"):
        Sampler(shape, tensors).sample(np.zeros((4, 9), np.float32))
