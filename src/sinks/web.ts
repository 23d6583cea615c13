import { z } from 'zod';
import { ageMs } from '../core/clock.ts';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { listenHost, listenPort } from '../core/listen-options.ts';
import { isLoopback } from '../core/loopback.ts';
import { LiveFrame } from '../web/live-frame.ts';

const originText =
  'must be scheme, host and port of a page and nothing after them, such as https://robot.example';
/** How long a request may take to arrive, milliseconds. */
const requestMs = 5000;

const options = z.strictObject({
  port: listenPort(8080, 'of the page'),
  host: listenHost(),
  token: z
    .string()
    .min(8)
    .max(256)
    .optional()
    .describe('secret that the page asks for before it shows anything'),
  origins: z
    .array(
      z
        .url({ protocol: /^https?$/, error: originText })
        .refine((origin) => URL.canParse(origin) && new URL(origin).origin === origin, {
          error: originText,
        }),
    )
    .max(32)
    .default([])
    .describe(
      'addresses of the page behind a proxy, such as "https://robot.example"; the server also answers to their names',
    ),
  title: z.string().max(200).default('Depthline').describe('title of the page'),
  'jpeg-quality': z.int().min(1).max(100).default(80).describe('quality of the picture'),
  clients: z.int().min(1).max(256).default(16).describe('pages that may be open at a time'),
  demand: z
    .enum(['always', 'viewers'])
    .default('viewers')
    .describe(
      'viewers: while no page is watching, and no other sink wants frames, nothing is captured or computed',
    ),
});

type Options = z.output<typeof options>;

/**
 * Shows depth and its picture in a browser. Depth arrives in whole millimetres, without loss. A page
 * that is too slow gets fewer frames, always the newest; nobody else notices. A frame counts as
 * delivered once each page that was ready for it has been sent it.
 */
export const web = defineSink({
  name: 'web',
  summary: 'Shows depth and its picture live on a web page, with the distance under the cursor.',
  accepts: ['depth', 'image'],
  shared: true,
  options,
  examples: [
    { port: 8080 },
    { host: '0.0.0.0', port: 8080, token: 'change-this-token', title: 'Front camera' },
    { port: 8080, token: 'change-this-token', origins: ['https://robot.example'] },
  ],
  claims: ({ host, port }) =>
    port === 0 ? [] : [{ what: `port ${port}`, at: host, option: 'port' }],
  warnings,
  create: (options, context) => open(options, context),
});

function warnings({ host, port, token }: Options): string[] {
  if (isLoopback(host) || token !== undefined) return [];
  return [
    `${host}:${port} is open to the network without a token; set token, or leave host out and use ssh -L`,
  ];
}

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const [{ LiveServer }, { encodeJpeg }] = await Promise.all([
    import('../web/live-server.ts'),
    import('../imaging/encode.ts'),
  ]);
  const { clock, log } = context;
  const server = await LiveServer.open({
    ...options,
    requestMs,
    clock,
    cameras: context.cameras,
    stats: () => context.runStats(),
    warn: (message) => log.warn(message),
  });
  context.defer(() => server.close());
  for (const warning of warnings(options)) log.warn(warning);
  log.info(`live view at ${server.addresses.join(' and ')}`);
  context.signal.addEventListener('abort', () => void server.close(), { once: true });

  const encodePicture = (image: ImageFrame) => encodeJpeg(image, options['jpeg-quality']);
  const age = (frame: DepthFrame | ImageFrame) => ageMs(clock, frame);
  let frames = 0;
  context.summary(() => ({ address: server.address, frames, ...server.counts }));
  return {
    ...(options.demand === 'viewers' && {
      wanted: server.wanted,
      wantedOf: (camera) => server.wantedOf(camera),
    }),
    async write(frame) {
      await server.show(new LiveFrame(frame as DepthFrame | ImageFrame, encodePicture, age));
      frames++;
    },
  };
}
