import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { depthline } from '../support/cli.ts';
import { noStandIns, useStandIns } from '../support/jetson.ts';

describe('a network camera', () => {
  const script = fileURLToPath(new URL('../support/rtsp-server.py', import.meta.url));
  let server: ChildProcess;
  let port = 0;
  beforeAll(async () => {
    server = spawn('/usr/bin/python3', [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [text] = await once(server.stdout as NonNullable<typeof server.stdout>, 'data');
    port = Number(text);
  });
  afterAll(async () => {
    if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'close');
  });

  test('is listed with the format, size and rate of its stream', async () => {
    const url = `rtsp://127.0.0.1:${port}/test`;
    const { code, stdout } = await depthline(['cameras', '--json', url]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        source: 'rtsp',
        which: url,
        modes: [{ format: 'jpeg', width: 64, height: 48, fps: [30] }],
      },
    ]);
    expect((await depthline(['cameras', url])).stdout).toMatch(/jpeg +64×48 +30 fps/);
  });
});

test('a network camera that cannot be reached is a failure, without its password', async () => {
  const { code, stderr } = await depthline(['cameras', 'rtsp://me:geheim99@127.0.0.1:1/x']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/check that the camera is on/);
  expect(stderr).not.toContain('geheim99');
});

test('what is no address of a camera is wrong usage', async () => {
  const { code, stderr } = await depthline(['cameras', 'http://camera.local/']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/must begin with rtsp:\/\//);
});

test('a machine without cameras is told so', async () => {
  const { code, stdout, stderr } = await depthline(['cameras']);
  expect(code).toBe(0);
  if (stdout === '') expect(stderr).toMatch(/no camera found/);
  else expect(stdout).toMatch(/-camera: \{/);
});

describe.skipIf(noStandIns)('CSI cameras', () => {
  let done = () => {};
  beforeAll(() => {
    done = useStandIns();
  });
  afterAll(() => done());

  test('are listed with the modes of their sensors', async () => {
    const env = { STAND_IN_CAMERAS: '2' };
    const cameras = JSON.parse((await depthline(['cameras', '--json'], { env })).stdout) as {
      source: string;
      which: number;
      modes: object[];
    }[];
    const csi = cameras.filter(({ source }) => source === 'csi-camera');
    expect(csi.map(({ which }) => which)).toEqual([0, 1]);
    expect(csi[0]?.modes).toContainEqual({ mode: 4, width: 1280, height: 720, fps: [60] });
  });

  test('doctor lists them, too', async () => {
    const env = { STAND_IN_CAMERAS: '1' };
    const { stdout } = await depthline(['doctor'], { env });
    // Plug-ins have versions of their own, which are not that of GStreamer.
    expect(stdout).toMatch(/^ok +element nvarguscamerasrc/m);
    expect(stdout).toMatch(/^ok +csi-camera: \{ sensor: 0 \} /m);
    expect(stdout).toMatch(/^ +mode 4 +1280×720 +60 fps$/m);
  });

  test('none is no failure', async () => {
    const env = { STAND_IN_CAMERAS: '0' };
    const { code, stdout } = await depthline(['cameras'], { env });
    expect(code).toBe(0);
    expect(stdout).not.toContain('csi-camera');
  });
});
