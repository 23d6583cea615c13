import pytest
import torch

from average import average, main
from netadapt import save
from network import build, load_network


def test_the_mean_lies_in_the_middle(tmp_path, monkeypatch):
    torch.manual_seed(0)
    networks = [build('fastdepth') for _ in range(2)]
    wanted = (networks[0].head.weight + networks[1].head.weight).detach() / 2
    paths = [tmp_path / f'{n}.pt' for n in range(2)]
    for network, path in zip(networks, paths):
        save(network, path)
    out = tmp_path / 'mean' / 'checkpoint.pt'
    monkeypatch.setattr('sys.argv', ['average.py', *map(str, paths), '--out', str(out)])
    main()
    mean = load_network(out)
    torch.testing.assert_close(mean.head.weight.detach(), wanted)
    assert mean(torch.rand(1, 3, 64, 64)).shape == (1, 1, 64, 64)


def test_other_networks_have_no_mean():
    with pytest.raises(ValueError, match='same configuration'):
        average([build('fastdepth'), build('fastdepth-full')])
