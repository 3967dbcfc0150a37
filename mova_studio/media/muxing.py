"""Encoded picture and sound into one container."""

from __future__ import annotations

import io

import av
from av.container import OutputContainer


def mux(container: OutputContainer, picture: list[av.Packet], m4a: bytes | None) -> None:
    """Write encoded pictures and sound into `container`, in the order in which a player needs them.

    Args:
        picture: packets of one stream of `container`.
        m4a: a file in memory whose first stream is the sound; None for a silent film.
    """
    if m4a is None:
        container.mux(picture)
        return
    with av.open(io.BytesIO(m4a), "r") as source:
        track = source.streams.audio[0]
        stream = container.add_stream_from_template(track)
        sound = [packet for packet in source.demux(track) if packet.size]
        for packet in sound:
            packet.stream = stream
        container.mux(sorted([*picture, *sound], key=lambda packet: (packet.dts or 0) * packet.time_base))
