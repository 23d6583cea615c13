import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';

const file = (serve = '') => `
${serve}
source:
  test-pattern: { width: 64, height: 48, frames: 20 }
sinks: [discard]
`;
const open = '0.0.0.0:0 is open to the network without a token';

function run(args: readonly string[], serve?: string, env = {}) {
  const cwd = workplace({ 'p.yaml': file(serve) });
  return depthline([...args], { cwd, env });
}

describe.concurrent('depthline run --serve', () => {
  it('says that the port is taken, before anything is opened', async ({ onTestFinished }) => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => {
      taken.close();
    });
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const finished = await run(['run', 'p.yaml', '--serve', `127.0.0.1:${port}`]);
    expect(finished).toMatchObject({ code: 1, stdout: '' });
    expect(finished.stderr).toBe(`serve: port ${port} is in use; set another "port"\n`);
  });

  it('refuses an address that is none, and an empty token', async () => {
    const wrong = await run(['run', 'p.yaml', '--serve', 'everywhere']);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: '--serve everywhere: write it as host:port, such as 127.0.0.1:9464\n',
    });
    const env = { DEPTHLINE_SERVE_TOKEN: '' };
    const empty = await run(['run', 'p.yaml', '--serve', ':0'], undefined, env);
    expect(empty.code).toBe(2);
    expect(empty.stderr).toMatch(/^DEPTHLINE_SERVE_TOKEN must have 8 to 256 ASCII characters/);
  });

  it('warns of an open server, at the check and in the run', async () => {
    const serve = 'serve: { host: 0.0.0.0, port: 0 }';
    const checked = await run(['check', 'p.yaml'], serve);
    expect(checked).toMatchObject({ code: 0, stdout: 'p.yaml: ok\n' });
    expect(checked.stderr).toContain(`p.yaml: serve: warning: ${open}`);
    const ran = await run(['run', 'p.yaml'], serve);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`warning: serve: ${open}`);
    expect(ran.stderr).toMatch(/^serve: metrics and health at http:\/\/0\.0\.0\.0:\d+\/$/m);
    const safe = await run(['check', 'p.yaml'], serve, { DEPTHLINE_SERVE_TOKEN: 'long-enough' });
    expect(safe).toMatchObject({ code: 0, stderr: '' });
  });

  it('opens no port unless asked to', async () => {
    const finished = await run(['run', 'p.yaml']);
    expect(finished.code).toBe(0);
    expect(finished.stderr).not.toContain('serve');
  });
});
