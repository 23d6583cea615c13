import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What runs a launch line through the network, and publishes depth to an endpoint that the caller binds. */
export interface Task {
  /** The source, as in a pipeline file. */
  readonly source: string;
  /** Its launch line up to packed RGB. */
  readonly launch: string;
  readonly live: boolean;
  readonly workers: number;
  readonly endpoint: string;
}

/** A program that is compared. */
export interface Contestant {
  readonly name: string;
  command(task: Task): readonly [file: string, ...args: string[]];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = join(root, 'models/fastdepth.onnx');
const program = join(root, 'bin/depthline');
const pipeline = join(root, 'bench/peers/pipeline.yaml');
const cache = join(root, 'node_modules/.cache/depthline-bench');

/** Depthline itself, through its command line. */
const depthline: Contestant = {
  name: 'Depthline',
  command: ({ source, workers, endpoint }) => [
    program,
    ...['run', pipeline, '--stats', 'json', '--set', `source=${source}`],
    ...['--set', `operators.estimate-depth.workers=${workers}`],
    ...['--set', `sinks.zeromq.connect=${endpoint}`],
  ],
};

/** The launch line that Depthline makes of a source, without its sink. */
export function launchOf(source: string): string {
  const plan = run(program, ['plan', pipeline, '--set', `source=${source}`]);
  const line = /^launch +(.*)$/m.exec(plan)?.[1] ?? '';
  const rgb = 'video/x-raw,format=RGB';
  return line.slice(0, line.lastIndexOf(rgb) + rgb.length);
}

function peer(name: string, file: string, args: readonly string[] = []): Contestant {
  return {
    name,
    command: ({ launch, live, workers, endpoint }) => [
      file,
      ...args,
      ...['--launch', launch, '--model', model, '--endpoint', endpoint],
      ...['--workers', String(workers), '--live', live ? '1' : '0'],
    ],
  };
}

/** Depthline and the peers that can be had here; `missing` says why one cannot. */
export function contestants(missing: (text: string) => void): Contestant[] {
  const found = [depthline];
  try {
    found.push(peer('C++', build()));
  } catch (error) {
    missing(
      `no peer in C++: install g++, pkg-config, libzmq3-dev and libgstreamer-plugins-base1.0-dev (${firstLine(error)})`,
    );
  }
  const python = pythons.find(hasPackages);
  if (python) found.push(peer('Python', python, [join(root, 'bench/peers/peer.py')]));
  else
    missing(
      'no peer in Python: install python3-gi, and numpy, pyzmq and onnxruntime for the same Python, and name it in PYTHON',
    );
  return found;
}

/** Compiles the peer in C++, unless the same source was compiled before. */
function build(): string {
  const source = join(root, 'bench/peers/peer.cpp');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const built = join(cache, `peer-${hash}`);
  if (existsSync(built)) return built;
  mkdirSync(cache, { recursive: true });
  const flags = run('pkg-config', ['--cflags', '--libs', 'gstreamer-app-1.0', 'libzmq'])
    .trim()
    .split(/\s+/);
  const library = join(
    root,
    `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
  );
  const rpath = `-Wl,-rpath,${dirname(library)}`;
  run('g++', [
    '-std=c++17',
    '-O2',
    '-o',
    `${built}.new`,
    source,
    library,
    rpath,
    ...flags,
    '-lpthread',
  ]);
  renameSync(`${built}.new`, built);
  return built;
}

const pythons = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(
  (path) => path !== undefined,
);

function hasPackages(python: string): boolean {
  try {
    run(python, ['-c', 'import gi, numpy, onnxruntime, zmq']);
    return true;
  } catch {
    return false;
  }
}

/** A video of 1280×720 in H.264, made once. */
export function video(frames: number): string {
  const path = join(cache, `720p-${frames}.mp4`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const line = `videotestsrc pattern=ball num-buffers=${frames} ! video/x-raw,width=1280,height=720,framerate=30/1 ! x264enc speed-preset=veryfast ! mp4mux ! filesink location=${path}.new`;
  run('gst-launch-1.0', ['-q', ...line.split(' ')]);
  renameSync(`${path}.new`, path);
  return path;
}

function run(file: string, args: readonly string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function firstLine(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return (stderr.trim() || message).split('\n')[0] as string;
}
