"""Repositories of the hub, and Transformers, which runs what is in them: what the crafts share of models of others."""

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mofang.models.source import offline
from mofang.studio.errors import UserError

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?:@[\w./-]+)?")
"""`owner/model` or `owner/model@revision`."""


def fetch(name: str, wanted: Sequence[str], unwanted: Sequence[str] = (), extra: str = "hub") -> Path:
    """The folder of a repository `name` (see `REPOSITORY`) in the hub's own cache, its files of the patterns `wanted` and not
    `unwanted` fetched once; offline only what is there is used. Raises `UserError`, which names `extra` to install."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # What a creator fetches is nobody's statistic.
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils import logging
    except ImportError as error:
        raise UserError(f"models of the hub need huggingface_hub: pip install 'mofang[{extra}]'") from error
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # Its retries are told by what comes of them.
    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=list(wanted),
                                      ignore_patterns=list(unwanted) or None, local_files_only=offline()))  # fmt: skip
    except Exception as error:  # The client raises a dozen kinds from three packages.
        why = "it is not in the cache, and fetching is off" if offline() else first_line(error)
        raise UserError(f"the hub does not give {name} ({why}); check the name and the connection, or give a folder") from error


def transformers() -> Any:
    """The package, quiet. Raises `UserError` if it or torch is missing."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # What a creator runs is nobody's statistic.
    try:
        import torch  # noqa: F401  (transformers starts without it, and fails where nobody can tell why)
        import transformers
    except ImportError as error:
        raise UserError(f"this needs Transformers and torch ({error.name} is missing): pip install 'mofang[hf]'") from error
    library: Any = transformers
    library.utils.logging.set_verbosity_error()
    library.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    return library


def first_line(error: BaseException) -> str:
    """The first line of what an error says, short enough to be read."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
