"""Depth of a picture as a teacher tells it: the reference network, several times over, and a relative network.

The reference network sees the whole view and the paper's crop of it, each also mirrored; the mean is taken
in log depth. The crop fades out towards its border, so that no step is left there. On photos a relative
network may add structure: its inverse depth is fitted to the reference's (a scale and an offset, twice,
the second time without outliers), and where the two correlate it has a share of RELATIVE_SHARE.

The scale is that of the whole view: what is seen in a crop comes out nearer. Where there is truth, scaled_to
gives the teacher its scale, so that the two never ask for different metres.
"""

import numpy as np

from evaluate import onnx_predictor, onnx_session
from preprocessing import CROP, SIZE, resize, view_box

RELATIVE_SHARE = 0.3
AGREEMENT = 0.8  # correlation of inverse depth, at least
NEAREST, FARTHEST = 0.1, 10.0  # metres
LEAST_KNOWN = 0.05  # share of the pixels with truth
FADE = 0.15  # of the crop's width: where its weight rises from 0 to 1


class Teacher:
    """references: .onnx, uint8 [1, 224, 224, 3] to metres, of several the mean; relative: .onnx to inverse depth."""

    def __init__(self, references, relative=None, threads=0):
        self.references = [onnx_predictor(path, threads) for path in references]
        self.relative = relative_predictor(relative, threads) if relative else None
        self.weight = crop_weight()

    def __call__(self, rgb, box=None, photo=False):
        """Metres [224, 224] of the whole 4:3 view in the box of a picture; without a box, of all of it."""
        box = box or (0, 0, rgb.shape[1], rgb.shape[0])
        whole = self.mirrored(resize(rgb, SIZE, SIZE, box=box))
        log = self.averaged(whole, rgb, box)
        if photo and self.relative:
            log = with_structure(log, self.relative(rgb, box))
        return np.exp(log + np.median(whole - log))

    def averaged(self, whole, rgb, box):
        crop = self.mirrored(resize(rgb, SIZE, SIZE, box=within(box)))
        left, top, right, bottom = crop_pixels()
        pasted = np.zeros_like(whole)
        pasted[top:bottom, left:right] = resize(crop, right - left, bottom - top)
        return whole + (pasted - whole) * self.weight / 2

    def mirrored(self, view):
        """Mean log depth of a view and its mirror image."""
        mirror = np.ascontiguousarray(view[:, ::-1])
        seen = [metres for see in self.references for metres in (see(view), see(mirror)[:, ::-1])]
        return np.mean([np.log(np.clip(metres, NEAREST, FARTHEST)) for metres in seen], 0)


def scaled_to(taught, truth):
    """The teacher's metres with the scale of the truth, where enough of it is known."""
    known = truth > 0
    if known.mean() < LEAST_KNOWN:
        return taught
    return taught * np.exp(np.median(np.log(truth[known] / taught[known])))


def within(box):
    """Box of the paper's crop in a view."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    return left + CROP[0] * width, top + CROP[1] * height, left + CROP[2] * width, top + CROP[3] * height


def crop_pixels():
    return tuple(round(edge * SIZE) for edge in CROP)


def crop_weight():
    """1 in the middle of the paper's crop, falling to 0 at its border."""
    left, top, right, bottom = crop_pixels()

    def ramp(first, last):
        centres = (np.arange(SIZE) + 0.5 - first) / (last - first)
        return np.clip(np.minimum(centres, 1 - centres) / FADE, 0, 1)

    return np.minimum.outer(ramp(top, bottom), ramp(left, right)).astype(np.float32)


def relative_predictor(path, threads=0):
    """A function from a picture and a box to inverse depth [224, 224] up to scale and offset."""
    session = onnx_session(path, threads)
    given = session.get_inputs()[0]
    height, width = given.shape[2:]

    def predict(rgb, box):
        x = resize(rgb, width, height, box=box).astype(np.float32).transpose(2, 0, 1)[None] / 255
        both = [session.run(None, {given.name: np.ascontiguousarray(a)})[0][0, 0] for a in (x, x[..., ::-1])]
        return resize((both[0] + both[1][:, ::-1]) / 2, SIZE, SIZE)

    return predict


def with_structure(log, relative):
    """Log depth with a share of the relative network's, where the two agree; else as it was."""
    inverse = np.exp(-log)
    if np.corrcoef(inverse.ravel(), relative.ravel())[0, 1] < AGREEMENT:
        return log
    kept = np.ones(inverse.shape, bool)
    for _ in range(2):
        scale, offset = np.polyfit(relative[kept], inverse[kept], 1)
        fitted = scale * relative + offset
        error = np.abs(fitted - inverse)
        kept = error <= np.quantile(error, 0.8)
    fitted = np.clip(fitted, 1 / FARTHEST, 1 / NEAREST)
    return (1 - RELATIVE_SHARE) * log - RELATIVE_SHARE * np.log(fitted).astype(np.float32)
