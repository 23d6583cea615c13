import numpy as np
import onnxruntime
import pytest
import yaml
from PIL import Image

from export import export
from network import build
from quantize import main


@pytest.fixture
def model(tmp_path):
    network = build('fastdepth').eval()
    network.head.bias.data.fill_(2)
    export(network, tmp_path / 'model.onnx')
    contract = {'input': {'name': 'rgb'}, 'output': {'name': 'depth', 'meaning': 'metres'}}
    (tmp_path / 'model.yaml').write_text(yaml.safe_dump({'name': 'model', 'file': 'model.onnx', **contract}))
    rng = np.random.default_rng(0)
    (tmp_path / 'frames').mkdir()
    for n in range(3):
        pixels = rng.integers(0, 255, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'frames' / f'{n}.png')
    return tmp_path / 'model.onnx'


def test_int8_model_has_the_same_contract_and_nearly_the_same_depth(model, monkeypatch):
    out = model.with_name('int8.onnx')
    options = [model, '--frames', model.parent / 'frames', '--out', out]
    monkeypatch.setattr('sys.argv', ['quantize.py', *map(str, options)])
    main()
    assert out.stat().st_size < model.stat().st_size / 2
    rgb = np.full((1, 224, 224, 3), 120, np.uint8)
    depths = [
        onnxruntime.InferenceSession(str(path)).run(None, {'rgb': rgb})[0] for path in (model, out)
    ]
    np.testing.assert_allclose(depths[1], depths[0], atol=0.2)
    assert not np.array_equal(depths[1], depths[0])
    manifests = [yaml.safe_load(path.with_suffix('.yaml').read_text()) for path in (model, out)]
    assert manifests[1] == {**manifests[0], 'name': 'int8', 'file': 'int8.onnx'}
