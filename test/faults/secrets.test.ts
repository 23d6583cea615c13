import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { depthline, type Finished, workplace } from '../support/cli.ts';

/** What must be nowhere: each password has one of them before and one behind its odd character. */
const parts = ['Zq7xV', 'wK9tB'] as const;

const odd = [
  '/',
  '@',
  '?',
  '#',
  ':',
  '%',
  '%2',
  '"',
  "'",
  '\\',
  '&',
  '=',
  '+',
  '!',
  'ä',
  '😀',
  '$',
  ' ',
];
const passwords = odd.map((character) => parts.join(character));
const encoded = (text: string) => encodeURIComponent(text).replaceAll("'", '%27');

/** Port 9 refuses connections. */
const host = '127.0.0.1:9';
const urls = [
  ...passwords.map((password) => `rtsp://cam:${password}@${host}/live`),
  ...passwords.map((password) => `rtsp://cam:${encoded(password)}@${host}/live`),
  ...passwords.map((password) => `rtsps://c@m:${password}@${host}/live`),
  `rtsp://${host}/user=admin_password=${parts.join('')}_channel=1_stream=0.sdp`,
  `rtsp://${host}/live.sdp?user=admin&pwd=${parts.join('-')}`,
  `rtsp://${host}/cam?token=${encoded(parts.join('/'))}&channel=1`,
  `rtsp://${host}/${parts.join('')}/stream1`,
  `rtsp://${host}/admin:${parts.join('')}/av0`,
];

const launches = [
  ...passwords
    .slice(0, 8)
    .map(
      (password) =>
        `rtspsrc location=rtsp://cam:${encoded(password)}@${host}/live protocols=tcp ! decodebin`,
    ),
  `rtspsrc location=rtsp://${host}/live protocols=tcp user-id=cam user-pw=${parts.join('-')} ! decodebin`,
  `rtspsrc location=rtsp://${host}/live protocols=tcp user-id=cam user-pw="${parts.join(' ')}" no-such=1 ! decodebin`,
];

type Source = Record<string, Record<string, unknown>>;
const rtsp = (url: string, more: Record<string, unknown> = {}): Source => ({
  rtsp: { url, protocol: 'tcp', ...more },
});

const pipeline = (source: Source, sink: unknown = 'discard') =>
  stringify({ source, sinks: [sink] });

function expectKept({ stdout, stderr }: Pick<Finished, 'stdout' | 'stderr'>) {
  for (const part of parts) {
    expect(stdout).not.toContain(part);
    expect(stderr).not.toContain(part);
  }
}

/** A pipeline file for each source, in a folder. */
function files(sources: readonly Source[], sink?: unknown): { cwd: string; names: string[] } {
  const texts = sources.map((source, i) => [`p${i}.yaml`, pipeline(source, sink)] as const);
  const cwd = workplace(Object.fromEntries(texts));
  return { cwd, names: texts.map(([name]) => join(cwd, name)) };
}

describe('no secret is printed', () => {
  it('by check, whatever else is wrong', async () => {
    const wrong = [
      ...urls.map((url) => rtsp(url, { protocol: 'carrier-pigeon', latency: url })),
      ...urls.map((url) => rtsp(url, { protocl: url, intrinsics: url })),
      ...launches.map((launch) => ({ gstreamer: { launch, live: launch } })),
      ...urls.map((url) => ({ 'usb-camera': { device: url, format: url } })),
    ];
    const { cwd, names } = files(wrong, {
      zeromq: {
        bind: 'tcp://127.0.0.1:0',
        curve: { 'secret-key': parts.join('-'), 'public-key': parts.length },
      },
    });
    for (const form of [[], ['--json']]) {
      const finished = await depthline(['check', ...form, ...names], { cwd });
      expect(finished.code).toBe(2);
      expectKept(finished);
    }
  });

  it('by check for a password that must be percent-encoded, which it says', async () => {
    const { cwd, names } = files([rtsp(urls[0] as string), rtsp(urls[1] as string)]);
    const finished = await depthline(['check', ...names], { cwd });
    expect(finished.stdout).toMatch(/url: must have .* percent-encoded: write "\/" as %2F/);
    expect(finished.stdout).toMatch(/url: must have .* percent-encoded: write "@" as %40/);
    expectKept(finished);
  });

  const some = [
    rtsp(`rtsp://cam:${encoded(passwords[0] as string)}@${host}/live`),
    rtsp(urls.at(-5) as string),
    rtsp(urls.at(-3) as string),
    { gstreamer: { launch: launches[1] } },
    { gstreamer: { launch: launches.at(-2) } },
    { gstreamer: { launch: launches.at(-1) } },
  ];

  it.each(some)('by plan, $rtsp.url $gstreamer.launch', async (source) => {
    const { cwd, names } = files([source as Source]);
    const finished = await depthline(['plan', '--json', names[0] as string], { cwd });
    expect(finished.stdout).toContain('***');
    expectKept(finished);
  });

  it.each(some)('by a run that fails, $rtsp.url $gstreamer.launch', async (source) => {
    const { cwd, names } = files([source as Source]);
    const env = { GST_DEBUG: '4', DEPTHLINE_DEBUG: '1' };
    const args = ['run', names[0] as string, '--stats', 'json'];
    const finished = await depthline(args, { cwd, env });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('***');
    expectKept(finished);
  });

  it('that comes from the environment or the command line', async () => {
    const cwd = workplace({
      'env.yaml':
        'source: { rtsp: { url: "rtsp://cam:${PW}@127.0.0.1:9/live", latency: "${PW}" } }\nsinks: [ discard ]\n',
      'path.yaml':
        'source: { rtsp: { url: "rtsp://127.0.0.1:9/${PW}/x", latency: "${PW}" } }\nsinks: [ discard ]\n',
      'set.yaml': 'source: { rtsp: { url: "rtsp://127.0.0.1:9/live" } }\nsinks: [ discard ]\n',
    });
    const env = { PW: parts.join('/') };
    for (const file of ['env.yaml', 'path.yaml']) {
      const finished = await depthline(['check', file], { cwd, env });
      expect(finished.code).toBe(2);
      expectKept(finished);
    }
    const url = urls[0] as string;
    for (const setting of [`source.rtsp.url=${url}`, `sorce.rtsp.url=${url}`, `=${url}`]) {
      expectKept(await depthline(['plan', 'set.yaml', '--set', setting], { cwd }));
    }
  });
});
