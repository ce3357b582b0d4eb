"""A voice of one's own: recordings (with consent) or a ready voice's speech, to features, to networks, to speech.

`prepare` makes a corpus, `learn` trains a vocoder (WaveNet) and an acoustic model on it, `voice` joins the two, and the
engine in `speaker` speaks with them, without torch.
"""
