"""On checkpoints that the test writes as the authors do: a whole module pickled under `model`."""

import os
import sys
import types

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from import_checkpoint import import_network
from safe_pickle import Record, read_checkpoint

ENCODER = (8, 16, 16, 24, 24, 32, 32, 40, 40, 40, 40, 40, 48, 56)
DECODER = (24, 32, 24, 16, 8)
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def conv(i, o, k, stride=1, groups=1, act=nn.ReLU6):
    norm = nn.BatchNorm2d(o)
    nn.init.uniform_(norm.running_mean, -0.1, 0.1)
    nn.init.uniform_(norm.running_var, 0.5, 1.5)
    nn.init.uniform_(norm.bias, 0, 8)
    return [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), norm, act(inplace=True)]


class MobileNetSkipAdd(nn.Module):
    def __init__(self):
        super().__init__()
        before = 3
        for n, (after, stride) in enumerate(zip(ENCODER, STRIDES)):
            dw = conv(before, before, 3, stride, before) if n else []
            layer = dw + conv(before, after, 1) if n else conv(3, after, 3, stride)
            setattr(self, f'conv{n}', nn.Sequential(*layer))
            before = after
        for n, after in enumerate(DECODER, 1):
            parts = conv(before, before, 5, 1, before, nn.ReLU), conv(before, after, 1, act=nn.ReLU)
            setattr(self, f'decode_conv{n}', nn.Sequential(*(nn.Sequential(*p) for p in parts)))
            before = after
        self.decode_conv6 = nn.Sequential(*conv(before, 1, 1, act=nn.ReLU))

    def forward(self, x):
        kept = {}
        for n in range(14):
            x = kept[n] = getattr(self, f'conv{n}')(x)
        for n in range(1, 6):
            x = F.interpolate(getattr(self, f'decode_conv{n}')(x), scale_factor=2)
            x = x + kept[{2: 5, 3: 3, 4: 1}[n]] if n in (2, 3, 4) else x
        return self.decode_conv6(x)


@pytest.fixture
def authors(monkeypatch):
    """The network, its class in a module `models` that is gone when the checkpoint is read."""
    models = types.ModuleType('models')
    models.MobileNetSkipAdd = MobileNetSkipAdd
    monkeypatch.setattr(MobileNetSkipAdd, '__module__', 'models')
    monkeypatch.setitem(sys.modules, 'models', models)
    torch.manual_seed(0)
    return MobileNetSkipAdd().eval()


@pytest.mark.parametrize('zipped', [True, False])
def test_gives_what_the_pickled_network_gives(authors, tmp_path, monkeypatch, zipped):
    path = tmp_path / 'model.pth.tar'
    optimizer = torch.optim.SGD(authors.parameters(), lr=0.01, momentum=0.9)
    saved = {'model': authors, 'epoch': 3, 'best_result': object(), 'optimizer': optimizer}
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        wanted = authors(x)
    monkeypatch.delitem(sys.modules, 'models')
    with torch.no_grad():
        found = import_network(path)(x)
    assert wanted.std() > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


class Trap:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.system, (f'touch {self.file}',)


@pytest.mark.parametrize('zipped', [True, False])
def test_runs_nothing(tmp_path, zipped):
    touched = tmp_path / 'touched'
    path = tmp_path / 'trap.pth.tar'
    torch.save({'model': Trap(touched)}, path, _use_new_zipfile_serialization=zipped)
    saved = read_checkpoint(path)
    assert isinstance(saved['model'], Record)
    assert not touched.exists()
    with pytest.raises(ValueError, match='holds a system'):
        import_network(path)


def test_refuses_other_files(tmp_path):
    path = tmp_path / 'text.pth.tar'
    path.write_text('no checkpoint')
    with pytest.raises(ValueError, match='not a torch checkpoint'):
        read_checkpoint(path)
