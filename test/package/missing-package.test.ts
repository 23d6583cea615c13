import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { type Finished, startProcess, workplace } from '../support/cli.ts';

/** A copy of the installed Depthline whose dependency `missing` was not installed. */
function installedWithout(missing: string): (args: readonly string[]) => Promise<Finished> {
  const root = packageDirectory();
  const folder = workplace();
  for (const name of ['bin', 'dist', 'package.json', 'models', 'pipelines']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === missing || name.startsWith('.')) continue;
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  writeFileSync(
    join(folder, 'p.yaml'),
    'source: { test-pattern: { width: 64, height: 48, frames: 2 } }\noperators: [estimate-depth]\nsinks:\n  - zeromq: { bind: "tcp://127.0.0.1:*" }\n  - file: { directory: out, format: png16 }\n',
  );
  writeFileSync(
    join(folder, 'pattern.yaml'),
    'source: { test-pattern: { width: 64, height: 48, frames: 2 } }\nsinks: [discard]\n',
  );
  return (args) => startProcess(join(folder, 'bin/depthline'), args, { cwd: folder }).finished;
}

describe.concurrent.each([
  ['onnxruntime-node', 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node'],
  ['sharp', 'npm install sharp'],
  ['zeromq', 'npm install zeromq'],
  ['gstreamer-superficial', 'npm rebuild gstreamer-superficial'],
])('without %s', (name, advice) => {
  it.concurrent('a run says in one line how to install it', async () => {
    const depthline = installedWithout(name);
    const { code, stderr } = await depthline(['run', 'p.yaml', '--stats', 'none']);
    expect(stderr).toContain(name);
    expect(stderr).toContain(advice);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });
});

it('commands without inference work without onnxruntime-node', async () => {
  const depthline = installedWithout('onnxruntime-node');
  const listed = await depthline(['list']);
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect((await depthline(['check', 'pattern.yaml'])).code).toBe(0);
  // A run of this one would fail, so the check does.
  const { code, stdout, stderr } = await depthline(['check', 'p.yaml']);
  expect(stdout + stderr).toMatch(/p\.yaml:2:\d+: .*npm install onnxruntime-node/);
  expect(code).toBe(2);
  const doctor = await depthline(['doctor']);
  expect(doctor.stdout).toMatch(/^missing +ONNX Runtime +.*npm install onnxruntime-node/m);
});
