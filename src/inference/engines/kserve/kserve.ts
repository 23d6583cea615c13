import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { DepthlineError, reason } from '../../../core/errors.ts';
import { readable } from '../../../core/printable.ts';
import { noteSecrets } from '../../../core/secrets.ts';
import type { Request } from '../../protocol.ts';
import type { KServeChoice } from '../choice.ts';
import { type DepthEngine, EngineLost, type EngineSetup, FrameLost } from '../engine.ts';
import { inputMaker } from '../input-tensor.ts';
import { closedConnection } from './agreement.ts';
import { type ClientSetup, type ModelClient, mostAtFirst, room } from './client.ts';
import { BadAnswer, Late, NoAgreement, NoAnswer, Refused } from './failures.ts';
import { isGrpc, serverName } from './server-name.ts';
import { type DepthAnswer, modelProblem, type ServerModel } from './tensors.ts';
import { readTls } from './tls-files.ts';

/** Pauses after failures, milliseconds; doubled up to the longest. */
const pauses = { first: 100, longest: 1000 } as const;

/** Of one value of depth where a server answers in JSON, bytes. */
const digits = 32;

/**
 * A network on an inference server, over HTTP or gRPC. One request at a time for each worker, over a connection of
 * its own.
 *
 * @throws DepthlineError `MODEL` if the server is not there in time, or its model is another; `CONFIG` if it
 *   refuses the credentials
 */
export async function open(setup: EngineSetup): Promise<DepthEngine> {
  const choice = setup.engine as KServeChoice;
  const closing = new AbortController();
  parentPort?.on('message', ({ type }: Request) => {
    if (type === 'close') closing.abort();
  });
  const { signal } = closing;
  // Each thread knows its own: what a server says is shortened here.
  noteSecrets(choice);
  const tls = await readTls(choice);
  const client = await openClient({ choice, manifest: setup.manifest, tls, signal });
  try {
    const model = await waitForModel(client, choice);
    const problem = modelProblem(model, setup.manifest);
    if (problem !== undefined) throw misfit(setup, problem);
    return await new RemoteModel(client, setup, signal).start(model);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Only the transport that is used is loaded. */
async function openClient(setup: ClientSetup): Promise<ModelClient> {
  const { open } = await (isGrpc(setup.choice) ? import('./grpc.ts') : import('./http.ts'));
  return open(setup);
}

class RemoteModel {
  readonly #client: ModelClient;
  readonly #choice: KServeChoice;
  readonly #black: Uint8Array;
  readonly #signal: AbortSignal;
  readonly #prepare: (rgb: Uint8Array) => Uint8Array | Uint16Array | Float32Array;
  /** Failures without an answer in between. */
  #failures = 0;

  constructor(client: ModelClient, { engine, manifest }: EngineSetup, signal: AbortSignal) {
    const { input } = manifest;
    this.#client = client;
    this.#choice = engine as KServeChoice;
    this.#black = new Uint8Array(input.width * input.height * 3);
    this.#signal = signal;
    this.#prepare = inputMaker(input);
  }

  /** The first run shows the output's real size, and warms the server up. */
  async start({ platform }: ServerModel): Promise<DepthEngine> {
    const { startWithinMs, deadlineMs } = this.#choice;
    const { width, height } = await this.#run(this.#black, startWithinMs, mostAtFirst);
    const depth = new Float32Array(width * height);
    const most = room + depth.length * digits;
    return {
      width,
      height,
      description: `${serverName(this.#choice)}${platform === '' ? '' : ` (${readable(platform)})`}`,
      infer: async (rgb) => {
        await this.#pause();
        const answer = await this.#run(rgb, deadlineMs, most);
        if (answer.width !== width || answer.height !== height) {
          throw new EngineLost(
            `gave depth of ${answer.width}×${answer.height} instead of ${width}×${height}`,
          );
        }
        answer.copyTo(depth);
        return depth;
      },
      close: async () => this.#client.close(),
    };
  }

  async #run(rgb: Uint8Array, deadlineMs: number, most: number): Promise<DepthAnswer> {
    const { buffer, byteOffset, byteLength } = this.#prepare(rgb);
    const input = new Uint8Array(buffer, byteOffset, byteLength);
    try {
      const answer = await this.#client.infer(input, deadlineMs, most);
      this.#failures = 0;
      return answer;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): Error {
    const text = `${serverName(this.#choice)} ${readable(wordsOf(error))}`;
    const isAway = error instanceof NoAnswer;
    const isRefusal = error instanceof Refused;
    if (isAway || (isRefusal && error.blame === 'server')) {
      this.#failures++;
      return new FrameLost(text);
    }
    return isRefusal ? new Error(text) : new EngineLost(text);
  }

  /** Gives a server that fails some time, longer with every failure. */
  async #pause(): Promise<void> {
    if (this.#failures === 0) return;
    const ms = Math.min(pauses.longest, pauses.first * 2 ** (this.#failures - 1));
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => {
      throw new FrameLost(`${serverName(this.#choice)} was not asked, since the run ends`);
    });
  }
}

/** Asks until the server says what its model is. */
async function waitForModel(client: ModelClient, choice: KServeChoice): Promise<ServerModel> {
  const server = serverName(choice);
  const end = performance.now() + choice.startWithinMs;
  let earlier: Error | undefined;
  for (let pause: number = pauses.first; ; pause = Math.min(pauses.longest, 2 * pause)) {
    try {
      return await client.describe(Math.max(1, end - performance.now()));
    } catch (error) {
      // What was left of the time may have been too short for an answer.
      const why = error instanceof Late ? (earlier ?? error) : error;
      const text = `${server} ${readable(wordsOf(why))}`;
      if (error instanceof Refused && error.blame === 'credentials') {
        throw new DepthlineError('CONFIG', `${text}; set "authorization" of kserve`);
      }
      if (error instanceof NoAgreement) throw new DepthlineError('MODEL', text);
      if (!(error instanceof NoAnswer || error instanceof Refused)) {
        const advice = 'correct "url" of kserve: this is no server of the Open Inference Protocol';
        throw new DepthlineError('MODEL', `${text}; ${advice}`);
      }
      if (performance.now() + pause > end) {
        throw new DepthlineError('MODEL', `${text}; ${adviceFor(why as Error, choice)}`);
      }
      earlier = why as Error;
    }
    await sleep(pause);
  }
}

/** What to do about a server that is not there. */
function adviceFor(error: Error, { url }: KServeChoice): string {
  const { protocol } = new URL(url);
  // A server that speaks TLS says nothing to one that does not.
  if (error.message === closedConnection && !protocol.endsWith('s:')) {
    return `if it speaks TLS, write ${protocol.replace(':', 's:')}// in "url"`;
  }
  return 'start the server, or correct "url" and "model" of kserve';
}

/** What the server did, after its name. */
function wordsOf(error: unknown): string {
  const said = reason(error);
  return error instanceof BadAnswer ? `gave an answer that ${said}` : said;
}

function misfit({ engine, manifestPath }: EngineSetup, problem: string): DepthlineError {
  const server = serverName(engine as KServeChoice);
  const message = `the model of ${server} does not fit ${manifestPath}: ${problem}`;
  return new DepthlineError('MODEL', message);
}
