import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import type { Sink } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import { web } from '../../src/sinks/web.ts';
import { protocol, tokenPrefix, unpackLive } from '../../src/web/live-message.ts';
import { type TestContext, testContext } from './context.ts';

const contexts: TestContext[] = [];
const sockets: WebSocket[] = [];

/** Closes what a test has opened. */
export async function closeAll(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const context of contexts.splice(0)) await context.close();
}

export interface Opened {
  readonly sink: Sink;
  readonly context: TestContext;
  readonly address: string;
}

/** A `web` sink on a free port. */
export async function openWeb(
  options: object = {},
  overrides: Partial<ComponentContext> = {},
): Promise<Opened> {
  const context = testContext(overrides);
  contexts.push(context);
  const sink = (await web.create(web.options.parse({ port: 0, ...options }), context)) as Sink;
  return { sink, context, address: context.report().address as string };
}

export interface Page {
  readonly socket: WebSocket;
  /** The `seq` of each frame that came. */
  readonly seqs: number[];
  readonly texts: Record<string, unknown>[];
}

export interface PageOptions {
  readonly origin?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Says that each frame is shown. Default: true. */
  readonly shows?: boolean;
}

/** A page that is not in a browser. */
export function connect(
  address: string,
  { origin, token, headers, shows = true }: PageOptions = {},
): Page {
  const offered =
    token === undefined ? [] : [tokenPrefix + Buffer.from(token).toString('base64url')];
  const socket = new WebSocket(`${address.replace('http', 'ws')}live`, [protocol, ...offered], {
    origin: origin ?? address.slice(0, -1),
    ...(headers && { headers }),
  });
  socket.on('error', () => {});
  sockets.push(socket);
  const page: Page = { socket, seqs: [], texts: [] };
  socket.on('message', (data: Buffer, binary) => {
    if (!binary) {
      page.texts.push(JSON.parse(data.toString()));
      return;
    }
    const { seq } = unpackLive(Uint8Array.from(data).buffer).header;
    page.seqs.push(seq);
    if (shows) socket.send(JSON.stringify({ type: 'shown', seq }));
  });
  return page;
}

/** The same, once the server knows that it watches. */
export async function watch(opened: Pick<Opened, 'address'>, options?: PageOptions): Promise<Page> {
  const page = connect(opened.address, options);
  await once(page.socket, 'open');
  page.socket.send(JSON.stringify({ type: 'watch', watching: true }));
  // Messages are taken in order, so this one has been too.
  page.socket.ping();
  await once(page.socket, 'pong');
  return page;
}

/** Whether a page watches, as far as the server knows. */
export function isWanted({ sink }: Pick<Opened, 'sink'>): boolean | undefined {
  let last: boolean | undefined;
  sink.wanted
    ?.subscribe((wanted) => {
      last = wanted;
    })
    .unsubscribe();
  return last;
}

/** Status of the refused connection. */
export async function refusal(page: Page): Promise<number | undefined> {
  const [, response] = await once(page.socket, 'unexpected-response');
  return response.statusCode;
}

export function get(
  address: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
) {
  return new Promise<{ status: number | undefined; headers: object; body: string }>(
    (resolve, reject) => {
      const asked = request(address, { headers, method }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => {
          body += text;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body }),
        );
      });
      asked.on('error', reject).end();
    },
  );
}
