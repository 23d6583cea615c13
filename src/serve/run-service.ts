import type { ServeOptions } from '../pipeline/serve-options.ts';
import type { Run } from '../runtime/run-handle.ts';
import { type Health, readiness } from './run-health.ts';
import { RunMetrics, type Versions } from './run-metrics.ts';
import { type Asked, type Route, RunServer } from './run-server.ts';

export interface RunServiceOptions extends ServeOptions {
  readonly versions: Versions;
  readonly warn: (message: string) => void;
}

/**
 * What `--serve` serves of a run: metrics and health. More routes can be added.
 *
 * ```ts
 * const service = await RunService.open(options);       // answers from now on: 503, starting
 * const run = await startPipeline(pipeline, { observer: service.observer });
 * service.attach(run);                                   // again for a run that replaces it
 * service.add({ method: 'POST', path: '/pause', handle });
 * await service.close();
 * ```
 */
export class RunService {
  /** For `RunOptions.observer`. */
  readonly observer: RunMetrics;
  readonly #server: RunServer;
  #run: Run | undefined;

  private constructor(server: RunServer, observer: RunMetrics) {
    this.#server = server;
    this.observer = observer;
    const answer = ({ ok, why }: Health, { trusted }: Asked) => ({
      status: ok ? 200 : 503,
      // Reasons name devices and addresses, which are for those with the token.
      body: `${trusted ? why : ok ? 'ok' : 'not ok'}\n`,
    });
    server.add({
      method: 'GET',
      path: '/healthz',
      access: 'anyone',
      handle: (asked) => answer(this.live(), asked),
    });
    server.add({
      method: 'GET',
      path: '/readyz',
      access: 'anyone',
      handle: (asked) => answer(this.ready(), asked),
    });
    server.add({
      method: 'GET',
      path: '/metrics',
      handle: async () => ({
        status: 200,
        type: observer.contentType,
        body: await observer.render(
          () => this.#run?.stats(),
          () => this.ready().ok,
        ),
      }),
    });
  }

  /** @throws DepthlineError `SERVE` if the port is taken or the host is not of this machine */
  static async open({ versions, ...options }: RunServiceOptions): Promise<RunService> {
    const server = await RunServer.open(options);
    return new RunService(server, new RunMetrics(versions));
  }

  /** With the port that was taken: `http://127.0.0.1:9464/`. */
  get address(): string {
    return this.#server.address;
  }

  /** The run that is served from now on. */
  attach(run: Run): void {
    if (this.#run) this.observer.reset();
    this.#run = run;
  }

  add(route: Route): void {
    this.#server.add(route);
  }

  /** Whether frames flow, and if not, why: `/readyz`. */
  ready(): Health {
    return readiness(this.#run);
  }

  /** Whether the run is worth keeping: `/healthz`. A main thread that hangs does not answer at all. */
  live(): Health {
    return { ok: true, why: this.#run ? 'running' : 'starting' };
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
