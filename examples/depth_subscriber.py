#!/usr/bin/env python3
"""Reads a Depthline topic. Needs pyzmq; gives NumPy arrays if NumPy is there.

    python3 depth_subscriber.py tcp://127.0.0.1:5556 --latest

    from depth_subscriber import subscribe_depth
    for frame in subscribe_depth("tcp://127.0.0.1:5556", latest=True):
        print(frame.seq, frame.depth.shape)

Of a run of several cameras: --camera front, or camera="front".
"""

import argparse
import json
import math
import os
import struct
import sys
import time
import zlib

import zmq

try:
    import numpy
except ImportError:
    numpy = None
try:
    import zstandard
except ImportError:
    zstandard = None

ALIGNMENT = 64
LONGEST_HEADER = 65536
#: dtype, bytes per item, dimensions and metres per unit of each encoding
ENCODINGS = {
    "32FC1": ("<f4", 4, 2, 1),
    "16UC1": ("<u2", 2, 2, 0.001),
    "16UC1-deflate": ("<u2", 2, 2, 0.001),
    "16UC1-zstd": ("<u2", 2, 2, 0.001),
    "rgb8": ("|u1", 1, 3, None),
    "rgba8": ("|u1", 1, 3, None),
    "32FC3": ("<f4", 4, 2, None),
    "json": ("|u1", 1, 1, None),
}
KINDS = {"rgb8": "image", "rgba8": "image", "32FC3": "points", "json": "data"}
#: encodings whose payload is smaller than the array
PACKED = ("16UC1-deflate", "16UC1-zstd")
#: a packed payload says nothing of the memory that it needs
MOST_PACKED_PIXELS = 2**25
LARGEST_COUNT = 2**53 - 1
LATEST_TIME = 2**63 - 1


class CorruptMessage(ValueError):
    """A message that does not match its own header or the format."""


class Frame:
    """One message: `header` (dict), `payload` (bytes as sent) and what they mean."""

    def __init__(self, topic, header, payload):
        self.topic = topic
        self.header = header
        self.payload = payload
        packed = header["encoding"] in PACKED
        self._data = _unpack(payload, header["encoding"], *header["shape"]) if packed else payload
        self.seq = header["seq"]
        self.kind = header["kind"]
        self.pts = int(header["pts"])
        self.captured_at = int(header["capturedAt"])
        #: name of the camera, of a run of several
        self.camera = header.get("camera")

    @property
    def age_ms(self):
        """Milliseconds since the frame was captured, if both machines have the same time."""
        return (time.time_ns() - self.captured_at) / 1e6

    @property
    def array(self):
        """The payload in its own dtype and shape: a NumPy array, or a memoryview without NumPy."""
        if numpy is not None:
            return numpy.frombuffer(self._data, self.header["dtype"]).reshape(self.header["shape"])
        code = {"<f4": "f", "<u2": "H", "|u1": "B"}[self.header["dtype"]]
        return memoryview(self._data).cast("B").cast(code, self.header["shape"])

    @property
    def depth(self):
        """Depth in metres (NumPy only); 0 is invalid. Without a unit if `header["unit"]` is "relative"."""
        array = self.array
        return array if self.header["dtype"] == "<f4" else array * numpy.float32(self.header["scale"])

    @property
    def value(self):
        """The content of a data message. Raises CorruptMessage if it is not JSON."""
        return _parse(bytes(self.payload), "its payload")


def decode(parts):
    """A frame from the parts of a message, in either framing."""
    if len(parts) == 3:
        topic, header, payload = parts
    elif len(parts) == 1:
        topic, header, payload = _split(parts[0])
    else:
        raise CorruptMessage("%d parts instead of 1 or 3" % len(parts))
    if len(header) > LONGEST_HEADER:
        raise CorruptMessage("a header of %d bytes" % len(header))
    header = _parse(bytes(header), "its header")
    _check(header, len(payload))
    return Frame(bytes(topic).decode(errors="replace"), header, payload)


def _parse(text, what):
    def refuse(number):
        raise ValueError("%s is not a finite number" % number)

    def finite(number):
        return float(number) if math.isfinite(float(number)) else refuse(number)

    try:
        return json.loads(text.decode(), parse_float=finite, parse_constant=refuse)
    # RecursionError: it is nested too deeply.
    except (ValueError, RecursionError) as error:
        raise CorruptMessage("%s is not JSON: %s" % (what, error)) from error


def _unpack(payload, encoding, height, width):
    """The millimetres of a packed payload as little-endian bytes; unpacks no more than they need."""
    size = 2 * height * width
    try:
        if encoding == "16UC1-deflate":
            residuals = zlib.decompressobj(-15).decompress(payload, size + 1)
        elif zstandard is None:
            raise CorruptMessage("zstd needs: pip install zstandard")
        elif zstandard.get_frame_parameters(payload).content_size not in (size, 2**64 - 1):
            raise CorruptMessage("a payload of another size than shape")
        else:
            residuals = zstandard.ZstdDecompressor().decompress(payload, max_output_size=size)
    except (zlib.error, zstandard.ZstdError if zstandard else zlib.error) as error:
        raise CorruptMessage("its payload cannot be unpacked: %s" % error) from error
    if len(residuals) != size:
        raise CorruptMessage("%d bytes unpacked instead of %d" % (len(residuals), size))
    if numpy is not None:
        low, high = numpy.frombuffer(residuals, "u1").astype("<u2").reshape(2, height, width)
        folded = low | high << 8
        steps = (folded >> 1) ^ -(folded & 1)
        return steps.cumsum(0, dtype="<u2").cumsum(1, dtype="<u2").tobytes()
    values = [0] * (height * width)
    for i in range(height * width):
        folded = residuals[i] | residuals[height * width + i] << 8
        above = values[i - width] if i >= width else 0
        left, above_left = (values[i - 1], values[i - width - 1] if i > width else 0) if i % width else (0, 0)
        values[i] = (left + above - above_left + ((folded >> 1) ^ -(folded & 1))) & 0xFFFF
    return struct.pack("<%dH" % len(values), *values)


def _split(message):
    end = message.find(b"\0")
    if end < 0 or end + 5 > len(message):
        raise CorruptMessage("it is truncated")
    (length,) = struct.unpack_from("<I", message, end + 1)
    start = end + 5
    if start + length > len(message):
        raise CorruptMessage("a header of %d bytes does not fit" % length)
    payload_at = -(-(start + length) // ALIGNMENT) * ALIGNMENT
    return message[:end], message[start : start + length], message[payload_at:]


def _check(header, size):
    """Raises CorruptMessage unless every value that is used below is what the format allows."""
    if not isinstance(header, dict):
        raise CorruptMessage("its header is not an object")
    if header.get("v") != 1:
        raise CorruptMessage("version %s, not 1" % _shown(header.get("v")))
    encoding = header.get("encoding")
    if not isinstance(encoding, str) or encoding not in ENCODINGS:
        raise CorruptMessage("encoding %s" % _shown(encoding))
    dtype, item, dimensions, scale = ENCODINGS[encoding]
    if header.get("dtype") != dtype or header.get("kind") != KINDS.get(encoding, "depth"):
        raise CorruptMessage("%s with another dtype or kind" % encoding)
    if encoding == "32FC1" and header.get("unit") == "relative":
        # Larger is farther, and no scale makes metres of it.
        if "scale" in header:
            raise CorruptMessage("relative depth with scale %s" % _shown(header["scale"]))
    elif scale is not None and not _is_number(header.setdefault("scale", scale), scale):
        raise CorruptMessage("%s with scale %s" % (encoding, _shown(header["scale"])))
    shape = header.get("shape")
    if not isinstance(shape, list) or len(shape) != dimensions or not all(map(_is_count, shape)):
        raise CorruptMessage("shape %s" % _shown(shape))
    if encoding in PACKED:
        if not 0 < math.prod(shape) <= MOST_PACKED_PIXELS:
            raise CorruptMessage("%s of shape %s" % (encoding, _shown(shape)))
    elif math.prod(shape) * item != size:
        raise CorruptMessage("shape %s with a payload of %d bytes" % (_shown(shape), size))
    if 0 in shape and encoding not in ("32FC3", "json"):
        raise CorruptMessage("a picture without pixels")
    if not _is_count(header.get("seq")):
        raise CorruptMessage("seq %s" % _shown(header.get("seq")))
    for key in ("pts", "capturedAt"):
        if not _is_time(header.get(key)):
            raise CorruptMessage("%s %s" % (key, _shown(header.get(key))))
    if not isinstance(header.get("camera", ""), (str, type(None))):
        raise CorruptMessage("camera %s" % _shown(header["camera"]))


def _is_count(value):
    return type(value) is int and 0 <= value <= LARGEST_COUNT


def _is_number(value, expected):
    return type(value) in (int, float) and value == expected


def _is_time(value):
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19
    return digits and int(value) <= LATEST_TIME


def _shown(value):
    """A value of a stranger's, short and without control characters."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:60] + "..."


def camera_topic(topic, camera):
    """Topic of one camera of a run of several."""
    return topic.replace("{camera}", camera) if "{camera}" in topic else topic + "/" + camera


def subscribe_depth(endpoint, topic="depth", latest=False, on_corrupt=None, camera=None):
    """Yields frames as they come; with `latest` always the newest, however slow the caller is.

    `camera`: only the frames of that one, of a run of several.

    Corrupt messages are skipped; `on_corrupt` is called with a CorruptMessage for each.
    """
    if camera is not None:
        topic = camera_topic(topic, camera)
    context = zmq.Context.instance()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.IPV6, "[" in endpoint)
    # More than any picture has. ZeroMQ disconnects a publisher that announces more.
    socket.setsockopt(zmq.MAXMSGSIZE, 512 * 1024 * 1024)
    # Without it, a publisher whose machine lost power would seem connected for ever.
    for option, value in ((zmq.TCP_KEEPALIVE, 1), (zmq.TCP_KEEPALIVE_IDLE, 10)):
        socket.setsockopt(option, value)
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
            if frame.topic == topic and camera in (None, frame.camera):
                yield frame
    finally:
        socket.close()


def save(directory, frame):
    """Writes a frame to a file of its own: a publisher that restarts counts from 0 again."""
    for n in range(1000):
        name = "%06d%s.npy" % (frame.seq, "-%d" % n if n else "")
        try:
            with open(os.path.join(directory, name), "xb") as file:
                numpy.save(file, frame.array)
            return
        except FileExistsError:
            continue
    raise OSError("%s has too many files of frame %d" % (directory, frame.seq))


def main():
    parser = argparse.ArgumentParser(description="read a Depthline topic")
    parser.add_argument("endpoint", help="tcp://127.0.0.1:5556")
    parser.add_argument("--topic", default="depth")
    parser.add_argument("--camera", help="only the frames of that one, of a run of several cameras")
    parser.add_argument("--latest", action="store_true", help="only the newest frame")
    parser.add_argument("--count", type=int, default=0, help="end after this many frames")
    parser.add_argument("--json", action="store_true", help="print each header as JSON")
    parser.add_argument("--save", metavar="DIR", help="write each frame as .npy (needs NumPy)")
    options = parser.parse_args()
    if options.save and numpy is None:
        parser.error("--save needs NumPy: pip install numpy")
    if options.save:
        os.makedirs(options.save, exist_ok=True)
    corrupt = 0

    def complain(error):
        nonlocal corrupt
        corrupt += 1
        print("skipped a corrupt message (%d so far): %s" % (corrupt, error), file=sys.stderr, flush=True)

    frames = subscribe_depth(options.endpoint, options.topic, options.latest, complain, options.camera)
    for n, frame in enumerate(frames, start=1):
        if options.json:
            print(json.dumps({**frame.header, "ageMs": frame.age_ms}), flush=True)
        else:
            of = "" if frame.camera is None else ascii(frame.camera)[1:-1] + ", "
            print("%sseq %d, %s, age %.1f ms" % (of, frame.seq, frame.header["shape"], frame.age_ms), flush=True)
        if options.save:
            save(options.save, frame)
        if n == options.count:
            return


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (zmq.ZMQError, OSError) as error:
        sys.exit("depth_subscriber.py: %s" % error)
