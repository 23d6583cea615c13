import { expect, test } from 'vitest';
import { calibrationText, parseCalibration } from '../../src/files/calibration-text.ts';

const middlebury = `cam0=[3997.684 0 1176.728; 0 3997.684 1011.728; 0 0 1]
cam1=[3997.684 0 1307.839; 0 3997.684 1011.728; 0 0 1]
doffs=131.111
baseline=193.001
width=2964
height=1988
ndisp=280
isint=0
`;

test('reads the calib.txt of a Middlebury scene', () => {
  expect(parseCalibration(middlebury)).toEqual({
    intrinsics: { fx: 3997.684, fy: 3997.684, cx: 1176.728, cy: 1011.728 },
    baseline: 0.193001,
    offset: 131.111,
    width: 2964,
    height: 1988,
  });
});

test('reads what it writes', () => {
  const calibration = {
    intrinsics: { fx: 280.5, fy: 270.25, cx: 159.5, cy: 119.5 },
    ...{ baseline: 0.081, offset: -2.5, width: 320, height: 240 },
  };
  expect(parseCalibration(calibrationText(calibration))).toEqual(calibration);
});

test.each([
  ['cam0', middlebury.replace('cam0', 'camera')],
  ['cam0', middlebury.replace('0 0 1]', '0 0 2]')],
  ['baseline', middlebury.replace('baseline=193.001', 'baseline=far')],
  ['width', middlebury.replace('width=2964\n', '')],
  ['above 0', middlebury.replace('193.001', '0')],
])('says what is missing: %s', (what, text) => {
  expect(() => parseCalibration(text)).toThrow(what);
});
