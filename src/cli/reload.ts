import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../core/component-context.ts';
import { reason } from '../core/errors.ts';
import type { AnyPipeline } from '../pipeline/cameras.ts';
import { formatProblems, type Loaded } from '../pipeline/pipeline-file.ts';
import type { FailedCamera, Supervisor } from '../runtime/supervisor.ts';
import type { Reloaded } from '../serve/command-routes.ts';

export interface ReloaderParts {
  /** The file as the run was started with it. */
  readonly first: Loaded;
  /** Reads the file again. */
  read(): Promise<Loaded>;
  /** Adds what the command line asks for; throws a DepthlineError if that does not fit the pipeline. */
  prepare(pipeline: AnyPipeline): AnyPipeline;
  /** Nothing while the first run opens its components. */
  supervisor(): Supervisor | undefined;
  readonly log: Logger;
  onBegin(): void;
  onEnd(): void;
}

/** Reads the pipeline file of a run again, one request at a time, and changes the run to what it says. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #modules: Promise<ReadonlyMap<string, number>>;
  #busy = false;
  /** A signal came that has not been followed. */
  #asked = false;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#modules = timesOf(parts.first.modules);
  }

  /** SIGHUP. What cannot be done now is done when it can, once. */
  hangup(): void {
    this.#asked = true;
    void this.#follow();
  }

  async reload(restart: boolean): Promise<Reloaded> {
    const { supervisor, onBegin, onEnd, log } = this.#parts;
    if (this.#busy) return { result: 'refused', why: 'a reload is in progress' };
    const current = supervisor();
    if (!current) return { result: 'refused', why: 'components are opening' };
    this.#busy = true;
    onBegin();
    try {
      const reloaded = await this.#reload(current, restart);
      report(reloaded, log);
      return reloaded;
    } finally {
      this.#busy = false;
      onEnd();
      void this.#follow();
    }
  }

  async #follow(): Promise<void> {
    if (!this.#asked || this.#busy || !this.#parts.supervisor()) return;
    this.#asked = false;
    await this.reload(false).catch((error: unknown) => {
      this.#parts.log.warn(`reload: ${reason(error)}`);
    });
  }

  async #reload(current: Supervisor, restart: boolean): Promise<Reloaded> {
    const loaded = await this.#parts.read();
    const read = loaded.cameras ?? loaded.pipeline;
    if (!read) return { result: 'invalid', problems: loaded.problems };
    let pipeline: AnyPipeline;
    try {
      pipeline = this.#parts.prepare(read);
    } catch (error) {
      return { result: 'refused', why: reason(error) };
    }
    const later = await this.#later(loaded);
    const replaced = await current.replace(pipeline, { restart });
    return { ...replaced, ...(later.length > 0 && { later }) };
  }

  /** What neither a change nor a restart within the process can take up. */
  async #later({ serve, modules }: Loaded): Promise<string[]> {
    const before = await this.#modules;
    const now = await timesOf(modules);
    const changed = [...now].filter(([path, time]) => (before.get(path) ?? time) !== time);
    const again = 'when the command is started again';
    return [
      ...changed.map(([path]) => `use: the code of ${path} has changed; it is loaded ${again}`),
      ...(isDeepStrictEqual(serve, this.#parts.first.serve)
        ? []
        : [`serve: its changes take effect ${again}`]),
    ];
  }
}

/** When each file was last changed, milliseconds. */
async function timesOf(paths: readonly string[]): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const path of paths) {
    const time = await stat(path)
      .then(({ mtimeMs }) => mtimeMs)
      .catch(() => undefined);
    if (time !== undefined) times.set(path, time);
  }
  return times;
}

/** Why a camera has failed, the run has said itself. */
function reportRestart(failed: readonly FailedCamera[], log: Logger): void {
  const names = failed.map(({ camera }) => camera).join(', ');
  if (failed.length === 0) log.info('reload: restarted');
  else log.warn(`reload: restarted without ${failed.length === 1 ? 'camera' : 'cameras'} ${names}`);
}

function report(reloaded: Reloaded, log: Logger): void {
  const each = (lines: readonly string[], say: (line: string) => void) => {
    for (const line of lines) say(`reload: ${line}`);
  };
  switch (reloaded.result) {
    case 'unchanged':
      log.info('reload: nothing has changed');
      break;
    case 'changed':
      each(reloaded.changed, (line) => log.info(line));
      break;
    case 'restarted':
      each(reloaded.changed, (line) => log.info(line));
      reportRestart(reloaded.failed ?? [], log);
      break;
    case 'needs-restart':
      each(reloaded.restart, (line) => log.warn(`${line}; needs a restart`));
      log.warn('reload: nothing has changed; POST /reload?restart=1 restarts the run');
      break;
    case 'invalid':
      each(formatProblems(reloaded.problems).split('\n'), (line) => log.warn(line));
      log.warn('reload: the file has mistakes; nothing has changed');
      break;
    case 'reverted':
      log.warn(`reload: the new pipeline did not start: ${reloaded.why}`);
      log.warn('reload: the pipeline before runs again');
      break;
    case 'refused':
      log.warn(`reload: refused: ${reloaded.why}`);
  }
  each(reloaded.later ?? [], (line) => log.warn(line));
}
