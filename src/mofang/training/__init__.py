"""One loop for every model: schedule, checkpoint, exact resume, EMA, samples, live curves, distributed launch."""
