"""Music as sound, from the equations up: Jukebox (Dhariwal et al. 2020, arXiv 2005.00341), small enough for two cores.

Three autoencoders turn recordings into codes, coarse to fine (`codec`); transformers say which code comes next (`network`),
the top one by style, time and lyrics, the lower ones by the level above; `sample` draws new codes, window by window.
"""
