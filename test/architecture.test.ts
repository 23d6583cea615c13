import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { builtins } from '../src/builtins.ts';
import { seconds } from './support/longest-first.ts';

const root = fileURLToPath(new URL('../src/', import.meta.url));

interface SourceFile {
  /** From `src/`: `runtime/runner.ts`. */
  readonly path: string;
  readonly text: string;
  /** Files of ours that it imports, from `src/`. */
  readonly ours: readonly string[];
  /** Packages that it imports. */
  readonly packages: readonly string[];
}

function read(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const pattern = /(?:\bfrom|\bimport|\bimport\(|createRequire\([^)]*\)\()\s*'([^']+)'/g;
  const named = [...text.matchAll(pattern)].map(([, name]) => name as string);
  const packages = named
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
  return {
    path: relative(root, path),
    text,
    ours: named
      .filter((name) => name.startsWith('.'))
      .map((name) => relative(root, join(dirname(path), name))),
    packages,
  };
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join(root, name)));

const folderOf = (path: string) => (path.includes('/') ? (path.split('/')[0] as string) : '.');
const folders = [...new Set(files.map(({ path }) => folderOf(path)))].toSorted();

/** What a folder may import of ours, besides itself. `.` is `index.ts` and its neighbours. */
const layers: Readonly<Record<string, readonly string[]>> = {
  core: [],
  depth: ['core'],
  device: ['core'],
  synthetic: ['core'],
  pipeline: ['core'],
  runtime: ['core', 'pipeline'],
  testing: ['core'],
  topic: ['core', 'depth'],
  nats: ['core', 'topic'],
  imaging: ['core', 'depth'],
  files: ['core', 'depth', 'imaging'],
  stream: ['core'],
  gstreamer: ['core', 'depth', 'files', 'stream'],
  ros: ['core', 'depth', 'imaging'],
  foxglove: ['core', 'http', 'ros'],
  mcap: ['core', 'depth', 'files', 'foxglove', 'imaging', 'ros'],
  inference: ['core', 'depth', 'device', 'imaging', 'stream'],
  ros1: ['core', 'depth', 'http', 'imaging', 'mcap', 'ros', 'topic'],
  stereo: ['core', 'depth'],
  sources: [
    'core',
    'depth',
    'files',
    'gstreamer',
    'imaging',
    'mcap',
    'nats',
    'ros1',
    'stereo',
    'synthetic',
    'topic',
  ],
  filtering: ['core', 'depth'],
  registration: ['core', 'depth'],
  zones: ['core', 'depth'],
  mqtt: ['core'],
  operators: [
    'core',
    'depth',
    'filtering',
    'imaging',
    'inference',
    'registration',
    'runtime',
    'zones',
  ],
  http: ['core'],
  web: ['core', 'depth', 'http'],
  serve: ['core', 'depth', 'device', 'files', 'http', 'imaging', 'pipeline', 'runtime'],
  sinks: [
    'core',
    'depth',
    'files',
    'foxglove',
    'gstreamer',
    'imaging',
    'mcap',
    'mqtt',
    'ros',
    'ros1',
    'nats',
    'topic',
    'web',
    'zones',
  ],
  evaluation: ['core', 'depth', 'files', 'imaging', 'inference', 'runtime'],
  benchmark: ['core', 'depth', 'device', 'files', 'inference', 'pipeline', 'runtime'],
};
/** These put the whole together and may import everything but the command line. */
const assembling = ['.', 'cli'];

/** Native and heavy packages, and the only places that may import them. */
const homes: Readonly<Record<string, RegExp>> = {
  sharp: /^imaging\//,
  'onnxruntime-node': /^(inference|benchmark)\//,
  '@grpc/grpc-js': /^inference\/engines\/kserve\/grpc/,
  '@grpc/proto-loader': /^inference\/engines\/kserve\/grpc/,
  'gstreamer-superficial': /^gstreamer\//,
  zeromq: /^(topic\/|sinks\/zeromq\.ts|sources\/zeromq\.ts)/,
  '@nats-io/transport-node': /^nats\//,
  '@nats-io/jetstream': /^nats\//,
  ws: /^(web|foxglove)\//,
  '@foxglove/ws-protocol': /^foxglove\//,
  protobufjs: /^foxglove\//,
  '@mcap/core': /^mcap\//,
  '@foxglove/ros1': /^ros1\//,
  mqtt: /^mqtt\//,
  '@foxglove/rosbag': /^ros1\//,
  'prom-client': /^serve\//,
};

describe('the layers of src/', () => {
  it.each(folders.filter((folder) => !assembling.includes(folder)))(
    '%s imports only what stands below it',
    (folder) => {
      expect(layers).toHaveProperty(folder);
      const allowed = [folder, ...(layers[folder] ?? [])];
      const wrong = files
        .filter(({ path }) => folderOf(path) === folder)
        .flatMap(({ path, ours }) =>
          ours
            .filter((other) => !allowed.includes(folderOf(other)))
            .map((other) => `${path} imports ${other}`),
        );
      expect(wrong).toEqual([]);
    },
  );

  it('nothing but the command line imports the command line', () => {
    const wrong = files.filter(
      ({ path, ours }) =>
        folderOf(path) !== 'cli' && ours.some((other) => folderOf(other) === 'cli'),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('every import is of a file that exists', () => {
    const known = new Set(files.map(({ path }) => path));
    const wrong = files.flatMap(({ path, ours }) =>
      ours.filter((other) => !known.has(other)).map((other) => `${path} imports ${other}`),
    );
    expect(wrong).toEqual([]);
  });

  it('no file imports itself by way of others', () => {
    const imports = new Map(files.map(({ path, ours }) => [path, ours]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      const at = trail.indexOf(path);
      if (at >= 0) cycles.push([...trail.slice(at), path].join(' -> '));
      if (at >= 0 || done.has(path)) return;
      for (const other of imports.get(path) ?? []) visit(other, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('packages', () => {
  it.each(Object.entries(homes))('%s is imported only at home', (name, home) => {
    const importers = files.filter(({ packages }) => packages.includes(name));
    expect(importers.length).toBeGreaterThan(0);
    expect(importers.map(({ path }) => path).filter((path) => !home.test(path))).toEqual([]);
  });

  it('built-in modules are imported with node:', () => {
    const wrong = files.flatMap(({ path, packages }) =>
      packages.filter((name) => builtinModules.includes(name)).map((name) => `${path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('core, pipeline and runtime', () => {
  // Names that are also words of the contract (a "file", an "image" to "flip") say nothing.
  const names = builtins.names().filter((name) => name.includes('-'));

  it.each(names)('do not know %s', (name) => {
    const wrong = files.filter(
      ({ path, text }) =>
        ['core', 'pipeline', 'runtime'].includes(folderOf(path)) &&
        withoutComments(text).includes(name),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('the command line in one file', () => {
  const script = readFileSync(new URL('../scripts/bundle.mjs', import.meta.url), 'utf8');

  it('shares with the library what a user’s module must have in common with it', () => {
    const identity =
      /^export class \w+ extends (?:\w*Error)\b|\bSymbol\(|^(?:let|const) .*= new (?:Map|Set)</m;
    const needed = files.filter(
      ({ path, text }) => folderOf(path) === 'core' && identity.test(text),
    );
    expect(needed.length).toBeGreaterThan(4);
    for (const { path } of needed) {
      expect(script).toContain(`'${path.replace('core/', '').replace('.ts', '')}',`);
    }
  });

  it('finds the package’s files in one way only, whatever folder a bundle lies in', () => {
    const wrong = files.filter(
      ({ path, text }) =>
        path !== 'core/entry-point.ts' &&
        withoutComments(text)
          .replaceAll('createRequire(import.meta.url)', '')
          .includes('import.meta'),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

describe('the tests', () => {
  const tests = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path, text: readFileSync(new URL(path, import.meta.url), 'utf8') }));

  it('that take longest are there', () => {
    expect(tests.map(({ path }) => path)).toEqual(expect.arrayContaining(Object.keys(seconds)));
  });

  it('give properties the same cases in each run', () => {
    const wrong = tests.filter(({ text }) => /^import .*'fast-check'/m.test(text));
    expect(wrong.map(({ path }) => `${path}: import { fc } from test/support/property.ts`)).toEqual(
      [],
    );
  });
});
