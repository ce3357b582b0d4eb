# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Training needs torch. Without a graphics card, the processor-only build saves gigabytes:
#   make TORCH='torch --index-url https://download.pytorch.org/whl/cpu'
TORCH ?= torch==2.13.0
BENCHMARKS := scene_reading polyphones speech brief render make text_speedrun text_lstm text_generate text_poem text_prepare \
	image_restore image_gan image_sticker image_flow wavenet_sampling music_nll music_speed sound_edit jukebox wavenet_speech

.PHONY: demo test slow lint bench models clean help

help:  ## these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q $(TORCH)
	$(BIN)/python -m pip install -q -e '.[dev]'
	$(BIN)/python -m pip install -q --no-deps tinysoundfont==0.3.7  # MIT; its one dependency is for live playing
	@touch $@

models: $(STAMP)  ## fetch the default models, art and fonts
	$(BIN)/mofang models pull --default

demo: models  ## make a real film from examples/story.zh.md and say where it is
	$(BIN)/mofang make examples/story.zh.md
	$(BIN)/mofang verify out/小狐狸摘月亮/film.mp4

test: models  ## the test suite
	$(BIN)/pytest

slow: models  ## the tests that take minutes
	$(BIN)/pytest -m slow

lint: $(STAMP)  ## ruff, mypy, import-linter
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: models  ## where we stand against the best program of each part
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:  ## remove what these commands made, but not your studio
	rm -rf .venv out benchmarks/out benchmarks/.peers .mypy_cache .ruff_cache .pytest_cache
