"""Reads an MCAP file by the specification (https://mcap.dev/spec), with nothing of Depthline: every
message, checked against the checksums, the message indices, the chunk indices and the statistics.
Prints a JSON line per message, in the order of the file. Usage: read_mcap.py FILE
"""

import hashlib
import io
import json
import struct
import sys
import zlib

import lz4.frame
import zstandard

MAGIC = b"\x89MCAP0\r\n"


class Fields:
    """Little-endian fields of a record."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, code):
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def bytes(self, code="I"):
        length = self.number(code)
        value = self.data[self.at : self.at + length]
        assert len(value) == length, "bytes are missing"
        self.at += length
        return value

    def text(self):
        return self.bytes().decode("utf-8")

    def rest(self):
        return self.data[self.at :]

    def map(self, key, value):
        inner = Fields(self.bytes())
        pairs = {}
        while inner.at < len(inner.data):
            k = key(inner)
            assert k not in pairs, "a key is there twice"
            pairs[k] = value(inner)
        return pairs


def records(data, start=0):
    at = start
    while at < len(data):
        opcode = data[at]
        (length,) = struct.unpack_from("<Q", data, at + 1)
        body = data[at + 9 : at + 9 + length]
        assert len(body) == length, "a record is cut off"
        yield at, opcode, body
        at += 9 + length


def unpack(compression, data, size):
    if compression == "":
        return data
    if compression == "lz4":
        return lz4.frame.decompress(data)
    assert compression == "zstd", compression
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)


class File:
    def __init__(self, data):
        assert data.startswith(MAGIC) and data.endswith(MAGIC)
        self.data = data
        self.schemas, self.channels, self.messages = {}, {}, []
        self.chunks, self.counts = {}, {}
        self.ended = False
        for at, opcode, body in records(data[: -len(MAGIC)], len(MAGIC)):
            self.record(at, opcode, Fields(body), 9 + len(body))

    def record(self, at, opcode, f, length):
        handler = getattr(self, "op_%02x" % opcode, None)
        assert handler, "unknown opcode %d" % opcode
        handler(at, f, length)

    def op_01(self, at, f, length):
        self.profile, self.library = f.text(), f.text()

    def op_03(self, at, f, length):
        id, name, encoding, data = f.number("H"), f.text(), f.text(), f.bytes()
        assert id > 0 and self.schemas.setdefault(id, (name, encoding, data)) == (name, encoding, data)

    def op_04(self, at, f, length):
        id, schema, topic, encoding = f.number("H"), f.number("H"), f.text(), f.text()
        metadata = f.map(Fields.text, Fields.text)
        value = (schema, topic, encoding, metadata)
        assert schema == 0 or schema in self.schemas
        assert self.channels.setdefault(id, value) == value

    def op_05(self, at, f, length):
        id, sequence, log, publish = f.number("H"), f.number("I"), f.number("Q"), f.number("Q")
        schema, topic, encoding, _ = self.channels[id]
        self.counts[id] = self.counts.get(id, 0) + 1
        self.messages.append((topic, self.schemas[schema][0], encoding, sequence, log, publish, f.rest()))

    def op_06(self, at, f, length):
        start, end, size, crc = f.number("Q"), f.number("Q"), f.number("Q"), f.number("I")
        compression = f.text()
        packed = f.bytes("Q")
        data = unpack(compression, packed, size)
        assert len(data) == size and zlib.crc32(data) == crc
        times, index = [], {}
        for inner, opcode, body in records(data):
            assert opcode in (3, 4, 5)
            self.record(inner, opcode, Fields(body), 9 + len(body))
            if opcode == 5:
                id, _, log = struct.unpack_from("<HIQ", body)
                times.append(log)
                index.setdefault(id, []).append((log, inner))
        assert (min(times), max(times)) == (start, end)
        self.chunks[at] = [start, end, length, compression, len(packed), size, index, {}, 0]
        self.newest = self.chunks[at]

    def op_07(self, at, f, length):
        id = f.number("H")
        inner = Fields(f.bytes())
        found = []
        while inner.at < len(inner.data):
            found.append((inner.number("Q"), inner.number("Q")))
        assert sorted(found) == sorted(self.newest[6].get(id, [])), "message index"
        self.newest[7][id] = at
        self.newest[8] += length

    def op_08(self, at, f, length):
        start, end, offset, size = (f.number("Q") for _ in range(4))
        offsets = f.map(lambda x: x.number("H"), lambda x: x.number("Q"))
        index_length = f.number("Q")
        compression, packed, unpacked = f.text(), f.number("Q"), f.number("Q")
        chunk = self.chunks.pop(offset)
        assert [start, end, size, compression, packed, unpacked] == chunk[:6], "chunk index"
        assert offsets == chunk[7] and index_length == chunk[8], "offsets of message indices"

    def op_0b(self, at, f, length):
        messages, schemas, channels = f.number("Q"), f.number("H"), f.number("I")
        f.number("I"), f.number("I")
        chunks, start, end = f.number("I"), f.number("Q"), f.number("Q")
        counts = f.map(lambda x: x.number("H"), lambda x: x.number("Q"))
        assert messages == len(self.messages) and counts == self.counts
        assert schemas == len(self.schemas) and channels == len(self.channels)
        assert chunks == len(self.chunks)
        times = [message[4] for message in self.messages]
        assert (start, end) == (min(times), max(times))

    def op_0c(self, at, f, length):
        self.metadata = (f.text(), f.map(Fields.text, Fields.text), at, length)

    def op_0d(self, at, f, length):
        offset, size, name = f.number("Q"), f.number("Q"), f.text()
        assert (name, offset, size) == (self.metadata[0], self.metadata[2], self.metadata[3])

    def op_0e(self, at, f, length):
        opcode, start, size = f.number("B"), f.number("Q"), f.number("Q")
        group = self.data[start : start + size]
        assert all(found == opcode for _, found, _ in records(group)) and group

    def op_0f(self, at, f, length):
        self.ended, self.summary_from = True, at + length

    def op_02(self, at, f, length):
        start, offsets, crc = f.number("Q"), f.number("Q"), f.number("I")
        assert self.ended and not self.chunks and start == self.summary_from
        assert zlib.crc32(self.data[start : at + 9 + 16]) == crc
        assert next(records(self.data[offsets:]))[1] == 0x0E


with open(sys.argv[1], "rb") as file:
    read = File(file.read())
out = io.StringIO()
for topic, schema, encoding, sequence, log, publish, data in read.messages:
    digest = hashlib.sha256(data).hexdigest()
    out.write(json.dumps([topic, schema, encoding, sequence, str(log), str(publish), digest]) + "\n")
sys.stdout.write(out.getvalue())
