import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { DepthlineError, reason } from '../../core/errors.ts';
import { readable } from '../../core/printable.ts';
import type { Request } from '../protocol.ts';
import type { KServeChoice } from './choice.ts';
import { type DepthEngine, EngineLost, type EngineSetup, FrameLost } from './engine.ts';
import { inputMaker } from './input-tensor.ts';
import { type Answer, KServeClient, NoAnswer, Untrusted } from './kserve-client.ts';
import {
  type DepthAnswer,
  errorText,
  jsonLengthHeader,
  modelProblem,
  parseDepth,
  parseModel,
  requestHead,
  type ServerModel,
} from './kserve-message.ts';
import { serverName } from './kserve-name.ts';

/** Pauses after failures, milliseconds; doubled up to the longest. */
const pauses = { first: 100, longest: 1000 } as const;

/** Bytes of an answer that are not depth. */
const room = 65_536;
/** Of one value of depth where a server answers in JSON. */
const digits = 32;
/** Longest answer while the size of the depth is not known. */
const mostAtFirst = 64 * 1024 * 1024;

/**
 * A network on an inference server. One request at a time for each worker, over a connection of its own.
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
  const { url, authorization } = choice;
  const { signal } = closing;
  const tls = await readTls(choice);
  const client = new KServeClient({ url, authorization, signal, ...(tls && { tls }) });
  try {
    const model = await waitForModel(client, setup);
    const problem = modelProblem(model, setup.manifest);
    if (problem !== undefined) throw misfit(setup, problem);
    const remote = new RemoteModel(client, setup, signal);
    return await remote.start(model);
  } catch (error) {
    client.close();
    throw error;
  }
}

class RemoteModel {
  readonly #client: KServeClient;
  readonly #setup: EngineSetup;
  readonly #choice: KServeChoice;
  readonly #signal: AbortSignal;
  readonly #prepare: (rgb: Uint8Array) => Uint8Array | Uint16Array | Float32Array;
  #head: Buffer | undefined;
  /** Failures without an answer in between. */
  #failures = 0;

  constructor(client: KServeClient, setup: EngineSetup, signal: AbortSignal) {
    this.#client = client;
    this.#setup = setup;
    this.#choice = setup.engine as KServeChoice;
    this.#signal = signal;
    this.#prepare = inputMaker(setup.manifest.input);
  }

  /** The first run shows the output's real size, and warms the server up. */
  async start({ platform }: ServerModel): Promise<DepthEngine> {
    const { input } = this.#setup.manifest;
    const black = new Uint8Array(input.width * input.height * 3);
    const { width, height } = await this.#run(black, this.#choice.startWithinMs, mostAtFirst);
    const depth = new Float32Array(width * height);
    const most = room + depth.length * digits;
    const { deadlineMs } = this.#choice;
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
    const { manifest } = this.#setup;
    const input = this.#prepare(rgb);
    const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    this.#head ??= requestHead(manifest, bytes.length);
    const answer = await this.#ask({
      method: 'POST',
      path: `${modelPath(this.#setup)}/infer`,
      headers: {
        'content-type': 'application/octet-stream',
        [jsonLengthHeader]: this.#head.length,
      },
      parts: [this.#head, bytes],
      ...{ deadlineMs, most },
    });
    this.#requireSuccess(answer);
    this.#failures = 0;
    try {
      return parseDepth(answer.body, answer.headers, manifest);
    } catch (error) {
      throw new EngineLost(this.#says(`gave an answer that ${reason(error)}`));
    }
  }

  async #ask(exchange: Parameters<KServeClient['ask']>[0]): Promise<Answer> {
    try {
      return await this.#client.ask(exchange);
    } catch (error) {
      if (error instanceof NoAnswer) throw this.#lost(error.message);
      throw new EngineLost(this.#says(reason(error)));
    }
  }

  #requireSuccess({ status, body }: Answer): void {
    if (status === 200) return;
    const text = `answered ${status}: ${readable(errorText(body))}`;
    if (isTemporary(status)) throw this.#lost(text);
    throw new Error(this.#says(text));
  }

  #lost(what: string): FrameLost {
    this.#failures++;
    return new FrameLost(this.#says(what));
  }

  #says(what: string): string {
    return `${serverName(this.#choice)} ${what}`;
  }

  /** Gives a server that fails some time, longer with every failure. */
  async #pause(): Promise<void> {
    if (this.#failures === 0) return;
    const ms = Math.min(pauses.longest, pauses.first * 2 ** (this.#failures - 1));
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => {
      throw new FrameLost(this.#says('was not asked, since the run ends'));
    });
  }
}

/** The server as such, or its model, is not there now; anything else is said of the picture. */
function isTemporary(status: number): boolean {
  return status >= 500 || status === 404 || status === 408 || status === 429;
}

async function waitForModel(client: KServeClient, setup: EngineSetup): Promise<ServerModel> {
  const choice = setup.engine as KServeChoice;
  const end = performance.now() + choice.startWithinMs;
  for (let pause: number = pauses.first; ; pause = Math.min(pauses.longest, 2 * pause)) {
    const left = Math.max(1, end - performance.now());
    const outcome = await describe(client, setup, left);
    if (typeof outcome !== 'string') return outcome;
    if (performance.now() + pause > end) {
      const advice = 'start the server, or correct "url" and "model" of kserve';
      throw new DepthlineError('MODEL', `${serverName(choice)} ${outcome}; ${advice}`);
    }
    await sleep(pause);
  }
}

/** What the server says of its model, or why it says nothing. */
async function describe(
  client: KServeClient,
  setup: EngineSetup,
  deadlineMs: number,
): Promise<ServerModel | string> {
  const path = modelPath(setup);
  try {
    const answer = await client.ask({ method: 'GET', path, deadlineMs, most: mostAtFirst });
    const { status, body } = answer;
    if (status === 200) return parseModel(body);
    const text = `answered ${status}: ${readable(errorText(body))}`;
    if (status !== 401 && status !== 403) return text;
    const server = serverName(setup.engine as KServeChoice);
    throw new DepthlineError('CONFIG', `${server} ${text}; set "authorization" of kserve`);
  } catch (error) {
    if (error instanceof DepthlineError) throw error;
    if (error instanceof NoAnswer && !(error instanceof Untrusted)) return error.message;
    const server = serverName(setup.engine as KServeChoice);
    const what = error instanceof Untrusted ? error.message : notServer(reason(error));
    throw new DepthlineError('MODEL', `${server} ${what}`);
  }
}

function notServer(why: string): string {
  return `gave an answer that ${why}; correct "url" of kserve: this is no server of the Open Inference Protocol`;
}

function modelPath({ engine, manifest }: EngineSetup): string {
  const { model = manifest.name, version } = engine as KServeChoice;
  const of = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
  return `v2/models/${encodeURIComponent(model)}${of}`;
}

function misfit({ engine, manifestPath }: EngineSetup, problem: string): DepthlineError {
  const server = serverName(engine as KServeChoice);
  return new DepthlineError(
    'MODEL',
    `the model of ${server} does not fit ${manifestPath}: ${problem}`,
  );
}

async function readTls({ tls }: KServeChoice) {
  if (!tls) return undefined;
  const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map(file));
  return { ca, cert, key };
}

async function file(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new DepthlineError(
      'CONFIG',
      `the file ${path} of kserve cannot be read: ${reason(error)}`,
    );
  }
}
