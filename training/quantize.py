"""Makes an int8 copy of a model, as a candidate for `depthline tune`.

    python quantize.py --frames DIR ../models/fastdepth.onnx --out ../models/fastdepth-int8.onnx
    depthline tune fastdepth --candidate models/fastdepth-int8.onnx --frames DIR

Static quantisation (QDQ) by ONNX Runtime: weights per channel, activations by the range that the frames
give. The manifest is copied beside it. It is faster only where the processor multiplies int8 faster.
"""

import argparse
import tempfile
from pathlib import Path

import yaml
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from photos import Photos
from preprocessing import view


class Frames(CalibrationDataReader):
    """What the model sees of some pictures, uint8 [1, 224, 224, 3]."""

    def __init__(self, folder, name, count):
        photos = Photos.open(folder)
        every = max(1, len(photos) // count)
        pictures = (photos.load(i)[0] for i in range(0, len(photos), every))
        self.inputs = ({name: view(rgb)[0][None]} for rgb in pictures)

    def get_next(self):
        return next(self.inputs, None)


def quantize(model, frames, out, count=64):
    manifest = yaml.safe_load(model.with_suffix('.yaml').read_text())
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / 'prepared.onnx'
        quant_pre_process(str(model), str(prepared))
        quantize_static(
            str(prepared),
            str(out),
            Frames(frames, manifest['input']['name'], count),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    kept = ('licence', 'input', 'output')
    described = {'name': out.stem, 'file': out.name, **{k: manifest[k] for k in kept if k in manifest}}
    out.with_suffix('.yaml').write_text(yaml.safe_dump(described, sort_keys=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model', type=Path, help='.onnx with its manifest beside it, 224 x 224 uint8 NHWC')
    parser.add_argument('--frames', required=True, help='folder of pictures')
    parser.add_argument('--count', type=int, default=64, help='of them that are used')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    quantize(args.model, args.frames, args.out, args.count)
    print(f'{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, was {args.model.stat().st_size / 1e6:.2f}')


if __name__ == '__main__':
    main()
