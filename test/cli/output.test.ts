import { describe, expect, it } from 'vitest';
import { bin, type Finished, startProcess, workplace } from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';

const cwd = () =>
  workplace({
    'p.yaml': 'source: { test-pattern: { width: 64, height: 48, frames: 5 } }\nsinks: [discard]\n',
    'live.yaml':
      'source: { test-pattern: { width: 64, height: 48, fps: 30, realtime: true } }\nsinks: [discard]\n',
  });

function shell(command: string): Promise<Finished> {
  return startProcess('bash', ['-c', command.replaceAll('depthline', `"${bin}"`)], { cwd: cwd() })
    .finished;
}

describe.concurrent('output that cannot be written', () => {
  it.each([
    'list',
    'list --json',
    'check p.yaml',
    'plan p.yaml',
    'describe resize',
    'schema',
    '--help',
    '--version',
    'run p.yaml',
    'run p.yaml --stats json',
  ])('%s > /dev/full says so once and exits with 1', async (command) => {
    expect(await shell(`depthline ${command} > /dev/full`)).toMatchObject({
      code: 1,
      stderr: 'cannot write to standard output: no space left on device\n',
    });
  });

  it.each(['2> /dev/full', '2>&-'])('a run goes on with %s', async (redirection) => {
    const command = `depthline run live.yaml --duration 6 ${redirection}`;
    const { code, stdout } = await shell(command);
    expect(code).toBe(0);
    // The first status line comes after five seconds.
    expect(stdout).toMatch(/^live: \d+ frames captured in [\d.]+ s/);
  });

  it('a run goes on when the reader of standard error has gone', async () => {
    const { code, stdout } = await shell(
      'exec 3> >(true); wait $!; depthline run live.yaml --duration 6 2>&3',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^live: \d+ frames captured in [\d.]+ s/);
  });
});

describe.concurrent('a SIGHUP', () => {
  const running = async (command: string) => {
    const run = startProcess('bash', ['-c', `exec ${command}`], { cwd: cwd() });
    await until(() => run.stdout.includes('"type":"stats"'));
    run.child.kill('SIGHUP');
    return run;
  };

  it('does not end what nohup has started', async () => {
    const run = await running(`nohup "${bin}" run live.yaml --stats json`);
    const before = run.stdout.split('\n').length;
    await until(() => run.stdout.split('\n').length > before + 1);
    expect(run.stdout).not.toContain('"type":"summary"');
    run.child.kill('SIGTERM');
    expect((await run.finished).code).toBe(0);
  });

  it('ends any other run in order', async () => {
    const run = await running(`"${bin}" run live.yaml --stats json`);
    const { code, stdout } = await run.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('"type":"summary"');
  });
});
