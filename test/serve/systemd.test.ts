import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftBehind, type Running, start, startProcess, workplace } from '../support/cli.ts';
import { captureHosts, until } from '../support/gstreamer.ts';

/** The receiving side of sd_notify(3): prints a line of JSON per datagram. */
const receiver = `
import json, os, socket, sys
name = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\\0" + name[1:] if name.startswith("@") else name)
print("bound", flush=True)
while True:
    # systemd-notify waits until the descriptor of its BARRIER is closed.
    data, descriptors, _, _ = socket.recv_fds(server, 4096, 4)
    for descriptor in descriptors: os.close(descriptor)
    text = data.decode()
    if "BARRIER=1" not in text: print(json.dumps(text.strip().split("\\n")), flush=True)
`;

/** Its capture process is not replaced while a test has stopped it. */
const pipeline = (limit = 1) => `
source:
  test-pattern: { width: 32, height: 24, fps: 30, realtime: true, restart: { stalled-after: 60s } }
operators:
  - resize: { width: 16, height: 12 }
sinks:
  - discard: {}
    queue: { limit: ${limit}, when-full: drop-oldest }
`;

async function managed(socket: string, env: Record<string, string> = {}) {
  const cwd = workplace({ 'p.yaml': pipeline(), 'receiver.py': receiver });
  const path = socket.startsWith('@') ? `${socket}-${process.pid}` : join(cwd, socket);
  const systemd = startProcess('python3', [join(cwd, 'receiver.py'), path], { cwd });
  await until(() => systemd.stdout.includes('bound'));
  const run = start(['run', 'p.yaml', '--serve', '127.0.0.1:0'], {
    cwd,
    env: { NOTIFY_SOCKET: path, ...env },
  });
  const said = () =>
    systemd.stdout
      .split('\n')
      .filter((line) => line.startsWith('['))
      .flatMap((line) => JSON.parse(line) as string[]);
  return { cwd, run, said, systemd };
}

const count = (said: readonly string[], what: string) => said.filter((one) => one === what).length;

async function ended({ run, systemd }: { run: Running; systemd: Running }) {
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.finished;
  expect(code, stderr).toBe(0);
  expect(await leftBehind(run)).toEqual([]);
  systemd.child.kill();
}

describe('a run that systemd has started', () => {
  it.each(['notify.sock', '@depthline-test'])('says how it is: %s', async (socket) => {
    const managing = await managed(socket);
    const { cwd, run, said } = managing;
    await until(() => said().includes('READY=1'));
    expect(said().find((one) => one.startsWith('STATUS='))).toMatch(/^STATUS=(starting|running)/);
    await until(() => said().includes('STATUS=running'));
    expect(said().join()).not.toContain('WATCHDOG');

    writeFileSync(join(cwd, 'p.yaml'), pipeline(3));
    run.child.kill('SIGHUP');
    await until(() => count(said(), 'READY=1') === 2);
    const reloading = said().indexOf('RELOADING=1');
    expect(reloading).toBeGreaterThan(0);
    expect(said().lastIndexOf('READY=1')).toBeGreaterThan(reloading);
    expect(said()).toContainEqual(expect.stringMatching(/^MONOTONIC_USEC=\d+$/));
    expect(run.stderr).toContain('queue.limit: 1 → 3');

    await ended(managing);
    await until(() => said().at(-2) === 'STOPPING=1');
  });

  it('feeds the watchdog while it is well, and not while it has stalled', async () => {
    const managing = await managed('notify.sock', { WATCHDOG_USEC: '1500000' });
    const { run, said } = managing;
    await until(() => count(said(), 'WATCHDOG=1') >= 3);
    // A source whose process does not answer gives no frames.
    const children = captureHosts(run.child.pid);
    expect(children).toHaveLength(1);
    for (const pid of children) process.kill(pid, 'SIGSTOP');
    await until(() => said().some((one) => /^STATUS=source .* has given no frame/.test(one)));
    const fed = count(said(), 'WATCHDOG=1');
    for (const pid of children) process.kill(pid, 'SIGCONT');
    await until(() => count(said(), 'WATCHDOG=1') >= fed + 2);
    await ended(managing);
  });

  it('is not told apart from others: a watchdog of another process is not fed', async () => {
    const managing = await managed('notify.sock', { WATCHDOG_USEC: '900000', WATCHDOG_PID: '1' });
    await until(() => managing.said().includes('STATUS=running'));
    await ended(managing);
    expect(managing.said()).not.toContain('WATCHDOG=1');
  });

  it('runs on without systemd-notify, and says what is missing', async () => {
    const cwd = workplace({ 'p.yaml': pipeline() });
    mkdirSync(join(cwd, 'bin'));
    for (const name of ['node', 'python3', 'gst-launch-1.0']) link(cwd, name);
    const run = start(['run', 'p.yaml', '--duration', '2'], {
      cwd,
      env: { NOTIFY_SOCKET: join(cwd, 'none.sock'), PATH: join(cwd, 'bin') },
    });
    const { code, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      'warning: systemd is not told how the run is: it needs the command systemd-notify, which is not here',
    );
    expect(stderr.match(/systemd/g)?.length).toBe(2);
  });
});

function link(cwd: string, name: string): void {
  const path = join(cwd, 'bin', name);
  const target = name === 'node' ? process.execPath : `/usr/bin/${name}`;
  writeFileSync(path, `#!/bin/sh\nexec ${target} "$@"\n`);
  chmodSync(path, 0o755);
}
