"""Pictures of what models see: a row a frame with colour, truth and every model's depth, in one scale of colours.

    python panels.py --data DIR --out PANELS MODEL...

Writes PANELS/SET.png with frames spread over each set. Turbo, from near (red) to the frame's greatest true
depth (blue); black is unknown. Above a prediction stands its delta1 and mean ratio to the truth.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from evaluate import onnx_predictor, whole_view
from metrics import frame_metrics
from preprocessing import resize, view
from sets import DEFAULT, open_sets

WIDTH, HEIGHT, CAPTION = 240, 180, 14


def coloured(depth, farthest):
    from matplotlib import colormaps

    shade = colormaps['turbo'](1 - np.clip(depth / farthest, 0, 1))[..., :3]
    shade[depth <= 0] = 0
    return resize((255 * shade).astype(np.uint8), WIDTH, HEIGHT, nearest=True)


def row(predictors, rgb, truth):
    """Colour, truth and one panel a model, each with its caption."""
    seen, true = view(rgb, truth)
    farthest = np.quantile(true[true > 0], 0.98) if (true > 0).any() else 10
    panels = [('', resize(seen, WIDTH, HEIGHT)), (f'0 to {farthest:.1f} m', coloured(true, farthest))]
    for name, predict in predictors.items():
        predicted, compared = whole_view(predict, rgb, truth)
        caption = name
        if (compared > 0).any():
            found = frame_metrics(predicted, compared)
            caption = f'{name}: {found["delta1"]:.2f}, {found["ratio"]:.2f}'
        panels.append((caption, coloured(predict(seen), farthest)))
    whole = Image.new('RGB', (WIDTH * len(panels), HEIGHT + CAPTION))
    draw = ImageDraw.Draw(whole)
    for number, (caption, pixels) in enumerate(panels):
        whole.paste(Image.fromarray(pixels), (number * WIDTH, CAPTION))
        draw.text((number * WIDTH + 3, 1), caption, fill='white')
    return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('models', nargs='+', metavar='MODEL')
    parser.add_argument('--data', required=True, help='folder of the sets in sets.yaml')
    parser.add_argument('--sets', default=DEFAULT, help='another description than sets.yaml')
    parser.add_argument('--part', default='held-out', help='of the sets')
    parser.add_argument('--rows', type=int, default=5, help='frames of each set')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    predictors = {Path(path).stem: onnx_predictor(path) for path in args.models}
    for name, frames in open_sets(args.data, args.part, args.sets).items():
        chosen = np.linspace(0, len(frames) - 1, min(args.rows, len(frames))).round().astype(int)
        rows = [row(predictors, *frames.load(int(i))) for i in chosen]
        page = Image.new('RGB', (rows[0].width, rows[0].height * len(rows)))
        for number, picture in enumerate(rows):
            page.paste(picture, (0, number * picture.height))
        page.save(args.out / f'{name}.png')
        print(args.out / f'{name}.png')


if __name__ == '__main__':
    main()
