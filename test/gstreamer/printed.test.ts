import { expect, test } from 'vitest';
import { addSecret } from '../../src/core/secrets.ts';
import { explainEnd, explainFailure } from '../../src/gstreamer/failures.ts';
import { lastPrinted } from '../../src/gstreamer/printed.ts';

const rate =
  'Error generated. /dvs/git/multimedia/gstnvarguscamerasrc.cpp, execute:532 Frame Rate specified is greater than supported';

const argus = `GST_ARGUS: Creating output stream
GST_ARGUS: Available Sensor modes :
GST_ARGUS: 1280 x 720 FR = 59.999999 fps Duration = 16666667 ; Analog Gain range min 1.000000, max 10.625000; Exposure Range min 13000, max 683709000;
${rate}
GST_ARGUS: Done Success
`;

test('what Argus complains about is found among its progress', () => {
  expect(lastPrinted(argus)).toBe(' [Frame Rate specified is greater than supported]');
});

test('progress alone is no reason', () => {
  expect(lastPrinted(argus.replace(rate, ''))).toBe('');
  expect(lastPrinted('')).toBe('');
});

test('the last two complaints are kept, each once', () => {
  expect(lastPrinted('error one\nerror two\nerror three\nerror three\n')).toBe(
    ' [error two; error three]',
  );
});

test('it is cut behind a secret or before it, and not within', () => {
  const secret = 'qv81-zk27-mh93';
  addSecret(secret);
  for (let before = 370; before < 400; before++) {
    const shown = lastPrinted(
      `error ${'at '.repeat(before).slice(0, before)}${secret} of the camera`,
    );
    expect(shown).not.toMatch(/qv8|81-z|zk2/);
  }
});

test('it is bounded, and control characters are written out', () => {
  const long = lastPrinted(`error ${'very long '.repeat(500)}`);
  expect(long.length).toBeLessThan(420);
  expect(lastPrinted('error \u001b[31mred\u0007')).toBe(' [error \\u{1b}[31mred\\u{7}]');
});

test.each([
  ['Frame Rate specified is greater than supported', /lower "fps", or choose another "mode"/],
  ['No cameras available', /check the camera cable and "sensor"/],
  ['Invalid camera device specified 3 specified, 1 cameras detected', /check the camera cable/],
  ['Invalid Exposure Time Range Input', /the sensor does not support this value/],
  ['Failed to create CaptureSession', /restart nvargus-daemon/],
])('"%s" comes with advice', (words, advice) => {
  const text = explainEnd('CSI camera 0', 'ended without a single frame', '', `${words}\n`);
  expect(text).toMatch(/^CSI camera 0 ended without a single frame \[/);
  expect(text).toContain(words);
  expect(text).toMatch(advice);
});

test('a failure on the bus carries the words too', () => {
  const failure = { phase: 'run', message: 'no frame within 5000 ms' } as const;
  expect(explainFailure('CSI camera 0', failure, '', argus)).toMatch(
    /failed: no frame within 5000 ms \[Frame Rate specified is greater than supported\]; the mode/,
  );
});

test('a control that the camera element lacks is named', () => {
  const message = 'no property "tnr-mode" in element "nvarguscamerasrc"';
  expect(explainFailure('CSI camera 0', { phase: 'parse', message })).toMatch(
    /the camera element of this JetPack has no such control/,
  );
});
