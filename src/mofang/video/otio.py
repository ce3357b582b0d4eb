"""The timeline for other editors: OpenTimelineIO."""

from pathlib import Path
from typing import Any

from mofang.video.timeline import Timeline


def export(timeline: Timeline, title: str, path: Path) -> None:
    """Write `path` (.otio): stills as clips with their moves as metadata, dissolves, captions as markers, sound.

    Read back it has the same length. Source ranges are in frames at the film's rate.
    """
    import opentimelineio as otio

    def time(frames: int) -> Any:
        return otio.opentime.RationalTime(frames, timeline.fps)

    def span(start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(time(start), time(frames))

    piece = otio.schema.Timeline(title)
    pictures = otio.schema.Track("pictures", kind=otio.schema.TrackKind.Video)
    for number, (shot, start) in enumerate(zip(timeline.shots, timeline.starts(), strict=True)):
        if shot.transition:
            kind = shot.transition.kind
            kind = otio.schema.TransitionTypes.SMPTE_Dissolve if kind == "crossfade" else kind
            pictures.append(
                otio.schema.Transition(transition_type=kind, in_offset=time(0), out_offset=time(shot.overlap))
            )
        still = otio.schema.ExternalReference(shot.picture.resolve().as_uri(), span(0, shot.frames))
        clip = otio.schema.Clip(f"shot {number + 1}", still, span(0, shot.frames))
        clip.metadata["mofang"] = {"motion": repr(shot.motion)}
        for caption in timeline.captions:
            if start <= caption.start < start + shot.frames:
                length = min(caption.end, start + shot.frames) - caption.start
                clip.markers.append(otio.schema.Marker(caption.text, span(caption.start - start, length)))
        pictures.append(clip)
    piece.tracks.append(pictures)
    if timeline.audio:
        sound = otio.schema.Track("sound", kind=otio.schema.TrackKind.Audio)
        reference = otio.schema.ExternalReference(timeline.audio.resolve().as_uri(), span(0, timeline.frames))
        sound.append(otio.schema.Clip("sound", reference, span(0, timeline.frames)))
        piece.tracks.append(sound)
    piece.metadata["mofang"] = {"width": timeline.width, "height": timeline.height}
    otio.adapters.write_to_file(piece, str(path))
