"""Games, penalties, augmentation and networks of pictures against their equations; what trains, resumes and exports."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from mofang.cli import mofang
from mofang.image.data import Pictures
from mofang.image.data.prepare import Preparing, prepare
from mofang.image.measure.copies import Index, copying
from mofang.image.measure.features import features, filters
from mofang.image.measure.kid import diversity, kid
from mofang.image.nets import losses_gan as games
from mofang.image.nets.augment import Strength, augment, cutout, translate
from mofang.image.nets.dcgan import DcganDiscriminator, DcganGenerator, DcganShape
from mofang.image.nets.gan import Discriminator, GanShape, Generator
from mofang.image.nets.vae import Vae, VaeShape, divergence, elbo, log_likelihood
from mofang.image.nets.vqvae import Codebook, Prior, VqShape, VqVae
from mofang.image.sampler import Sampler
from mofang.image.train.judge import warning
from mofang.image.train.learn import learn
from mofang.models import own
from mofang.studio import UserError
from mofang.training.budget import Budget
from mofang.training.loop import Plan
from test_image_data import drawn, folder_of

torch.set_num_threads(1)

DATA = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
MADE = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)


def expected(real_logits, made):
    """V of logits over four outcomes, the expectations taken exactly."""
    return (DATA * -torch.nn.functional.softplus(-real_logits)).sum() + (made * -torch.nn.functional.softplus(real_logits)).sum()


def test_the_best_discriminator_and_the_value_at_the_optimum():
    """Goodfellow et al. 2014: proposition 1, D* = p_data / (p_data + p_g); theorem 1, V = −log 4 where p_g = p_data."""
    logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-15)

    def closure():
        descent.zero_grad()
        loss = -expected(logits, MADE)
        loss.backward()
        return loss

    descent.step(closure)
    assert torch.allclose(torch.sigmoid(logits), DATA / (DATA + MADE), atol=1e-6)
    js = 0.5 * (DATA * (2 * DATA / (DATA + MADE)).log()).sum() + 0.5 * (MADE * (2 * MADE / (DATA + MADE)).log()).sum()
    assert float(expected(logits.detach(), MADE)) == pytest.approx(-math.log(4) + 2 * float(js), abs=1e-9)
    assert float(expected(torch.zeros(4, dtype=torch.float64), DATA)) == pytest.approx(-math.log(4), abs=1e-12)
    assert float(games.value(torch.zeros(5), torch.zeros(5))) == pytest.approx(-math.log(4), abs=1e-6)


def test_the_discriminator_s_loss_from_samples_is_the_exact_one():
    # Counts in proportion to the probabilities make the sample mean the expectation.
    logits = torch.tensor([1.2, 0.3, -0.4, -2.0], dtype=torch.float64)
    real, fake = (logits.repeat_interleave((10 * p).round().long()) for p in (DATA, MADE))
    assert float(games.discriminator(real, fake)) == pytest.approx(-float(expected(logits, MADE)), abs=1e-12)


@pytest.mark.parametrize("name", ["value", "discriminator", "minimax_generator", "non_saturating_generator",
                                  "relativistic_discriminator", "relativistic_generator"])  # fmt: skip
def test_losses_against_their_equations_and_differences(name):
    torch.manual_seed(0)
    loss = getattr(games, name)
    real, fake = (torch.randn(6, dtype=torch.float64, requires_grad=True) for _ in range(2))
    d_real, d_fake = torch.sigmoid(real), torch.sigmoid(fake)
    said = {
        "value": d_real.log().mean() + (1 - d_fake).log().mean(),
        "discriminator": -(d_real.log().mean() + (1 - d_fake).log().mean()),
        "minimax_generator": (1 - d_fake).log().mean(), "non_saturating_generator": -d_fake.log().mean(),
        "relativistic_discriminator": -torch.sigmoid(real - fake).log().mean(),
        "relativistic_generator": -torch.sigmoid(fake - real).log().mean(),
    }[name]  # fmt: skip
    assert torch.allclose(loss(real, fake), said, atol=1e-12)
    assert torch.autograd.gradcheck(loss, (real, fake))
    assert torch.isfinite(loss(real * 1e6, fake * 1e6))


def test_the_game_that_does_not_saturate_pulls_where_minimax_does_not():
    fake = torch.tensor([-12.0], requires_grad=True)
    weak, strong = (torch.autograd.grad(loss(fake.detach(), fake), fake)[0].abs().item()
                    for loss in (games.minimax_generator, games.non_saturating_generator))  # fmt: skip
    assert weak < 1e-4 and strong > 0.99


def test_the_penalty_is_the_squared_norm_of_the_gradient():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    x = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    found = games.gradient_penalty(net(x), x).item()
    total = 0.0
    for number in range(4):
        for place in range(12):
            step = torch.zeros(12, dtype=torch.float64)
            step[place] = 1e-5
            ahead, behind = (net((x[number].flatten() + sign * step)[None]).item() for sign in (1, -1))
            total += ((ahead - behind) / 2e-5) ** 2
    assert found == pytest.approx(total / 4, rel=1e-5)
    games.gradient_penalty(net(x), x).backward()
    assert net[1].weight.grad.abs().sum() > 0


def test_augmentation_leaves_some_alone_and_lets_gradients_through():
    torch.manual_seed(1)
    x = torch.rand(64, 4, 16, 16) * 2 - 1
    assert augment(x, 0.0) is x
    x.requires_grad_()
    seen = augment(x, 0.5)
    same = torch.isclose(seen, x, atol=1e-5).flatten(1).all(1).float().mean().item()
    assert seen.shape == x.shape and 0.02 < same < 0.3  # An eighth is spared all three.
    seen.sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0
    plain = torch.ones(8, 3, 16, 16)
    hidden = (cutout(plain, 1.0) == 0).float().mean((1, 2, 3))
    assert (hidden <= 0.25).all() and hidden.max() > 0.2
    ramp = torch.arange(16.0).expand(8, 1, 16, 16)
    moved = translate(ramp, 1.0)
    assert ((moved[..., 1:] - moved[..., :-1]).round() <= 1).all() and not torch.equal(moved, ramp)


def test_strength_follows_overfitting():
    strength = Strength(0.5, adaptive=True)
    for _ in range(60):
        strength.follow(train=2.0, held_out=-1.0, generated=-1.0)  # Held-out pictures convince no more than generated ones.
    assert strength.p == pytest.approx(0.9) and strength.overfit > 0.95
    for _ in range(200):
        strength.follow(train=2.0, held_out=2.0, generated=-1.0)
    assert strength.p == 0
    fixed = Strength(0.5, adaptive=False)
    fixed.follow(2.0, -1.0, -1.0)
    assert fixed.p == 0.5


@pytest.mark.parametrize("size, channels", [(16, 3), (64, 4)])
def test_generators_and_discriminators_have_the_shapes_they_say(size, channels):
    shape = GanShape(size, channels, 8, 32, 16)
    generator = Generator(shape)
    made = generator(torch.randn(3, 16))
    assert made.shape == (3, channels, size, size) and Discriminator(shape)(made).shape == (3,)
    w = generator.mapping(torch.randn(5, 16))
    assert torch.allclose(w.square().mean(1), torch.ones(5), atol=1e-4)
    classic = DcganShape(size, channels, 8, 10)
    made = DcganGenerator(classic)(torch.randn(3, 10))
    assert made.shape == (3, channels, size, size) and made.abs().max() <= 1
    assert DcganDiscriminator(classic)(made).shape == (3,)


def test_dcgan_is_the_network_of_the_paper():
    """Figure 1: 100 → 1024×4×4 → 512 → 256 → 128 → 3×64×64."""
    generator = DcganGenerator(DcganShape(64, 3, 128, 100))
    layers = [each for each in generator.layers if isinstance(each, torch.nn.ConvTranspose2d)]
    assert [(each.in_channels, each.out_channels) for each in layers] == [(100, 1024), (1024, 512), (512, 256), (256, 128), (128, 3)]
    assert abs(float(layers[1].weight.detach().std()) - 0.02) < 1e-3


def test_the_divergence_of_a_vae_is_the_integral():
    mean, logvar = torch.tensor([[0.7, -1.1]], dtype=torch.float64), torch.tensor([[-0.5, 0.4]], dtype=torch.float64)
    z = torch.linspace(-14, 14, 40001, dtype=torch.float64)
    total = 0.0
    for m, v in zip(mean[0], logvar[0], strict=True):
        q = torch.distributions.Normal(m, (v / 2).exp())
        p = torch.distributions.Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double())
        total += float(torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)), z))
    assert float(divergence(mean, logvar)) == pytest.approx(total, abs=1e-6)
    x, again, s = torch.randn(2, 3, 4, 4).double(), torch.randn(2, 3, 4, 4).double(), torch.tensor(-0.3).double()
    said = torch.distributions.Normal(again, s.exp()).log_prob(x).flatten(1).sum(1)
    assert torch.allclose(log_likelihood(x, again, s), said)
    assert torch.allclose(elbo(x[:1], again[:1], mean, logvar, s, 0.5), said[:1] - 0.5 * divergence(mean, logvar))


def test_the_bound_lies_under_the_evidence():
    """A linear decoder's evidence is known; no q may exceed it, and the exact posterior reaches it."""
    w, s = torch.tensor([[0.8], [-0.5]], dtype=torch.float64), torch.tensor(-0.4, dtype=torch.float64)
    x = torch.tensor([[1.0, 0.3]], dtype=torch.float64)
    noise = (2 * s).exp()
    evidence = torch.distributions.MultivariateNormal(torch.zeros(2).double(), w @ w.T + noise * torch.eye(2)).log_prob(x)[0]
    precision = 1 + float((w * w).sum() / noise)
    mean, variance = float((w.T @ x.T / noise).item() / precision), 1 / precision
    for m, v in ((mean, variance), (mean + 0.3, variance), (mean, 0.9)):
        grid = torch.linspace(m - 9 * v**0.5, m + 9 * v**0.5, 20001, dtype=torch.float64)
        q = torch.distributions.Normal(torch.tensor(m).double(), torch.tensor(v).double().sqrt())
        likely = log_likelihood(x.expand(len(grid), 2)[:, :, None], (grid[:, None] * w.T)[:, :, None], s)
        apart = divergence(torch.tensor([[m]]).double(), torch.tensor([[v]]).double().log())[0]
        bound = torch.trapezoid(q.log_prob(grid).exp() * likely, grid) - apart
        assert bound <= evidence + 1e-6
        if (m, v) == (mean, variance):
            assert bound == pytest.approx(float(evidence), abs=1e-5)


def test_a_codebook_chooses_the_nearest_follows_and_restarts():
    torch.manual_seed(0)
    book = Codebook(8, 2, decay=0.5)
    book.entries[:] = 100.0
    book.entries[0], book.entries[1] = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0])
    book.sums.copy_(book.entries)
    vectors = torch.tensor([[0.1, 0.0], [0.9, 1.2], [0.2, 0.1]], requires_grad=True)
    chosen, codes, commitment = book(vectors)
    assert codes.tolist() == [0, 1, 0] and torch.allclose(chosen, book.entries[codes])
    chosen.sum().backward()
    assert torch.equal(vectors.grad, torch.ones(3, 2))  # Straight through.
    assert float(commitment.detach()) == pytest.approx(float((vectors.detach() - book.entries[codes]).square().mean()))
    book.follow(vectors.detach(), codes)
    assert torch.allclose(book.entries[0], torch.tensor([0.5 * 0 + 0.5 * 0.3, 0.5 * 0.1]) / (0.5 * 1 + 0.5 * 2))
    for _ in range(8):
        book.follow(vectors.detach(), book.nearest(vectors.detach()))
    assert book.entries.abs().max() < 2  # Those at 100 were restarted among the vectors.


def test_the_prior_is_causal():
    torch.manual_seed(0)
    prior = Prior(VqShape(16, codes=11, prior=16, layers=2, heads=2)).eval()
    codes = torch.randint(11, (2, 4))
    other = codes.clone()
    other[:, 2:] = (other[:, 2:] + 1) % 11
    with torch.no_grad():
        assert torch.allclose(prior(codes)[:, :3], prior(other)[:, :3], atol=1e-6)
        assert not torch.allclose(prior(codes)[:, 3], prior(other)[:, 3])


def test_kid_is_unbiased_and_tells_sets_apart():
    rng = np.random.default_rng(0)
    same = [kid(rng.normal(size=(40, 6)).astype(np.float32), rng.normal(size=(30, 6)).astype(np.float32)) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 200**0.5 + 1e-3
    a, b = rng.normal(size=(50, 6)).astype(np.float32), rng.normal(0.7, 1, (60, 6)).astype(np.float32)
    assert kid(a, b) > 10 * np.std(same) / 10
    middle, scale = b.mean(0), float(((b - b.mean(0)) ** 2).sum(1).mean())

    def k(x, y):
        return (float((x - middle) @ (y - middle)) / scale + 1) ** 3

    xx = np.mean([k(a[i], a[j]) for i in range(50) for j in range(50) if i != j])
    yy = np.mean([k(b[i], b[j]) for i in range(60) for j in range(60) if i != j])
    xy = np.mean([k(x, y) for x in a for y in b])
    assert kid(a, b) == pytest.approx(xx + yy - 2 * xy, rel=1e-4)
    assert diversity(np.repeat(a[:1], 9, 0), b) == pytest.approx(0, abs=1e-6) and 0.7 < diversity(a, b) < 1.4
    assert "mode collapse" in warning(0.05) and not warning(0.9)


def test_copies_are_found_mirrored_too_and_new_pictures_are_not():
    pictures = np.stack([drawn(seed, 64) for seed in range(120)])
    train, held_out, new = pictures[:60], pictures[60:90], pictures[90:]
    index = Index(filters(train), train)
    found = copying(index, train[:20], held_out)
    assert found.rate == 1 and found.nearest.tolist() == list(range(20)) and found.distances.max() < 1e-2
    noise = np.random.default_rng(0).integers(-6, 7, (20, 64, 64, 3))
    noisy = np.clip(train[:20, :, ::-1].astype(int) + noise, 0, 255).astype(np.uint8)
    assert copying(index, noisy, held_out).rate == 1
    assert copying(index, new, held_out).rate < 0.25
    assert math.isnan(copying(index, new, held_out[:2]).rate)
    assert np.array_equal(features(index.net, train), features(filters(train), train))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return prepare([folder_of(folder, 60)], folder / "data", Preparing(16, val=0.35, licence="own"))


SMALL = {"dial": "nano", "batch": 8, "precision": "float32"}


@pytest.mark.parametrize("kind, more", [("gan", {"width": 4, "latent": 8}), ("dcgan", {"width": 4, "latent": 8}),
                                        ("vae", {"width": 4, "latent": 8}), ("vqvae", {"width": 16, "codes": 16})])  # fmt: skip
def test_resuming_is_going_on(tmp_path, data, kind, more):
    """Interrupted at step 5 of 8 and resumed, the weights are those of the run that was not."""

    def run(name, stop):
        steps = []

        def listen(record):
            if record["kind"] == "train" and record["step"] == 5 and stop and not steps:
                steps.append(5)
                os.kill(os.getpid(), 2)

        plan = Plan(Budget(8, "steps"), validations=2, samples=2, record_every=1)
        return learn(data, tmp_path / name, kind, plan, SMALL | more, listen)

    whole = run("whole", False)
    with pytest.raises(KeyboardInterrupt):
        run("parts", True)
    assert (tmp_path / "parts" / "model" / "card.json").exists()
    parts = run("parts", True)
    assert whole.name == parts.name == "model"
    first, second = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "parts"))
    from safetensors.torch import load

    a, b = load(first), load(second)
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    card = own.read_card(whole)
    assert card["measured"]["copy_expected"] == 0.05 and 0 <= card["measured"]["copy_rate"] <= 1
    assert card["licence"] == "own" and card["recipe"]["kind"] == kind and card["trained_on"][0]["pictures"] == 60
    assert "data:image/png" in (tmp_path / "whole" / "report.html").read_text("utf-8")
    made = Sampler(whole).sample([3, 4, 3])
    assert made.shape == (3, 16, 16, 3) and np.array_equal(made[0], made[2]) and not np.array_equal(made[0], made[1])


def test_exports_are_the_network(tmp_path):
    from mofang.image.export import export_gan, export_plain, export_vqvae

    torch.manual_seed(0)
    shape = GanShape(16, 4, 4, 16, 8)
    generator = Generator(shape)
    export_gan(generator, tmp_path)
    own.write_atomic(tmp_path / own.CONFIG, own.dumps(shape.config()))
    sampler = Sampler(tmp_path)
    noise = sampler.noise([1, 2, 3])
    with torch.no_grad():
        direct = generator(torch.from_numpy(noise)).numpy()
    from mofang.image.sampler import to_bytes

    assert np.abs(sampler.pictures(sampler.latents(noise)).astype(int) - to_bytes(direct)).max() <= 1
    still = sampler.latents(noise, 0.0)
    assert np.allclose(still[0], still[1], atol=1e-6) and sampler.levels == generator.levels
    coder = VqVae(VqShape(16, width=16, codes=8, prior=16, heads=2))
    export_vqvae(coder, tmp_path / "vq")
    codes = torch.randint(8, (2, 4))
    import onnxruntime

    with torch.no_grad():
        session = onnxruntime.InferenceSession(tmp_path / "vq" / "prior.onnx")
        said = session.run(None, {"codes": codes.numpy(), "place": np.array(2)})[0]
        assert np.allclose(said, coder.prior(codes)[:, 2].numpy(), atol=1e-4)
    vae = Vae(VaeShape(16, 3, 4, 16, 8))
    export_plain(vae.decoder, torch.randn(2, 8), tmp_path / "vae")
    z = torch.randn(5, 8)
    with torch.no_grad():
        again = onnxruntime.InferenceSession(tmp_path / "vae" / "model.onnx").run(None, {"latents": z.numpy()})[0]
        assert np.allclose(again, vae.decode(z).numpy(), atol=1e-4)


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "image", *map(str, arguments)])


def test_training_by_the_command_line_and_its_one_line_errors(tmp_path, data):
    made = run(tmp_path, "train", data.folder, "--name", "mine", "--budget", "3steps", "--size", "nano", "--batch", 4,
               "--width", 4, "--samples", 1, "--json")  # fmt: skip
    assert made.exit_code == 0, (made.output, made.exception)
    assert "copy rate" in made.output and (tmp_path / "studio" / "runs" / "mine" / "model" / "model.onnx").exists()
    records = [json.loads(line) for line in made.stderr.splitlines() if line.startswith("{")]
    assert {"train", "validate", "sample", "done"} == {record["kind"] for record in records}
    for arguments, message in (
        (("--name", "mine", "--budget", "4steps", "--size", "nano", "--batch", 4, "--width", 4), "was begun with"),
        (("--kind", "vae", "--gamma", 1), "a vae has no --gamma"),
        (("--budget", "soon"), "is no budget"),
    ):
        failed = run(tmp_path, "train", data.folder, *arguments)
        assert isinstance(failed.exception, UserError) and message in str(failed.exception)
    failed = run(tmp_path, "train", tmp_path, "--budget", "1steps")
    assert "is no dataset" in str(failed.exception)


def test_too_few_pictures_and_sizes_that_do_not_double(tmp_path, data):
    few = prepare([folder_of(tmp_path, 3)], tmp_path / "few", Preparing(16))
    with pytest.raises(UserError, match="nothing can be learned from fewer than 8"):
        learn(few, tmp_path / "run", "gan", Plan(Budget(1, "steps")), {"dial": "nano"})
    odd = Pictures(data.folder, 24, 3, data.manifest)
    with pytest.raises(UserError, match="no power of two"):
        learn(odd, tmp_path / "run", "gan", Plan(Budget(1, "steps")), {"dial": "nano"})


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path, data):
    """torchrun with gloo: both processes end with the same weights, near those of one process."""
    script = (
        "import sys, torch\nfrom pathlib import Path\ntorch.set_num_threads(1)\n"
        "from mofang.image.data import Pictures\nfrom mofang.image.train.learn import learn\n"
        "from mofang.training import distributed\nfrom mofang.training.budget import Budget\nfrom mofang.training.loop import Plan\n"
        "distributed.start()\n"
        "learn(Pictures.open(Path(sys.argv[1])), Path(sys.argv[2]), 'gan', Plan(Budget(6, 'steps'), validations=1, samples=1),"
        " {'dial': 'nano', 'batch': 8, 'width': 4, 'latent': 8, 'augment': 'none', 'precision': 'float32'})\n"
        "distributed.stop()\n"
    )
    (tmp_path / "go.py").write_text(script)
    for count, name in ((1, "one"), (2, "two")):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "--master-port", "29533",
                   str(tmp_path / "go.py"), str(data.folder), str(tmp_path / name)]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    losses = []
    for name in ("one", "two"):
        lines = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text("utf-8").splitlines()]
        losses.append(next(line["loss"] for line in lines if line["kind"] == "train"))
    # Equal but for the minibatch deviation, which each process takes over its half.
    assert losses[0] == pytest.approx(losses[1], abs=0.05)
