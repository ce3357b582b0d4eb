"""The networks against their equations, against torch's and Transformers' own, and against themselves."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.batches import Windows, whole
from mofang.text.nets import build, recurrent, seq2seq, transformer
from mofang.text.nets.loss import next_token_loss
from mofang.text.nets.transformer import attend
from mofang.text.sizes import NETWORKS, RECURRENT, TRANSFORMERS, shape_for

V, E, H, T, B = 11, 5, 7, 6, 3


def net(kind, layers=1, tied=False, seed=0, kind_of_number=torch.float32):
    torch.manual_seed(seed)
    model = build(recurrent.config_for(kind, V, H if tied else E, H, layers, tied=tied))
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -0.7, 0.7)
    return model.to(kind_of_number)


def tokens(seed=1, batch=B, length=T, vocabulary=V):
    return torch.randint(vocabulary, (batch, length), generator=torch.Generator().manual_seed(seed))


# -- the vanilla network, step by step ---------------------------------------------------------------------------------


def by_hand(weights, ids, aims):
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h), y_t = W_hy h_t + b_y: every y_t, the mean cross-entropy, and its
    gradients by backpropagation through time, each step written out."""
    table, w_xh, w_hh, b_h, w_hy, b_y = weights
    batch, length = ids.shape
    h, y = [np.zeros((batch, len(w_hh)))], []
    for t in range(length):
        h.append(np.tanh(h[-1] @ w_hh.T + table[ids[:, t]] @ w_xh.T + b_h))
        y.append(h[-1] @ w_hy.T + b_y)
    share = [np.exp(step) / np.exp(step).sum(1, keepdims=True) for step in y]
    loss = -np.mean([np.log(share[t][np.arange(batch), aims[:, t]]) for t in range(length)])
    grads = [np.zeros_like(weight) for weight in weights]
    back = np.zeros_like(h[0])
    for t in reversed(range(length)):
        d_y = share[t].copy()
        d_y[np.arange(batch), aims[:, t]] -= 1
        d_y /= batch * length
        d_sum = (d_y @ w_hy + back) * (1 - h[t + 1] ** 2)
        np.add.at(grads[0], ids[:, t], d_sum @ w_xh)
        for place, value in (
            (1, d_sum.T @ table[ids[:, t]]),
            (2, d_sum.T @ h[t]),
            (3, d_sum.sum(0)),
            (4, d_y.T @ h[t + 1]),
            (5, d_y.sum(0)),
        ):
            grads[place] += value
        back = d_sum @ w_hh
    return np.stack(y, 1), loss, grads


def test_the_vanilla_network_is_its_equations_forward_and_backward():
    model = net("rnn")
    layer = model.rnn[0]
    ids, aims = tokens(1), tokens(2)
    weights = [weight.detach().double().numpy() for weight in
               (model.embedding.weight, layer.weight_ih, layer.weight_hh, layer.bias_ih + layer.bias_hh, model.head.weight,
                model.head.bias)]  # fmt: skip
    y, loss, grads = by_hand(weights, ids.numpy(), aims.numpy())
    logits, (last,) = model(ids)
    ours = F.cross_entropy(logits.flatten(0, 1), aims.flatten())
    ours.backward()
    assert np.abs(logits.detach().numpy() - y).max() < 1e-5 and abs(float(ours) - loss) < 1e-6
    found = [
        model.embedding.weight.grad,
        layer.weight_ih.grad,
        layer.weight_hh.grad,
        layer.bias_ih.grad,
        model.head.weight.grad,
        model.head.bias.grad,
    ]
    for ours, theirs in zip(found, grads, strict=True):
        assert np.abs(ours.numpy() - theirs).max() < 1e-6
    assert torch.equal(layer.bias_hh.grad, layer.bias_ih.grad)
    h = model.hidden(ids)[0]
    assert torch.equal(last[0], h[:, -1])
    # And the hand-written gradients themselves, by finite differences.
    for place in range(6):
        index = tuple(0 for _ in weights[place].shape)
        index = (int(ids[0, 0]), 0) if place == 0 else index
        nudged = [weight.copy() for weight in weights]
        nudged[place][index] += 1e-6
        slope = (by_hand(nudged, ids.numpy(), aims.numpy())[1] - loss) / 1e-6
        assert abs(slope - grads[place][index]) < 1e-5


# -- against torch's own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_recurrent_layers_are_torchs_own_forward_and_backward(kind, layers):
    model = net(kind, layers)
    theirs = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](E, H, layers, batch_first=True)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    with torch.no_grad():
        for index, layer in enumerate(model.rnn):
            for name in names:
                getattr(theirs, f"{name}_l{index}").copy_(getattr(layer, name))
    ids, generator = tokens(), torch.Generator().manual_seed(3)
    state = [
        tuple(torch.randn(B, H, generator=generator).requires_grad_() for _ in range(model.cell.states))
        for _ in range(layers)
    ]
    mine, after = model.hidden(ids, state)
    given = tuple(torch.stack([layer[part] for layer in state]) for part in range(model.cell.states))
    want, last = theirs(model.embedding(ids), given if kind == "lstm" else given[0])
    last = last if kind == "lstm" else (last,)
    assert torch.allclose(mine, want, atol=1e-5)
    for index in range(layers):
        for part in range(model.cell.states):
            assert torch.allclose(after[index][part], last[part][index], atol=1e-5)
    push = [torch.randn(want.shape, generator=generator)] + [
        torch.randn(B, H, generator=generator) for _ in range(layers * model.cell.states)
    ]
    inputs = [model.embedding.weight, *(part for layer in state for part in layer)]
    ours = [getattr(layer, name) for layer in model.rnn for name in names]
    others = [getattr(theirs, f"{name}_l{index}") for index in range(layers) for name in names]
    total = (mine * push[0]).sum() + sum(
        (part * p).sum() for part, p in zip([p for layer in after for p in layer], push[1:], strict=True)
    )
    lasts = [last[part][index] for index in range(layers) for part in range(len(last))]
    same = (want * push[0]).sum() + sum((part * p).sum() for part, p in zip(lasts, push[1:], strict=True))
    for a, b in zip(torch.autograd.grad(total, inputs + ours), torch.autograd.grad(same, inputs + others), strict=True):
        assert torch.allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("kv_heads, tied", [(4, True), (2, True), (1, False)])
def test_the_transformer_is_transformers_qwen3(kv_heads, tied):
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = transformer.config_for(50, 3, 32, 4, kv_heads, 24, tied=tied)
    model = build(config)
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) * 0.3
    theirs = Qwen3ForCausalLM(
        Qwen3Config(**{key: value for key, value in config.items() if key not in ("architectures", "torch_dtype")})
    )
    missing = theirs.load_state_dict(model.state_dict(), strict=False)
    assert not missing.unexpected_keys and missing.missing_keys == (["lm_head.weight"] if tied else [])
    theirs.tie_weights()
    ids = tokens(4, 2, 20, 50)
    ours, want = model(ids)[0], theirs(ids).logits
    assert torch.allclose(ours, want, atol=1e-4)
    aims = tokens(5, 2, 20, 50)
    for logits in (ours, want):
        F.cross_entropy(logits.flatten(0, 1), aims.flatten()).backward()
    theirs_by_name = dict(theirs.named_parameters())
    for name, weight in model.named_parameters():
        assert torch.allclose(weight.grad, theirs_by_name[name].grad, atol=1e-4), name


@pytest.mark.parametrize("heads, kv_heads", [(4, 4), (4, 2), (6, 1)])
@pytest.mark.parametrize("new, old", [(7, 0), (3, 5), (1, 9)])
def test_attention_is_torchs_own(heads, kv_heads, new, old):
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(2, heads, new, 8, generator=generator, requires_grad=True)
    k, v = (torch.randn(2, kv_heads, new + old, 8, generator=generator, requires_grad=True) for _ in range(2))
    mask = torch.ones(new, new + old, dtype=torch.bool).tril(old)
    want = F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
    mine = attend(q, k, v)
    assert torch.allclose(mine, want, atol=1e-6)
    push = torch.randn(mine.shape, generator=generator)
    for a, b in zip(
        torch.autograd.grad(mine, (q, k, v), push), torch.autograd.grad(want, (q, k, v), push), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-5)


# -- against themselves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NETWORKS)
def test_reading_in_parts_gives_what_reading_at_once_gives(kind):
    if kind == "transformer":
        torch.manual_seed(0)
        model = build(transformer.config_for(V, 2, 16, 4, 2, T))
        for weight in model.parameters():
            torch.nn.init.uniform_(weight, -0.5, 0.5)
    else:
        model = net(kind, 2)
    ids, parts, state = tokens(), [], None
    for start, end in ((0, 3), (3, 4), (4, T)):
        logits, state = model(ids[:, start:end], state)
        parts.append(logits)
    assert torch.allclose(torch.cat(parts, 1), model(ids)[0], atol=1e-5)
    # What comes later changes nothing before it.
    other = ids.clone()
    other[:, 4:] = (other[:, 4:] + 1) % V
    assert torch.allclose(model(other)[0][:, :4], model(ids)[0][:, :4], atol=1e-6)


def test_the_encoder_decoder_reads_no_padding_and_no_future():
    torch.manual_seed(0)
    model = seq2seq.Seq2Seq(seq2seq.config_for(V, 2, 16, 2, dropout=0.0, longest=16))
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -0.5, 0.5)
    source, target = tokens(1, 2, 5) % 9 + 2, tokens(2, 2, 6)
    logits = model(source, target)
    assert logits.shape == (2, 6, V)
    padding = torch.full((2, 3), seq2seq.PAD)
    assert torch.allclose(model(torch.cat((source, padding), 1), target), logits, atol=1e-5)
    later = target.clone()
    later[:, 4:] = 0
    assert torch.allclose(model(source, later)[:, :4], logits[:, :4], atol=1e-6)
    other = source.clone()
    other[:, -1] = (other[:, -1] - 1) % 9 + 2
    assert (model(other, target) - logits).abs().max() > 1e-3


def test_the_encoder_decoder_without_torch_computes_the_same_and_beams_find_no_worse():
    from mofang.text.rewriting import Network, search

    torch.manual_seed(1)
    config = seq2seq.config_for(V, 2, 16, 2, dropout=0.0, longest=24)
    model = seq2seq.Seq2Seq(config).eval()
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -0.6, 0.6)
    network = Network(config, {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    sources = [[3, 4, 5, 0], [9, 0]]
    target = tokens(3, 2, 7)
    with torch.no_grad():
        padded = torch.tensor([[3, 4, 5, 0], [9, 0, 1, 1]])
        want = model(padded, target).numpy()
    memory, past = network.encode(sources), []
    for t in range(7):
        step = network.step(memory, past, target[:, t : t + 1].numpy())
        assert np.abs(step[:, 0] - want[:, t]).max() < 1e-4
    # Every hypothesis's score is the model's own log-probability of it, by the length rule.
    for one, greedy, source in zip(
        search(network, [[3, 4, 5], [9]], 4), search(network, [[3, 4, 5], [9]], 1), ([3, 4, 5, 0], [9, 0]), strict=True
    ):
        assert one[0].score >= greedy[0].score - 1e-6 and len(one) == 4 and len({each.tokens for each in one}) == 4
        for each in one:
            ended = len(each.tokens) < 2 * (len(source) - 1) + 16
            aim = torch.tensor([[*each.tokens, *[0] * ended]])
            given = torch.cat((torch.zeros(1, 1, dtype=torch.long), aim[:, :-1]), 1)
            with torch.no_grad():
                logits = model(torch.tensor([source]), given)
            logits[:, :, seq2seq.PAD] = -torch.inf
            total = float(logits.log_softmax(-1).gather(2, aim[..., None]).sum())
            assert each.score == pytest.approx(total / ((5 + aim.size(1)) / 6) ** 0.6, abs=1e-3)


# -- the loss ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 37, 1100])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("bias", [False, True])
def test_the_loss_is_torchs_cross_entropy_and_so_are_its_gradients(rows, smoothing, bias):
    generator = torch.Generator().manual_seed(rows)
    hidden, weight = torch.randn(rows, 16, generator=generator), torch.randn(50, 16, generator=generator)
    parts = [hidden, weight] + ([torch.randn(50, generator=generator)] if bias else [])
    parts = [part.requires_grad_() for part in parts]
    targets = torch.randint(50, (rows,), generator=generator)
    targets[1::5] = -100
    want = F.cross_entropy(F.linear(*parts), targets, label_smoothing=smoothing)
    mine = next_token_loss(parts[0], parts[1], parts[2] if bias else None, targets, smoothing)
    assert torch.allclose(mine, want, rtol=1e-5)
    for a, b in zip(
        torch.autograd.grad(mine * 3, parts), torch.autograd.grad(want * 3, parts, retain_graph=True), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        half = next_token_loss(parts[0], parts[1], parts[2] if bias else None, targets, smoothing)
    assert abs(float(half) - float(want)) < 0.02 * float(want)
    for a, b in zip(torch.autograd.grad(half, parts), torch.autograd.grad(want, parts), strict=True):
        assert (a - b).norm() < 0.03 * b.norm()


def test_a_batch_without_a_target_costs_nothing():
    hidden, weight = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    loss = next_token_loss(hidden, weight, None, torch.full((4,), -1))
    loss.backward()
    assert float(loss) == 0 and not hidden.grad.any() and not weight.grad.any()
    with torch.no_grad():
        assert float(next_token_loss(hidden, weight, None, torch.zeros(4, dtype=torch.long))) > 0


# -- how the networks are fed and shaped -------------------------------------------------------------------------------


@given(st.integers(20, 300), st.integers(1, 8), st.integers(1, 7), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_windows_go_through_everything_once_an_epoch_in_an_order_of_the_step_alone(length, window, size, seed):
    stream = np.arange(length, dtype=np.uint16)
    one, other = Windows(stream, window, seed), Windows(stream, window, seed)
    batches = [one.batch(number, size) for number in range(2 * one.count // size + 2)]
    for number in reversed(range(len(batches))):
        assert np.array_equal(other.batch(number, size), batches[number])
    rows = np.concatenate(batches)
    assert rows.shape[1] == window + 1 and (np.diff(rows, axis=1) == 1).all() and rows.max() < length
    first = rows[: one.count, 0]
    assert len(set(first)) == one.count and len({int(start) % window for start in first}) == 1
    again = rows[one.count : 2 * one.count, 0]
    assert len(set(again)) == len(again)
    held = whole(stream, window)
    assert np.array_equal(held[:, :-1].ravel(), stream[: len(held) * window]) and len(held) == (length - 1) // window
    assert len(whole(stream, window, 3)) == min(3, len(held))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_size_builds_and_starts_by_knowing_nothing(network):
    for size in TRANSFORMERS if network == "transformer" else RECURRENT:
        shape = shape_for(network, size)
        config = shape.config(network, 300, 0.1)
        with torch.device("meta" if size in ("base", "classic") else "cpu"):
            model = build(config)
        count = sum(weight.numel() for weight in model.parameters())
        assert count > 1e4
        if next(model.parameters()).is_meta:
            continue
        loss = F.cross_entropy(model(tokens(0, 2, 9, 300))[0].flatten(0, 1), tokens(1, 2, 9, 300).flatten())
        assert abs(float(loss) - math.log(300)) < 0.6


def test_the_classic_stack_is_the_tutorials():
    with torch.device("meta"):
        model = build(RECURRENT["classic"].config("lstm", 10_000, 0.0))
    # Embedding(10000, 128) → LSTM(1024) → LSTM(1024) → Dense(10000); torch keeps two biases where Keras keeps one.
    keras = 10_000 * 128 + 4 * 1024 * (128 + 1024 + 1) + 4 * 1024 * (1024 + 1024 + 1) + 10_000 * 1025
    assert sum(weight.numel() for weight in model.parameters()) == keras + 2 * 4 * 1024


def test_shapes_that_do_not_fit_and_networks_that_do_not_exist_are_refused():
    assert shape_for("transformer", "nano", heads=2).kv_heads == 2
    assert shape_for("lstm", "nano", width=64).embedding == 64
    for change in ({"width": 100}, {"heads": 5}, {"kv_heads": 3}):
        with pytest.raises(ValueError, match="give --width, --heads"):
            shape_for("transformer", "nano", **change)
    with pytest.raises(ValueError, match="no size 'classic'"):
        shape_for("transformer", "classic")
    with pytest.raises(UserError, match="no network 'mamba'"):
        build({"model_type": "mamba"})
