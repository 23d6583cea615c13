#!/usr/bin/env python3
"""Reads a Depthline topic. Needs pyzmq; gives NumPy arrays if NumPy is there.

    python3 depth_subscriber.py tcp://127.0.0.1:5556 --latest

    from depth_subscriber import subscribe_depth
    for frame in subscribe_depth("tcp://127.0.0.1:5556", latest=True):
        print(frame.seq, frame.depth.shape)
"""

import argparse
import json
import os
import struct
import sys
import time

import zmq

try:
    import numpy
except ImportError:
    numpy = None

ALIGNMENT = 64
ITEM_BYTES = {"<f4": 4, "<u2": 2, "|u1": 1}


class CorruptMessage(ValueError):
    """A message that is not what its header says."""


class Frame:
    """One message: `header` (dict), `payload` (bytes as sent) and what they mean."""

    def __init__(self, topic, header, payload):
        self.topic = topic
        self.header = header
        self.payload = payload
        self.seq = header["seq"]
        self.kind = header["kind"]
        self.pts = int(header["pts"])
        self.captured_at = int(header["capturedAt"])

    @property
    def age_ms(self):
        """Milliseconds since the frame was captured."""
        return (time.time_ns() - self.captured_at) / 1e6

    @property
    def array(self):
        """The payload in its own dtype and shape: a NumPy array, or a memoryview without NumPy."""
        if numpy is not None:
            return numpy.frombuffer(self.payload, self.header["dtype"]).reshape(self.header["shape"])
        code = {"<f4": "f", "<u2": "H", "|u1": "B"}[self.header["dtype"]]
        return memoryview(self.payload).cast("B").cast(code, self.header["shape"])

    @property
    def depth(self):
        """Depth in metres (NumPy only); 0 is invalid."""
        array = self.array
        return array if self.header["dtype"] == "<f4" else array * numpy.float32(self.header["scale"])

    @property
    def value(self):
        """What a data message carries."""
        return json.loads(bytes(self.payload))


def decode(parts):
    """A frame from the parts of a message, in either framing."""
    if len(parts) == 3:
        topic, header, payload = parts
    elif len(parts) == 1:
        topic, header, payload = _split(parts[0])
    else:
        raise CorruptMessage("%d parts instead of 1 or 3" % len(parts))
    try:
        header = json.loads(bytes(header))
        size = ITEM_BYTES[header["dtype"]]
        for side in header["shape"]:
            size *= int(side)
        frame = Frame(bytes(topic).decode(), header, payload)
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptMessage("its header is wrong: %s" % error) from error
    if header.get("v") != 1 or size != len(payload):
        raise CorruptMessage("its header does not fit a payload of %d bytes" % len(payload))
    return frame


def _split(message):
    end = message.find(b"\0")
    if end < 0 or end + 5 > len(message):
        raise CorruptMessage("it is cut short")
    (length,) = struct.unpack_from("<I", message, end + 1)
    start = end + 5
    if start + length > len(message):
        raise CorruptMessage("a header of %d bytes does not fit" % length)
    payload_at = -(-(start + length) // ALIGNMENT) * ALIGNMENT
    return message[:end], message[start : start + length], message[payload_at:]


def subscribe_depth(endpoint, topic="depth", latest=False, on_corrupt=None):
    """Yields frames as they come; with `latest` always the newest, however slow the caller is."""
    context = zmq.Context.instance()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    # More than any picture has: a publisher that announces more is hung up on.
    socket.setsockopt(zmq.MAXMSGSIZE, 512 * 1024 * 1024)
    # Small buffers leave no room for old messages between the publisher and a slow reader.
    socket.setsockopt(zmq.RCVHWM, 1 if latest else 100)
    socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    socket.connect(endpoint)
    try:
        while True:
            parts = socket.recv_multipart()
            while latest:
                try:
                    parts = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
            try:
                frame = decode(parts)
            except CorruptMessage as error:
                if on_corrupt:
                    on_corrupt(error)
                continue
            if frame.topic == topic:
                yield frame
    finally:
        socket.close()


def main():
    parser = argparse.ArgumentParser(description="read a Depthline topic")
    parser.add_argument("endpoint", help="tcp://127.0.0.1:5556")
    parser.add_argument("--topic", default="depth")
    parser.add_argument("--latest", action="store_true", help="only the newest frame")
    parser.add_argument("--count", type=int, default=0, help="end after this many frames")
    parser.add_argument("--json", action="store_true", help="print each header as JSON")
    parser.add_argument("--save", metavar="DIR", help="write each frame as .npy (needs NumPy)")
    options = parser.parse_args()
    if options.save:
        os.makedirs(options.save, exist_ok=True)
    complain = lambda error: print("skipped a message: %s" % error, file=sys.stderr)
    frames = subscribe_depth(options.endpoint, options.topic, options.latest, complain)
    for n, frame in enumerate(frames, start=1):
        if options.json:
            print(json.dumps({**frame.header, "ageMs": frame.age_ms}), flush=True)
        else:
            print("seq %d, %s, age %.1f ms" % (frame.seq, frame.header["shape"], frame.age_ms), flush=True)
        if options.save:
            numpy.save(os.path.join(options.save, "%06d.npy" % frame.seq), frame.array)
        if n == options.count:
            return


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
