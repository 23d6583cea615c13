"""Reads the tensors of a torch checkpoint without running anything that is in it.

A checkpoint is a pickle, and a pickle may name any function to be called. Here each name becomes a
harmless stand-in: tensors are rebuilt as NumPy arrays, every other object is a Record of its class name
and its attributes. Three containers exist: zip (torch 1.6 and later), a stream of pickles (0.1.10 to 1.5),
and tar (before that), of which the last is refused.
"""

import io
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

STREAM_MAGIC = 0x1950A86A20F9469CFC6C
ELEMENTS = {
    'DoubleStorage': 'f8',
    'FloatStorage': 'f4',
    'HalfStorage': 'f2',
    'LongStorage': 'i8',
    'IntStorage': 'i4',
    'ShortStorage': 'i2',
    'CharStorage': 'i1',
    'ByteStorage': 'u1',
    'BoolStorage': '?',
}


class Record:
    """What stands for an object: `class_name`, the arguments it was made of, its attributes."""

    class_name = ''

    def __new__(cls, *args, **kwargs):
        record = super().__new__(cls)
        record.args = args
        record.attributes = {}
        return record

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.attributes.update(state)

    def __setitem__(self, key, value):
        self.attributes[key] = value

    def append(self, value):
        self.attributes[len(self.attributes)] = value

    def extend(self, values):
        for value in values:
            self.append(value)

    def add(self, value):
        self.append(value)


class Storage:
    """Numbers that are read after the pickle itself, and views of them."""

    def __init__(self, kind):
        if kind not in ELEMENTS:
            raise ValueError(f'the checkpoint holds a {kind}, which is not known here')
        self.type = np.dtype(ELEMENTS[kind]).newbyteorder('<')
        self.values = None


class Tensor:
    """Where in a storage a tensor lies; array() once the storage is read."""

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self):
        values = self.storage.values
        if self.offset < 0 or min((*self.shape, *self.strides, 0)) < 0:
            raise ValueError('a tensor of the checkpoint lies outside its storage')
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        if 0 not in self.shape and last >= len(values):
            raise ValueError('a tensor of the checkpoint lies outside its storage')
        strides = [s * values.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides)
        return np.array(view, dtype=view.dtype.newbyteorder('='))


def rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def rebuild_parameter(tensor, *_):
    return tensor


REBUILT = {
    ('collections', 'OrderedDict'): OrderedDict,
    ('torch._utils', '_rebuild_tensor'): rebuild_tensor,
    ('torch._utils', '_rebuild_tensor_v2'): rebuild_tensor,
    ('torch._utils', '_rebuild_parameter'): rebuild_parameter,
    ('torch.nn.parameter', 'Parameter'): rebuild_parameter,
}


class Reader(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) in REBUILT:
            return REBUILT[module, name]
        return type('Record', (Record,), {'class_name': name})

    def persistent_load(self, saved):
        kind, *rest = saved
        if kind == 'module':
            return rest[0]
        if kind != 'storage':
            raise ValueError(f'the checkpoint refers to a {kind!r}, which is not known here')
        storage_class, key = rest[0], str(rest[1])
        if len(rest) > 4 and rest[4] is not None:
            raise ValueError('the checkpoint holds views of storages, which are not read here')
        if key not in self.storages:
            self.storages[key] = Storage(storage_class.class_name)
        return self.storages[key]


def read_checkpoint(path):
    """The saved object: dictionaries and lists, Record for other objects, Tensor for tensors."""
    path = Path(path)
    if zipfile.is_zipfile(path):
        return read_zip(path)
    if tarfile.is_tarfile(path):
        raise ValueError(f'{path}: written by torch 0.1.9 or older; load and save it with torch 1.x once')
    return read_stream(path)


def read_zip(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        main = next((n for n in names if n.endswith('/data.pkl')), None)
        if main is None:
            raise ValueError(f'{path}: a zip file, but not a torch checkpoint')
        folder = main.removesuffix('data.pkl')
        reader = Reader(io.BytesIO(archive.read(main)))
        saved = reader.load()
        for key, storage in reader.storages.items():
            storage.values = np.frombuffer(archive.read(f'{folder}data/{key}'), storage.type)
    return saved


def read_stream(path):
    with open(path, 'rb') as file:
        try:
            magic = Reader(file).load()
        except (pickle.UnpicklingError, EOFError, ValueError, IndexError) as error:
            raise ValueError(f'{path}: not a torch checkpoint') from error
        if magic != STREAM_MAGIC:
            raise ValueError(f'{path}: not a torch checkpoint')
        Reader(file).load()  # version of the protocol
        Reader(file).load()  # sizes of C types on the machine that wrote it
        reader = Reader(file)
        saved = reader.load()
        for key in Reader(file).load():
            storage = reader.storages[str(key)]
            count = int.from_bytes(file.read(8), 'little')
            storage.values = np.frombuffer(file.read(count * storage.type.itemsize), storage.type)
    return saved
