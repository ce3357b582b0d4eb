"""One loop for every model: budget, schedule, checkpoint, exact resume, averaged weights, samples, torchrun."""
