import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import { duration } from '../core/units.ts';
import { userinfoProblem } from '../core/url-parts.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { quote } from '../gstreamer/launch-line.ts';

const options = z.strictObject({
  url: z
    .string()
    .regex(/^rtsps?:\/\/./, { error: 'must begin with rtsp:// or rtsps://' })
    .regex(/^\S*$/, { error: 'must not contain spaces: write a space as %20' })
    .superRefine((url, context) => {
      const message = userinfoProblem(url);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .describe(
      'address of the stream: rtsp://user:password@host:port/path; in user and password write @ as %40, / as %2F, ? as %3F, % as %25',
    ),
  latency: duration()
    .prefault('200ms')
    .describe(
      'jitter buffer: how long packets are held to put them in order; lower for less delay, higher for fewer losses',
    ),
  protocol: z
    .enum(['auto', 'tcp', 'udp'])
    .default('auto')
    .describe('transport; auto tries udp first, tcp passes firewalls'),
  intrinsics: intrinsicsSchema.optional(),
  'wait-for-source': waitForSource,
  restart: restartSchema,
});

/** Frames of a network camera (RGB, uint8). */
export const rtsp = defineSource({
  name: 'rtsp',
  summary: 'Reads a network camera over RTSP.',
  emits: ['image'],
  live: true,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [
    { url: 'rtsp://192.168.1.20:554/stream1' },
    { url: 'rtsp://user:secret@camera.local/main', protocol: 'tcp', latency: '100ms' },
  ],

  launchLine: (options, context) => planLine(spec(options), context),

  create: async (options, context) => openSource(spec(options), context),
});

function spec(value: z.output<typeof options>): SourceSpec {
  const { url, latency, protocol, restart, intrinsics } = value;
  const source = [`rtspsrc location=${quote(url)} latency=${Math.round(latency)}`];
  if (protocol !== 'auto') source.push(`protocols=${protocol}`);
  return {
    kind: 'camera',
    head: {
      line: `${source.join(' ')} ! application/x-rtp,media=video ! decodebin`,
      memory: 'decoded',
      tagged: true,
    },
    tail: { live: true },
    intrinsics,
    capture: {
      what: `RTSP stream ${url}`,
      waitForSource: value['wait-for-source'],
      restart,
    },
  };
}
