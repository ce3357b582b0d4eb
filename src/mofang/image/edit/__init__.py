"""What can be done to a photograph, one verb per file. Pictures are (rows, columns, 3) float32 in 0..1.

>>> from mofang.image.edit import denoise, inpaint, masks
>>> clean = denoise.denoise(photo)
>>> whole = inpaint.inpaint(photo, masks.box((40, 40, 60, 80), photo.shape[:2]))
"""
