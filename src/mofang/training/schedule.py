"""The learning rate over the run, as a share of its peak."""


def trapezoid(progress: float, warmup: float = 0.02, decay: float = 0.5) -> float:
    """Rise over the first `warmup` of the run, hold, fall linearly to zero over the last `decay`.

    `progress` is the share of the budget used, so the rate reaches zero exactly when the budget does, whatever its
    unit. Warm-up, stable, decay: Hu et al. 2024, MiniCPM (arXiv 2404.06395); linear to zero: Defazio et al. 2023
    (arXiv 2310.07831).
    """
    if progress < warmup:
        # Never zero: a first step without learning would be a step wasted.
        return max(progress / warmup, 0.01)
    return min(1.0, (1.0 - progress) / decay) if decay else 1.0
