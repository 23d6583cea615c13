import { describe, expect, test } from 'vitest';
import { parseDepthCaps } from '../../../src/gstreamer/depth/depth-caps.ts';
import { RefusedCaps } from '../../../src/stream/form.ts';
import { GdpError } from '../../../src/stream/gdp.ts';

const size = 'width=(int)640, height=(int)480, framerate=(fraction)30/1';

describe('depth in caps', () => {
  test.each([
    ['GRAY16_LE', 'uint16'],
    ['GRAY16_BE', 'uint16be'],
    ['GRAY8', 'uint8'],
  ])('grey pictures: %s', (format, type) => {
    expect(parseDepthCaps(`video/x-raw, format=(string)${format}, ${size}`)).toEqual({
      ...{ format, width: 640, height: 480, interval: 33_333_333n, type, offset: 0 },
    });
  });

  test.each([
    ['NHWC', 'other/tensors', '1:640:480:1', 'float32', 640, 480],
    ['NCHW', 'other/tensors', '640:480:1:1', 'float32', 640, 480],
    ['without the batch', 'other/tensors', '640:480', 'float32', 640, 480],
    ['uint16', 'other/tensors', '1:640:480:1', 'uint16', 640, 480],
    ['one tensor alone', 'other/tensor', '1:8:6:1', 'float32', 8, 6],
  ])('a tensor, %s', (_, media, dimensions, type, width, height) => {
    const [one, other] = media.endsWith('s') ? ['types', 'dimensions'] : ['type', 'dimension'];
    const text = `${media}, ${one}=(string)${type}, ${other}=(string)${dimensions}, framerate=(fraction)25/1`;
    const bytes = type === 'float32' ? 4 : 2;
    expect(parseDepthCaps(text)).toEqual({
      format: `${type} ${dimensions}`,
      ...{ width, height, interval: 40_000_000n, type, offset: 0, length: width * height * bytes },
    });
  });

  test.each([
    ['.', 'uint8.float32', '3:8:6:1.1:8:6:1'],
    ['a quoted comma', '"uint8\\,float32"', '"3:8:6:1\\,1:8:6:1"'],
    ['a comma and a space', '"uint8\\,\\ float32"', '"3:8:6:1\\,\\ 1:8:6:1"'],
  ])('a picture beside it, lists separated by %s', (_, types, dimensions) => {
    const text = `other/tensors, format=(string)static, num_tensors=(int)2, types=(string)${types}, dimensions=(string)${dimensions}`;
    expect(parseDepthCaps(text)).toMatchObject({
      ...{ width: 8, height: 6, type: 'float32', offset: 144, picture: 0, length: 144 + 192 },
    });
  });

  test.each([
    ['video/x-raw, format=(string)RGB, width=(int)8, height=(int)6', /pictures in RGB/],
    ['other/tensors, format=(string)flexible', /flexible tensors.*use static ones/],
    ['other/tensors, format=(string)static', /without types and dimensions/],
    ['other/tensors, types=(string)float32.uint8, dimensions=(string)1:8:6:1', /without types/],
    ['other/tensors, types=(string)float32, dimensions=(string)1:0:6:1', /size is not known/],
    ['other/tensors, types=(string)float32, dimensions=(string)1:x:6:1', /size is not known/],
    ['other/tensors, types=(string)complex, dimensions=(string)1:8:6:1', /size is not known/],
    ['other/tensors, types=(string)float64, dimensions=(string)1:8:6:1', /of which none can be/],
    ['other/tensors, types=(string)float32, dimensions=(string)2:8:6:1', /of which none can be/],
    ['other/tensors, types=(string)float32, dimensions=(string)1:1:1:1', /of which none can be/],
    [
      'other/tensors, types=(string)float32.float32, dimensions=(string)1:8:6:1.1:8:6:1',
      /of which 2 can be/,
    ],
    [
      'other/tensors, types=(string)float32.uint8, dimensions=(string)1:8:6:1.3:9:6:1',
      /uint8 3:9:6:1 beside depth of 8×6/,
    ],
  ])('is refused: %s', (text, message) => {
    expect(() => parseDepthCaps(text)).toThrow(RefusedCaps);
    expect(() => parseDepthCaps(text)).toThrow(message);
  });

  test('that are neither are damage', () => {
    expect(() => parseDepthCaps('audio/x-raw')).toThrow(GdpError);
    expect(() => parseDepthCaps('audio/x-raw')).not.toThrow(RefusedCaps);
  });
});
