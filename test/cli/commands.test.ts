import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { dataFrame } from '../../src/testing/sample-frames.ts';
import { depthline, type Finished, start, workplace } from '../support/cli.ts';
import { depthFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { freeEndpoint, message, publisher, sendUntil } from '../support/topic.ts';

function json<T>({ code, stdout, stderr }: Finished): T {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

const wrong = 'source:\n  test-pattern: { widht: 3 }\nsinks:\n  - file: { format: png }\n';

describe.concurrent('depthline check', () => {
  it('warns of a topic that is open to the network', async () => {
    const sink = (bind: string) =>
      `source: test-pattern\nsinks:\n  - zeromq: { bind: "${bind}" }\n`;
    const cwd = workplace({
      'open.yaml': sink('tcp://192.168.1.7:5556'),
      'web.yaml': sink('ws://0.0.0.0:5556'),
      'source.yaml': 'source:\n  zeromq: { bind: "tcp://*:5556" }\nsinks: [discard]\n',
      'closed.yaml': sink('tcp://127.0.0.1:5556'),
    });
    const files = ['open.yaml', 'web.yaml', 'source.yaml', 'closed.yaml'];
    const { code, stderr } = await depthline(['check', ...files], { cwd });
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/open\.yaml: sinks\[0\] zeromq: warning: .*set curve/),
      expect.stringMatching(/web\.yaml: sinks\[0\] zeromq: warning: .*set curve/),
      expect.stringMatching(/source\.yaml: source zeromq: warning: .*set curve/),
    ]);
  });

  it('warns of a resize before an operator that wants the whole picture, as plan does', async () => {
    const file = (options: string) =>
      `source: test-pattern\noperators:\n  - resize: { width: 64, height: 48 }\n  - estimate-depth: ${options}\nsinks: [discard]\n`;
    const cwd = workplace({
      'source.yaml': file('{ image: source }'),
      'two.yaml': file('{ cover: two-views }'),
      'centre.yaml': file('{}'),
    });
    const { code, stderr } = await depthline(['check', 'source.yaml', 'two.yaml', 'centre.yaml'], {
      cwd,
    });
    expect(code).toBe(0);
    const warned =
      /operators\[1\] estimate-depth: warning: .*operators\[0\] resize has scaled that to 64×48; remove/;
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(warned),
      expect.stringMatching(warned),
    ]);
    expect((await depthline(['plan', 'source.yaml'], { cwd })).stderr).toMatch(warned);
  });

  it('warns of a video and of pictures that do not exist', async () => {
    const file = (source: string) => `source: { ${source} }\nsinks: [discard]\n`;
    const cwd = workplace({
      'video.yaml': file('video-file: { path: a.mp4 }'),
      'images.yaml': file('images: { path: photos }'),
      'glob.yaml': file('images: { path: "photos/*.jpg" }'),
      'there.yaml': file('video-file: { path: there.yaml }'),
    });
    const files = ['video.yaml', 'images.yaml', 'glob.yaml', 'there.yaml'];
    const { code, stderr } = await depthline(['check', ...files], { cwd });
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /source video-file: warning: .*a\.mp4 does not exist; a run would fail/,
      ),
      expect.stringMatching(/source images: warning: .*photos does not exist; a run would fail/),
    ]);
  });

  it('reports a valid pipeline', async () => {
    const finished = await depthline(['check', 'demo', 'csi-live']);
    expect(finished).toMatchObject({ code: 0, stderr: '' });
    expect(finished.stdout.trim().split('\n')).toHaveLength(2);
  });

  it('reports every problem with its position, also as JSON', async () => {
    const cwd = workplace({ 'p.yaml': wrong });
    const plain = await depthline(['check', 'p.yaml'], { cwd });
    expect(plain.code).toBe(2);
    expect(plain.stdout.trim().split('\n')).toEqual([
      'p.yaml:2:19: unknown option "widht"; did you mean "width"?',
      expect.stringMatching(/^p\.yaml:4:5: missing option "directory": /),
    ]);
    const listed = await depthline(['check', 'p.yaml', '--json'], { cwd });
    expect(listed.code).toBe(2);
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ file: 'p.yaml', line: 2, column: 19 }),
      expect.objectContaining({ file: 'p.yaml', line: 4 }),
    ]);
  });
});

describe.concurrent('depthline plan', () => {
  it('shows the launch line, fused operators, queues and the input of the model', async () => {
    const cwd = workplace({
      'p.yaml': `
source:
  test-pattern: { width: 1280, height: 720 }
operators:
  - resize: { width: 224, height: 224, on: cpu }
  - estimate-depth: { workers: 2 }
sinks:
  - discard:
    queue: { limit: 3, when-full: drop-newest, max-age: 2s }
`,
    });
    const { code, stdout } = await depthline(['plan', 'p.yaml'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^launch +videotestsrc .*width=224,height=224.*fdsink/m);
    expect(stdout).toMatch(/^fused +.*resize/m);
    expect(stdout).toMatch(/estimate-depth \[queue: limit 1, block\]/);
    expect(stdout).toMatch(/224×224 RGB, a 4:3 view/);
    expect(stdout).toMatch(/limit 3, drop-newest, max-age 2000 ms/);
  });

  it('prints JSON and a graph', async () => {
    const plan = json<{ pipeline: string; branches: unknown[] }>(
      await depthline(['plan', 'demo', '--json']),
    );
    expect(plan.pipeline).toBe('demo');
    expect(plan.branches).toHaveLength(5);
    const { stdout } = await depthline(['plan', 'demo', '--mermaid']);
    expect(stdout).toMatch(/^(graph|flowchart) /);
  });

  it('shows the launch line of each source that a source reads', async () => {
    const eye = (device: string) => `{ usb-camera: { device: ${device}, width: 320 } }`;
    const file = (stereo: string) =>
      `source:\n  stereo:\n${stereo}operators: [take-eye]\nsinks: [discard]\n`;
    const two = `    left: ${eye('/dev/video2')}\n    right: ${eye('/dev/video4')}\n`;
    const cwd = workplace({
      'two.yaml': file(two),
      'one.yaml': file(`    side-by-side: ${eye('/dev/video6')}\n`),
      'drawn.yaml': file('    left: synthetic-room\n    right: test-pattern\n'),
    });
    const { code, stdout } = await depthline(['plan', 'two.yaml'], { cwd });
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(1, 6)).toEqual([
      'source    stereo',
      'left      usb-camera',
      expect.stringMatching(/^launch {4}v4l2src device="\/dev\/video2".*width=320.*fdsink/),
      'right     usb-camera',
      expect.stringMatching(/^launch {4}v4l2src device="\/dev\/video4".*width=320.*fdsink/),
    ]);
    type Nested = Record<string, { source: string; launchLine?: string }>;
    const planned = async (file: string) =>
      json<{ nested: Nested }>(await depthline(['plan', file, '--json'], { cwd })).nested;
    expect(await planned('one.yaml')).toEqual({
      'side-by-side': {
        source: 'usb-camera',
        launchLine: expect.stringContaining('device="/dev/video6"'),
      },
    });
    expect(await planned('drawn.yaml')).toEqual({
      left: { source: 'synthetic-room' },
      right: { source: 'test-pattern', launchLine: expect.stringContaining('videotestsrc') },
    });
  });

  it('shows the launch line of a camera that this machine does not have', async () => {
    const { code, stdout } = await depthline(['plan', 'csi-live']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/nvarguscamerasrc sensor-id=0/);
    expect(stdout).toMatch(/nvvidconv/);
  });
});

describe.concurrent('depthline list and describe', () => {
  it('list components, pipelines and models', async () => {
    const found = json<{ components: { name: string }[]; pipelines: unknown[]; models: string[] }>(
      await depthline(['list', '--json']),
    );
    expect(found.components.map(({ name }) => name)).toContain('estimate-depth');
    expect(found.pipelines).toHaveLength(readdirSync(`${packageDirectory()}pipelines`).length);
    expect(found.models).toContain('fastdepth');
    const { stdout } = await depthline(['list']);
    expect(stdout).toMatch(/^ +csi-live +CSI camera of a Jetson TX2/m);
  });

  it('describe a component: options with their defaults, examples', async () => {
    const { code, stdout } = await depthline(['describe', 'smooth']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/alpha/);
    expect(stdout).toMatch(/default/);
    const { options } = json<{ options: { properties: object } }>(
      await depthline(['describe', 'crop', '--json']),
    );
    expect(Object.keys(options.properties)).toContain('left');
  });

  it('include the components of a user’s module', async () => {
    const use = ['--use', join(packageDirectory(), 'examples', 'nearest-obstacle.js')];
    const described = await depthline(['describe', 'nearest-obstacle', ...use]);
    expect(described.stdout).toMatch(/warn.*metres/s);
    expect((await depthline(['list', ...use])).stdout).toMatch(/^ +nearest-obstacle +Distance/m);
    const schema = json<object>(await depthline(['schema', ...use]));
    expect(JSON.stringify(schema)).toContain('"nearest-obstacle"');
    const missing = await depthline(['schema', '--use', './none.js']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^\.\/none\.js could not be loaded: no such file: .*\n$/);
  });

  it('suggest a similar name', async () => {
    const finished = await depthline(['describe', 'smoth']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/smoth.*did you mean "smooth"\?/);
  });
});

describe.concurrent('depthline doctor', () => {
  it('lists what is present and what is missing', async () => {
    const facts = json<{ what: string; state: string; essential: boolean }[]>(
      await depthline(['doctor', '--json']),
    );
    const essential = facts.filter((fact) => fact.essential);
    expect(essential.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['Node.js', 'GStreamer', 'element fdsink']),
    );
    expect(essential.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(facts.find(({ what }) => what === 'element nvarguscamerasrc')?.state).toBe('absent');
    expect(facts.map(({ what }) => what)).toContain('power sensor');
  });

  it('lists the execution providers whose libraries are installed', async () => {
    const facts = json<{ what: string; detail: string }[]>(await depthline(['doctor', '--json']));
    const { detail = '' } = facts.find(({ what }) => what === 'ONNX Runtime') ?? {};
    const libraries = readdirSync(join(packageDirectory(), 'node_modules/onnxruntime-node/bin'), {
      recursive: true,
      encoding: 'utf8',
    });
    for (const provider of ['cuda', 'tensorrt']) {
      const installed = libraries.some((name) => name.endsWith(`providers_${provider}.so`));
      expect(detail.includes(provider)).toBe(installed);
    }
    expect(detail).toContain('cpu');
  });

  it('does not advise to install a package that is installed', async () => {
    const facts = json<{ what: string; state: string; detail: string }[]>(
      await depthline(['doctor', '--json']),
    );
    for (const { state, detail } of facts) {
      const name = /apt-get install (\S+)/.exec(detail)?.[1];
      if (state === 'ok' || name === undefined) continue;
      const query = spawnSync('dpkg-query', ['-W', '-f=${db:Status-Status}', name], {
        timeout: 60_000,
      });
      expect(String(query.stdout), name).not.toBe('installed');
    }
  });

  it('fails without GStreamer plug-ins, and names their packages', async () => {
    const env = { GST_PLUGIN_SYSTEM_PATH: '/nowhere', GST_REGISTRY: join(workplace(), 'registry') };
    const finished = await depthline(['doctor'], { env });
    expect(finished.code).toBe(1);
    expect(finished.stdout).toMatch(/videoconvert.*gstreamer1\.0-plugins-base/);
  });
});

describe.concurrent('depthline subscribe', () => {
  async function topic() {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 10, (n) => {
      const frame = depthFrame(8, 6, n, (x) => 1 + x);
      return message({ ...frame, capturedAt: systemClock.wall() });
    });
    const close = async () => {
      done.abort();
      await sending;
      socket.close();
    };
    return { endpoint, close };
  }

  it('prints rate, age and range, and saves frames', async () => {
    const { endpoint, close } = await topic();
    const cwd = workplace();
    const args = ['subscribe', endpoint, '--count', '5', '--json', '--save', 'kept'];
    const { code, stdout } = await depthline(args, { cwd });
    await close();
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatchObject({ kind: 'depth', width: 8, height: 6, range: [1, 8] });
    expect(readdirSync(join(cwd, 'kept')).filter((name) => name.endsWith('.npy'))).toHaveLength(5);
  });

  it('prints every value of a data topic, without --json', async () => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 10, (n) =>
      message({ ...dataFrame(n, { near: [n, null] }), capturedAt: systemClock.wall() }),
    );
    const { code, stdout } = await depthline(['subscribe', endpoint, '--count', '3']);
    done.abort();
    await sending;
    socket.close();
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines.slice(0, 3))
      expect(line).toMatch(/^seq (\d+) \| age [-\d.]+ ms \| (.* \| )?\{"near":\[\1,null\]\}$/);
    expect(lines[3]).toBe('3 frames');
  });

  it('prints a line of a stream that ends within its first second', async () => {
    const { endpoint, close } = await topic();
    const { stdout } = await depthline(['subscribe', endpoint, '--count', '1']);
    await close();
    expect(stdout).toMatch(
      /^[\d.]+ fps \| age [\d.]+ ms \| range 1\.00…8\.00 m \| seq \d+.*\n1 frame\n$/,
    );
  });

  it('reports that no frames arrive, and stops on Ctrl-C', async () => {
    const running = start(['subscribe', await freeEndpoint()]);
    await until(() => /no frames from .* on topic "depth" yet/.test(running.stderr));
    running.child.kill('SIGINT');
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/^0 frames/);
  });

  it('reports an unusable --save and nothing else', async () => {
    const cwd = workplace();
    writeFileSync(join(cwd, 'kept'), '');
    const args = ['subscribe', await freeEndpoint(), '--save', 'kept'];
    const { code, stderr } = await depthline(args, { cwd });
    expect(stderr).toMatch(/^.* is not a directory; choose another path\n$/);
    expect(code).toBe(1);
  });

  it('refuses an invalid endpoint', async () => {
    const finished = await depthline(['subscribe', 'localhost']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/^"localhost" is not a ZeroMQ endpoint; write tcp:.*\n$/);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
  });
});

describe.concurrent('depthline', () => {
  it('prints help, and suggests a command for an unknown one', async () => {
    expect((await depthline(['--help'])).stdout).toMatch(/run .*\n.*check/s);
    const finished = await depthline(['rnu']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/unknown command 'rnu'/);
  });
});
