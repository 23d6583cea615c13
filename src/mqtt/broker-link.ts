import { readFile } from 'node:fs/promises';
import type { MqttClient } from 'mqtt';
import type { Logger } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { unlessAborted } from '../core/unless-aborted.ts';
import { urlParts } from '../core/url-parts.ts';
import type { BrokerOptions } from './broker-options.ts';

/** How often a lost broker is tried again, milliseconds. */
const retryMs = 1000;
/** How long the last messages may take when a run ends, milliseconds. */
const closeMs = 1000;

export interface LinkOptions extends BrokerOptions {
  readonly baseDirectory: string;
  /** Topic that says `online` or `offline`, kept by the broker. */
  readonly status: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * A connection to an MQTT broker. The broker says `offline` when it is lost. A broker that goes away is
 * tried again for ever; what was not acknowledged is sent again then.
 */
export class BrokerLink {
  readonly #client: MqttClient;
  readonly #options: LinkOptions;
  #closing = false;

  private constructor(client: MqttClient, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** @throws DepthlineError `SINK` if the broker does not answer or refuses */
  static async open(options: LinkOptions): Promise<BrokerLink> {
    const { connect } = (await import('mqtt')).default;
    const { url, baseDirectory, ca, status } = options;
    const address = new URL(url);
    const { user, password } = urlParts(url);
    const given = {
      username: options.username ?? (user === '' ? undefined : decodeURIComponent(user)),
      password: options.password ?? (password === '' ? undefined : decodeURIComponent(password)),
    };
    address.username = '';
    address.password = '';
    const authority = ca === undefined ? undefined : await readFile(resolvePath(baseDirectory, ca));
    const client = connect(address.href, {
      ...(given.username !== undefined && { username: given.username }),
      ...(given.password !== undefined && { password: given.password }),
      ...(options['client-id'] !== undefined && { clientId: options['client-id'] }),
      ...(authority && { ca: authority }),
      connectTimeout: options['connect-within'],
      reconnectPeriod: retryMs,
      // Errors of the first connection end the start.
      reconnectOnConnackError: true,
      will: { topic: status, payload: Buffer.from('offline'), qos: 1, retain: true },
    });
    const link = new BrokerLink(client, options);
    try {
      await unlessAborted(connected(client, options['connect-within']), options.signal);
    } catch (error) {
      client.on('error', () => {});
      client.end(true);
      options.signal.throwIfAborted();
      throw unreachable(address, error);
    }
    link.#watch();
    return link;
  }

  /** Calls back now and whenever the broker is back, which may have forgotten everything. */
  onConnected(callback: () => void): void {
    this.#client.on('connect', callback);
    callback();
  }

  /** Resolves when the broker has acknowledged the message, or, at QoS 0, when it was handed to the network. */
  async publish(
    topic: string,
    payload: string,
    { qos, retain }: { qos: 0 | 1 | 2; retain: boolean },
  ): Promise<void> {
    const sent = this.#client.publishAsync(topic, payload, { qos, retain });
    await unlessAborted(sent, this.#options.signal);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const client = this.#client;
    const cut = !client.connected || this.#options.signal.aborted;
    if (!cut) {
      const { status } = this.#options;
      const said = client.publishAsync(status, 'offline', { qos: 1, retain: true });
      await Promise.race([said.catch(() => {}), pause(closeMs)]);
    }
    // Cut off, the broker says it.
    await Promise.race([client.endAsync(cut), pause(closeMs)]);
  }

  #watch(): void {
    const { log, url } = this.#options;
    const { host } = new URL(url);
    let away = false;
    let why = '';
    this.#client.on('error', (error) => {
      why = reasonOf(error);
    });
    this.#client.on('close', () => {
      if (away || this.#closing) return;
      away = true;
      log.warn(
        `has lost the MQTT broker at ${host}${why === '' ? '' : `: ${why}`}; it is tried again every second`,
      );
    });
    this.#client.on('connect', () => {
      if (away) log.info(`the MQTT broker at ${host} is back`);
      away = false;
      why = '';
    });
  }
}

/** Resolves with the first connection, rejects with whatever comes instead. */
function connected(client: MqttClient, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      client.off('connect', onConnect).off('error', onError).off('close', onClose);
      done();
    };
    const onConnect = () => settle(resolve);
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error('it closed the connection')));
    client.once('connect', onConnect).once('error', onError).once('close', onClose);
  });
}

function unreachable({ protocol, host }: URL, error: unknown): DepthlineError {
  const address = `${protocol}//${host}`;
  const why = reasonOf(error);
  const refused = /not authori[sz]ed|bad user ?name/i.test(why);
  const message = refused
    ? `the MQTT broker at ${address} refuses this client (${why}): set username and password`
    : `no MQTT broker can be reached at ${address} (${why}): start it, or correct "url"`;
  return new DepthlineError('SINK', message, { cause: error });
}

/** An error of several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  return reason(error);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
