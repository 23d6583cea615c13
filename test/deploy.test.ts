import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageDirectory } from '../src/core/entry-point.ts';

const root = packageDirectory();
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Instructions with their continued lines, without comments. */
function instructions(path: string): { name: string; text: string }[] {
  return read(path)
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', text = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, text };
    });
}

const makefile = read('Makefile').replace(/\\\n/g, ' ');
const packages = (/^packages = (.*)$/m.exec(makefile)?.[1] ?? '').split(/\s+/).filter(Boolean);
/** What only compiling the GStreamer binding needs. */
const forBuilding = /-dev$|^(build-essential|python3|pkg-config)$/;

describe.each([
  'deploy/Dockerfile',
  'deploy/jetson/Dockerfile',
  'deploy/jetson/jetpack4.Dockerfile',
])('%s', (file) => {
  const all = instructions(file);

  it('copies what is there', () => {
    const sources = all
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.trim().split(/\s+/).slice(0, -1));
    expect(sources.length).toBeGreaterThan(8);
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    // Git ignores what a build makes: an image must not depend on it.
    const ignored = spawnSync('git', ['check-ignore', ...sources], { cwd: root, encoding: 'utf8' });
    expect(ignored.stdout).toBe('');
  });

  it('installs and builds by the steps of make', () => {
    const steps = all.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    expect(steps).toContain('make setup');
    expect(steps).toContain('make node_modules/.package-lock.json');
    expect(steps.some((step) => step.startsWith('npm run build &&'))).toBe(true);
    expect(makefile).toMatch(/^setup:$/m);
    expect(makefile).toMatch(/^node_modules\/\.package-lock\.json: /m);
  });

  it('copies each file that the build reads, before it builds', () => {
    const texts = all.map(({ name, text }) => `${name} ${text}`);
    const built = texts.findIndex((text) => text.startsWith('RUN npm run build'));
    const before = texts.slice(0, built).join('\n');
    for (const part of ['tsconfig.build.json', 'src', 'web', 'scripts', 'package.json'])
      expect(before).toMatch(new RegExp(`^COPY (?!--from).*\\b${part}\\b`, 'm'));
  });

  it('copies each folder that a run reads', () => {
    const texts = all.map(({ name, text }) => `${name} ${text}`);
    const last = texts.slice(texts.findLastIndex((text) => text.startsWith('FROM '))).join('\n');
    for (const folder of ['bin', 'engines', 'models', 'pipelines'])
      expect(last).toMatch(new RegExp(`^COPY (?!--from).*\\b${folder}\\b`, 'm'));
  });

  it('does not run as root', () => {
    const [user] = all.filter(({ name }) => name === 'USER').slice(-1);
    expect(user?.text).toMatch(/^(node|depthline)$/);
  });
});

describe('deploy/Dockerfile', () => {
  it('has in the end the packages of make without those for building', () => {
    const text = instructions('deploy/Dockerfile')
      .map((one) => `${one.name} ${one.text}`)
      .join('\n');
    const last = text.slice(text.lastIndexOf('FROM '));
    const list =
      /apt-get install -y --no-install-recommends\s+([\w.+\s-]+?)\s+&&/.exec(last)?.[1] ?? '';
    const wanted = packages.filter((name) => !forBuilding.test(name));
    expect(wanted.length).toBeGreaterThan(4);
    expect(list.split(/\s+/).toSorted()).toEqual(wanted.toSorted());
  });
});

it('deploy/jetson/run-jetpack4.sh passes what is there, and the command to the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docker-'));
  writeFileSync(join(folder, 'docker'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const { stdout, status } = spawnSync(
    join(root, 'deploy/jetson/run-jetpack4.sh'),
    ['run', 'my file.yaml'],
    { encoding: 'utf8', env: { PATH: `${folder}:${process.env.PATH}`, DATA: '/my data' } },
  );
  rmSync(folder, { recursive: true });
  const given = stdout.trimEnd().split('\n');
  expect(status).toBe(0);
  expect(given.slice(0, 5)).toEqual(['run', '--rm', '--init', '--runtime', 'nvidia']);
  expect(given).toContain('/my data:/data');
  expect(given.slice(-3)).toEqual(['depthline:jetpack4', 'run', 'my file.yaml']);
  for (const [at, word] of given.entries())
    if (given[at - 1] === '--device') expect(existsSync(word)).toBe(true);
});

describe('deploy/depthline@.service', () => {
  const unit = read('deploy/depthline@.service');

  it('is valid', () => {
    const path = join(root, 'deploy/depthline@.service');
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('uses options that the command has', () => {
    const help = execFileSync(join(root, 'bin/depthline'), ['run', '--help'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const options = line.match(/--[\w-]+/g) ?? [];
    expect(options).toContain('--serve');
    for (const option of options) expect(help).toContain(option);
  });

  it('lets what the run does work: notifications of a child, SIGHUP, exit codes', () => {
    for (const line of [
      'Type=notify',
      'NotifyAccess=all',
      'ExecReload=/bin/kill -HUP $MAINPID',
      'KillMode=mixed',
      'RestartPreventExitStatus=2',
    ])
      expect(unit).toMatch(new RegExp(`^${line.replace(/[$]/g, '\\$&')}$`, 'm'));
    expect(unit).toMatch(/^WatchdogSec=\d+$/m);
  });
});
