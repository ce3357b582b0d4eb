"""How fast a model of one's own writes, beside Transformers' `generate` and llama.cpp with the same weights.

    python benchmarks/text_generate.py [--quick] [--threads 2] [--rounds 5] [--tokens 256]

A random Transformer in Qwen3's shape (13.8 M parameters: 7 layers, 384 wide, 6 heads on 3, 6,400 symbols) goes on greedily
by --tokens from 16, for one text and for sixteen at once. Everyone has the same threads, a process of its own, and waits
while another is timed; rounds alternate, and a row gives the median of the rounds' ratios, which a busy machine bends less
than it bends times. llama.cpp (its server, in process, one slot a text) reads what `mofang text export` wrote: Q8_0 stands
against our bytes, F16 (what most people keep) and F32 against our float32. Tokens a second are of all texts together, prompt
and start of a text included. Before anything is timed all write once, and our float32 must say what `generate` says.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import Row, report

LAYERS, WIDTH, HEADS, SHARED, SYMBOLS, PROMPT = 7, 384, 6, 3, 6400, 16
BATCHES = (1, 16)


def make(folder: Path) -> None:
    """The model in all the forms it is read in."""
    import torch
    from safetensors.torch import save_file

    from mofang.models import own
    from mofang.text.export import export
    from mofang.text.nets import build
    from mofang.text.nets.transformer import config_for
    from mofang.text.tokenizer import train_tokenizer

    tokenizer = train_tokenizer("char", ["".join(chr(0x4E00 + i) for i in range(7000))], size=SYMBOLS)
    config = config_for(tokenizer.size, LAYERS, WIDTH, HEADS, SHARED, 512)
    torch.manual_seed(0)
    model = build(config)
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.06)
    target = folder / "own"
    target.mkdir()
    (target / "config.json").write_text(json.dumps(config))
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, target / "model.safetensors")
    tokenizer.save(target)
    own.write_card(target, {"name": "own", "kind": "text", "languages": ["zh"], "licence": "CC0-1.0", "trained_on": []})
    for kind in ("f32", "f16", "q8_0"):
        export(target, folder / f"{kind}.gguf", dtype=kind)


# -- those who write: `write(batch)` gives the number of tokens written and the first text -------------------------------------


class Ours:
    def __init__(self, folder: Path, precision: str, threads: int, tokens: int) -> None:
        from mofang.text.own import OwnModel

        self._model = OwnModel.open(folder / "own", threads, precision)  # type: ignore[arg-type]
        self._prompt, self._tokens = self._model.tokenizer.decode(prompt_ids()), tokens

    def write(self, batch: int) -> tuple[int, str]:
        from mofang.text.sampling import Sampling

        sampling = Sampling(0, bias={self._model.tokenizer.end: -float("inf")})
        rows = self._model.write(self._prompt, n=batch, max_tokens=self._tokens, sampling=sampling)
        return sum(len(row.tokens) for row in rows), rows[0].text


class Generate:
    def __init__(self, folder: Path, dtype: str, threads: int, tokens: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._tokens = tokens
        torch.set_num_threads(threads)
        self._model = AutoModelForCausalLM.from_pretrained(folder / "own", dtype=getattr(torch, dtype)).eval()
        self._model.generation_config.eos_token_id = None
        self._tokenizer = AutoTokenizer.from_pretrained(folder / "own")

    def write(self, batch: int) -> tuple[int, str]:
        import torch

        ids = torch.tensor([[0, *prompt_ids()]] * batch)
        with torch.inference_mode():
            out = self._model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=self._tokens, do_sample=False,
                                       pad_token_id=1, suppress_tokens=[0, 1, 2])  # fmt: skip
        written = out[:, ids.shape[1] :]
        return written.numel(), self._tokenizer.decode(written[0])


class LlamaCpp:
    def __init__(self, folder: Path, kind: str, threads: int, tokens: int) -> None:
        import xllamacpp

        self._tokens = tokens

        params = xllamacpp.CommonParams()
        params.model.path = str(folder / f"{kind}.gguf")
        params.n_parallel, params.n_ctx = max(BATCHES), 512 * max(BATCHES)
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity, params.cache_ram_mib = -1, 0
        self._server = xllamacpp.Server(params)

    def write(self, batch: int) -> tuple[int, str]:
        ids = [0, *prompt_ids()]
        asked = {"prompt": [ids] * batch if batch > 1 else ids, "n_predict": self._tokens, "temperature": 0, "ignore_eos": True,
                 "cache_prompt": False}  # fmt: skip
        answers: list[Any] = []
        self._server.handle_completions(json.dumps(asked), lambda answer: bool(answers.append(answer)))  # type: ignore[func-returns-value]
        answer = json.loads(answers[0])
        # The usage is that of one text, whatever was asked for.
        full = [each for each in answer["choices"] if each["finish_reason"] == "length"]
        return answer["usage"]["completion_tokens"] * len(full), answer["choices"][0]["text"]


def prompt_ids() -> list[int]:
    return [300 + 37 * i for i in range(PROMPT)]


WRITERS: dict[str, tuple[type[Ours | Generate | LlamaCpp], str]] = {
    "ours, bytes": (Ours, "int8"), "ours, float32": (Ours, "float32"),
    "generate, float32": (Generate, "float32"), "generate, bfloat16": (Generate, "bfloat16"),
    "llama.cpp, Q8_0": (LlamaCpp, "q8_0"), "llama.cpp, F16": (LlamaCpp, "f16"), "llama.cpp, F32": (LlamaCpp, "f32"),
}  # fmt: skip


def serve(name: str, folder: Path, threads: int, tokens: int) -> None:
    """Write when told to (a batch's size on standard input), and say how long it took."""
    kind, how = WRITERS[name]
    out, sys.stdout = sys.stdout, sys.stderr
    writer = kind(folder, how, threads, tokens)
    for line in sys.stdin:
        start = time.perf_counter()
        count, text = writer.write(int(line))
        seconds = time.perf_counter() - start
        assert count == int(line) * tokens, (name, count)
        print(json.dumps({"seconds": seconds, "text": text}), file=out, flush=True)


class Process:
    """A writer in a process of its own."""

    def __init__(self, name: str, folder: Path, threads: int, tokens: int) -> None:
        command = [sys.executable, __file__, "--serve", name, "--folder", str(folder), "--threads", str(threads)]
        command += ["--tokens", str(tokens)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, batch: int) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{batch}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()


PAIRS: tuple[tuple[str, str, float | None], ...] = (
    ("ours, bytes", "generate, float32", 5.0), ("ours, float32", "generate, float32", 5.0),
    ("ours, bytes", "generate, bfloat16", None), ("ours, bytes", "llama.cpp, Q8_0", 1.0),
    ("ours, float32", "llama.cpp, F16", None), ("ours, float32", "llama.cpp, F32", None),
)  # fmt: skip
"""Ours, theirs, and the ratio that was aimed at."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--serve", choices=list(WRITERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.folder, options.threads, options.tokens)
        return
    # --quick leaves out what has no goal and is not the same arithmetic on both sides.
    pairs = [pair for pair in PAIRS if not options.quick or pair[2] or pair[1] == "llama.cpp, F32"]
    names = dict.fromkeys(name for pair in pairs for name in pair[:2])
    rounds, tokens = (2, 64) if options.quick else (options.rounds, options.tokens)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        make(Path(name))
        writers = {each: Process(each, Path(name), options.threads, tokens) for each in names}
        try:
            for batch in BATCHES:  # Whoever compiles or allocates at first has done so.
                texts = {each: writer.write(batch)["text"] for each, writer in writers.items()}
                same = texts["ours, float32"] == texts["generate, float32"]
                what = f"{batch} × {tokens} tokens: the same greedy text in float32"
                rows.append(Row(what, "", same, 1, "generate", goal="1", met=same))
            for batch in BATCHES:
                times: dict[str, list[float]] = {each: [] for each in writers}
                for _ in range(rounds):
                    for each, writer in writers.items():
                        times[each].append(writer.write(batch)["seconds"])
                rows += compare(batch, tokens, times, pairs)
        finally:
            for writer in writers.values():
                writer.end()
    report("text_generate", rows)


def compare(batch: int, tokens: int, times: dict[str, list[float]], pairs: Sequence[tuple[str, str, float | None]]) -> list[Row]:
    rows = []
    for ours, theirs, goal in pairs:
        ratios = [b / a for a, b in zip(times[ours], times[theirs], strict=True)]
        speeds = [batch * tokens / statistics.median(times[each]) for each in (ours, theirs)]
        ratio = statistics.median(ratios)
        rows.append(Row(f"{batch} × {tokens} tokens, {ours}", "tokens/s", speeds[0], speeds[1], theirs, ratio,
                        f"≥ {goal:g}×" if goal else "", ratio >= goal if goal else None, statistics.pstdev(ratios)))  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
