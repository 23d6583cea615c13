import { describe, expect, test } from 'vitest';
import { nameInText } from '../../src/core/printable.ts';
import { addSecret, mask, maskValues, noteSecrets } from '../../src/core/secrets.ts';
import { userinfoProblem } from '../../src/core/url-parts.ts';
import { mostCameras } from '../../src/pipeline/cameras.ts';
import { fc } from '../support/property.ts';

/** Every test has secrets of its own: what one notes stays known to the others. */
let serial = 0;
const fresh = () => `zq${(serial++).toString(36).padStart(2, '0')}x`;

describe('user and password of a URL', () => {
  test.each([
    '/',
    '@',
    '?',
    '#',
    ':',
    '%',
    '"',
    "'",
    '\\',
    '&',
    '=',
    'ä',
    '😀',
    '+',
    '*',
    '$',
    ')',
  ])('with %s in it are masked as written, encoded and escaped', (odd) => {
    const [one, two] = [fresh(), fresh()];
    const password = `${one}${odd}${two}`;
    const url = `rtsp://cam:${password}@host:8554/live`;
    noteSecrets({ url });
    const spellings = [
      url,
      `rtsp://cam:${encodeURIComponent(password)}@host:8554/live`,
      JSON.stringify({ url }),
      JSON.stringify(JSON.stringify({ url })),
      `location="${url.replace(/[\\"]/g, '\\$&')}"`,
      `password ${password}.`,
      `lower case ${encodeURIComponent(password).toLowerCase()}`,
      ...('/@?#'.includes(odd) ? [`host ${two} not found`] : []),
      Buffer.from(`cam:${password}`).toString('base64'),
    ];
    for (const text of spellings) {
      const shown = mask(text);
      expect(shown).not.toContain(one);
      expect(shown).not.toContain(two);
      expect(shown).toContain('***');
    }
    expect(mask(`cannot open ${url}`)).toBe('cannot open rtsp://***@host:8554/live');
  });

  test('that are percent-encoded are masked decoded too', () => {
    const password = `${fresh()}/${fresh()}`;
    noteSecrets(`rtsp://cam:${encodeURIComponent(password)}@host/live`);
    expect(mask(`login as cam with ${password} failed`)).toBe('login as cam with *** failed');
  });

  test('of few characters are masked in their URL, and nowhere else', () => {
    noteSecrets('rtsp://a:b@host/live');
    expect(mask('a bad rtsp://a:b@host/live')).toBe('a bad rtsp://***@host/live');
  });

  test('any password, wherever it stands', () => {
    const part = fc.string({ unit: 'binary', minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(part, (password) => {
        noteSecrets({ password });
        const decorated = `<<${password}>>`;
        expect(mask(decorated)).toBe('<<***>>');
        expect(JSON.parse(JSON.stringify(maskValues({ a: [decorated], b: 1 })))).toEqual({
          a: ['<<***>>'],
          b: 1,
        });
      }),
    );
  });
});

describe('path and query of a URL', () => {
  test.each([
    ['/user=admin_password=TOKEN_channel=1_stream=0.sdp', '/user=***'],
    ['/live.sdp?user=admin&pwd=TOKEN', '/live.sdp?user=***&pwd=***'],
    [
      '/cam/realmonitor?channel=1&subtype=0&token=TOKEN',
      '/cam/realmonitor?channel=1&subtype=0&token=***',
    ],
    ['/admin:TOKEN/av0', '/***/av0'],
    ['/TOKEN/stream1', '/***/stream1'],
    ['/live?auth=abc/TOKEN', '/live?auth=abc/***'],
  ])('%s', (path, shown) => {
    const token = `${fresh()}7`;
    const url = `rtsp://host:554${path.replace('TOKEN', token)}`;
    noteSecrets(url);
    expect(mask(`open ${url}: 404`)).not.toContain(token);
    if (!path.startsWith('/live?auth')) expect(mask(url)).toBe(`rtsp://host:554${shown}`);
    expect(mask(`Not found: ${token}`)).toBe('Not found: ***');
  });

  test.each([
    '/test',
    '/Streaming/Channels/101',
    '/h264Preview_01_main',
    '/x',
    '/axis-media/media.amp',
  ])('%s shows what is known to be harmless', (path) => {
    const url = `rtsp://host:554${path}`;
    noteSecrets(url);
    if (path !== '/axis-media/media.amp') expect(mask(url)).toBe(url);
    expect(mask('Streaming of test media')).toBe('Streaming of test media');
  });

  test('endpoints and files are shown whole', () => {
    const texts = [
      'tcp://127.0.0.1:5556',
      'ipc:///tmp/depth42/frames',
      'file:///home/me/a1b2c3.mp4',
    ];
    noteSecrets(texts);
    for (const text of texts) expect(mask(text)).toBe(text);
  });
});

describe('options that are secret by name', () => {
  test.each(['password', 'secret-key', 'token', 'user-pw', 'apiKey', 'passphrase'])(
    '%s',
    (name) => {
      const value = fresh();
      noteSecrets({ curve: { [name]: value } });
      expect(mask(`got ${value}`)).toBe('got ***');
    },
  );

  test.each(['public-key', 'server-key', 'keyframes', 'passes'])('%s is not', (name) => {
    const value = fresh();
    noteSecrets({ [name]: value });
    expect(mask(value)).toBe(value);
  });

  test('in a launch line', () => {
    const [password, token] = [fresh(), fresh()];
    noteSecrets({
      launch: `rtspsrc location=rtsp://host/live user-id=me user-pw="${password} 1" ! souphttpsrc extra-headers="x,authorization=(string)\\"Bearer ${token}\\""`,
    });
    expect(mask(`user-pw=${password} 1, Bearer ${token}`)).toBe('user-pw=***, Bearer ***');
  });

  test.each([
    ['a quoted structure', 'extra-headers="headers, x-api-key=%s"'],
    ['a typed value', 'extra-headers="headers, token=(string)%s"'],
    ['a quoted value in a structure', 'extra-headers="headers, authorization=(string)\\"%s\\""'],
  ])('in %s', (_, text) => {
    const value = fresh();
    noteSecrets({ launch: `souphttpsrc ${text.replace('%s', value)} ! decodebin` });
    expect(mask(`login with ${value}`)).toBe('login with ***');
  });
});

test('a secret that is a part of another does not unmask the rest', () => {
  const short = fresh();
  addSecret(short);
  addSecret(`${short}-and-more`);
  expect(mask(`${short}-and-more ${short}`)).toBe('*** ***');
});

describe('a password that must be percent-encoded', () => {
  test.each([
    ['rtsp://cam:S3/CRET@host/x', '"/" as %2F'],
    ['rtsp://cam:S3@CRET@host/x', '"@" as %40'],
    ['rtsp://cam:S3?CRET@host/x', '"?" as %3F'],
    ['rtsp://cam:S3%CRET@host/x', '"%" as %25'],
    ['rtsp://c@m:S3/?@host/x', '"/" as %2F, "?" as %3F, "@" as %40'],
  ])('%s', (url, advice) => {
    const problem = userinfoProblem(url);
    expect(problem).toContain(`write ${advice}`);
    expect(problem).not.toMatch(/S3|CRET|cam/);
  });

  test.each([
    'rtsp://cam:S3%2FCRET@host/x',
    'rtsp://cam:a#b@host/x',
    'rtsp://host:554/a@b',
    'rtsp://host/a@b',
    'rtsp://[::1]:8554/x',
    'rtsp://cam:pw@host/user=a&mail=b@c',
  ])('%s is fine', (url) => expect(userinfoProblem(url)).toBeUndefined());
});

test('a name that is shortened shows no part of a secret', () => {
  const secret = `${fresh()}-${fresh()}`;
  addSecret(secret);
  expect(nameInText(`/camera/${'a'.repeat(90)}${secret}`)).not.toContain(secret.slice(0, 2));
});

test('of as many cameras as a run may have, none is forgotten', () => {
  const cameras = Array.from({ length: mostCameras }, () => {
    const [password, token] = [`${fresh()}%40${fresh()}`, `${fresh()}7`];
    return { password, url: `rtsp://user:${password}@host:554/${token}/live?auth=${token}` };
  });
  for (const { url } of cameras) noteSecrets({ url });
  for (const { password, url } of cameras) {
    expect(mask(`login with ${password}`)).toBe('login with ***');
    expect(mask(`login with ${decodeURIComponent(password)}`)).toBe('login with ***');
    expect(mask(url)).toBe('rtsp://***@host:554/***/live?auth=***');
  }
});

test('what is noted again, as at each reload, outlasts what is not', () => {
  const password = fresh();
  for (let reload = 0; reload < 5000; reload++) {
    noteSecrets({ password });
    addSecret(`token-${reload}`);
  }
  expect(mask(`login with ${password}`)).toBe('login with ***');
});
