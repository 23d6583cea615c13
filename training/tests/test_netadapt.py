import pytest
import torch

from counting import count_macs
from netadapt import (
    blocks,
    iterate,
    main,
    narrowed,
    save,
    strongest,
    tied_groups,
    widest_within,
    widths,
    without_filters,
)
from network import DepthNetwork, build, load_network

ENCODER = (16, 16, 16, 24, 24, 32, 32, 32, 32, 32, 32, 32, 32, 32)
DECODER = (24, 32, 24, 16, 16)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DepthNetwork(encoder_channels=ENCODER, decoder_channels=DECODER).eval()


def test_additive_skips_tie_layers():
    groups = tied_groups('add')
    assert {(1, 17), (3, 16), (5, 15)} <= set(groups)
    assert sorted(n for group in groups for n in group) == list(range(19))
    assert all(len(group) == 1 for group in tied_groups('none'))


@pytest.mark.parametrize('group', tied_groups('add'))
def test_filters_without_weight_can_leave_and_nothing_changes(network, group):
    numbers = widths(network)
    gone = 8
    kept = torch.arange(gone, numbers[group[0]])
    silence(network, group, gone)
    x = torch.rand(1, 3, 64, 64)
    small = without_filters(network, group, kept).eval()
    assert [widths(small)[n] for n in group] == [len(kept)] * len(group)
    with torch.no_grad():
        torch.testing.assert_close(small(x), network(x), rtol=0, atol=1e-5)


def silence(network, group, count):
    """Makes the first filters of a group give 0, also behind the depthwise layer that follows."""
    with torch.no_grad():
        for n in group:
            convs = [m for m in blocks(network)[n].modules() if isinstance(m, torch.nn.Conv2d)]
            convs[-1].weight[:count] = 0


def test_the_greatest_filters_stay(network):
    silence(network, (2,), 8)
    assert strongest(network, (2,), 8).tolist() == list(range(8, 16))


def test_widest_network_within_the_budget(network):
    budget = 0.97 * count_macs(network)
    count = widest_within(network, (5, 15), count_macs, budget)
    assert count % 8 == 0 and 0 < count < 32
    assert widest_within(network, (5, 15), count_macs, 1) == 0


def test_iteration_keeps_the_proposal_of_least_loss(network):
    budget = 0.98 * count_macs(network)
    losses = []

    def tune(proposal):
        losses.append(100 - len(losses))
        return losses[-1]

    best, done = iterate(network, count_macs, budget, tune)
    assert count_macs(best) <= budget
    assert done['loss'] == min(losses)


def test_a_network_is_narrowed_to_the_widths_of_another():
    target = build('fastdepth')
    assert widths(narrowed(build('fastdepth-full').eval(), target)) == widths(target)


def test_the_published_widths_at_once(tmp_path, monkeypatch):
    save(build('fastdepth-full').eval(), tmp_path / 'full.pt')
    out = tmp_path / 'pruned'
    monkeypatch.setattr('sys.argv', ['netadapt.py', '--start', str(tmp_path / 'full.pt'), '--out', str(out), '--to', 'fastdepth'])
    main()
    assert widths(load_network(out / 'checkpoint.pt')) == widths(build('fastdepth'))


def test_a_budget_wants_views(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['netadapt.py', '--start', 'a.pt', '--out', str(tmp_path), '--budget', '0.5'])
    with pytest.raises(SystemExit):
        main()
    assert '--budget wants --views' in capsys.readouterr().err
