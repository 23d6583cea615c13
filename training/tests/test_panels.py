import numpy as np
import pytest
from PIL import Image

import panels


@pytest.fixture
def rooms(tmp_path):
    for folder, values in (('rgb', np.full((60, 80, 3), 90, np.uint8)), ('depth', np.full((60, 80), 2000, np.uint16))):
        (tmp_path / 'rooms' / folder).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(values).save(tmp_path / 'rooms' / folder / f'{number}.png')
    (tmp_path / 'sets.yaml').write_text('held-out: { rooms: {} }\n')
    return tmp_path


def test_a_row_a_frame_and_a_panel_a_model(rooms, monkeypatch):
    monkeypatch.setattr(panels, 'onnx_predictor', lambda path: lambda rgb: np.full(rgb.shape[:2], 1.0, np.float32))
    places = ['--data', rooms, '--sets', rooms / 'sets.yaml', '--out', rooms / 'panels', '--rows', '2']
    monkeypatch.setattr('sys.argv', ['panels.py', 'a.onnx', 'b.onnx', *map(str, places)])
    panels.main()
    with Image.open(rooms / 'panels' / 'rooms.png') as page:
        assert page.size == (4 * panels.WIDTH, 2 * (panels.HEIGHT + panels.CAPTION))
        truth, nearer = (page.getpixel((n * panels.WIDTH + 50, 100)) for n in (1, 2))
    assert truth != nearer
