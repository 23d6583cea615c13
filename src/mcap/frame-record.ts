import { z } from 'zod';
import type { Frame, FrameBase, MessageFrame } from '../core/frame.ts';
import type { Drop } from '../core/run-stats.ts';
import type { JsonSchema } from '../ros/codec.ts';

/** Topics of Depthline's own messages, below the namespace. */
export const ownTopics = {
  frame: '/depthline/frame',
  ledger: '/depthline/ledger',
  data: '/data',
} as const;

export const recordVersion = 1;

const nanoseconds = z.string().regex(/^-?\d{1,19}$/);
const rectangle = {
  left: z.number(),
  top: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
};
const size = z.object({ width: z.number().positive(), height: z.number().positive() });
const view = z.object({
  ...rectangle,
  source: size,
  flip: z.enum(['horizontal', 'vertical', 'both']).optional(),
  shown: z.object(rectangle).optional(),
});
const intrinsics = z.object({
  fx: z.number().positive(),
  fy: z.number().positive(),
  cx: z.number(),
  cy: z.number(),
});
const drop = z.object({ stage: z.string(), reason: z.string(), count: z.int().min(1) });
const geometry = { view: view.optional(), intrinsics: intrinsics.optional() };
const part = z.object({ topic: z.string(), ...geometry });

/** What the messages of a frame do not say. It follows them in the file, with their time. */
const frameRecord = z.object({
  v: z.literal(recordVersion),
  kind: z.enum(['image', 'depth', 'points', 'data']).describe('kind of the frame'),
  seq: z.int().min(0),
  pts: nanoseconds.describe('presentation time, nanoseconds'),
  capturedAt: nanoseconds.describe('wall clock at capture, nanoseconds since the Unix epoch'),
  source: z.string().describe('source of the pipeline that recorded it'),
  name: z.string().optional().describe('file that the frame was read from'),
  unit: z.enum(['m', 'relative']).optional().describe('unit of depth'),
  range: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe('depth that the model can give, metres'),
  model: z.object({ name: z.string(), sha256: z.string() }).optional(),
  timings: z.record(z.string(), z.number()).optional().describe('time in each stage, milliseconds'),
  parts: z
    .partialRecord(z.enum(['image', 'picture', 'depth', 'truth', 'points', 'data']), part)
    .describe('topics of its messages, and which part of the source’s picture each shows'),
  dropped: z.array(drop).optional().describe('frames lost since the previous one'),
});

const ledgerRecord = z.looseObject({
  dropped: z.array(drop).optional().describe('frames lost after the last one'),
});

export type FrameRecord = z.output<typeof frameRecord>;
export type PartName = keyof FrameRecord['parts'];

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input' });
export const frameSchema: JsonSchema = { name: 'depthline.Frame', schema: schemaOf(frameRecord) };
export const ledgerSchema: JsonSchema = {
  name: 'depthline.Ledger',
  schema: schemaOf(ledgerRecord),
};
export const dataSchema: JsonSchema = {
  name: 'depthline.Data',
  schema: { type: 'object', properties: { value: {} }, required: ['value'] },
};

/**
 * The record of a frame.
 *
 * @param topics of the messages that were made of its parts
 */
export function recordOf(
  frame: MessageFrame,
  topics: ReadonlyMap<PartName, string>,
  dropped: readonly Drop[],
): FrameRecord {
  const { seq, pts, capturedAt, source, name, timings, kind } = frame;
  const parts: Partial<Record<PartName, z.output<typeof part>>> = {};
  for (const [part, topic] of topics) parts[part] = { topic, ...geometryOf(frame, part) };
  return {
    v: recordVersion,
    ...{ kind, seq, pts: String(pts), capturedAt: String(capturedAt), source },
    ...(name !== undefined && { name }),
    ...(frame.kind === 'depth' && depthFacts(frame)),
    ...(timings && { timings }),
    parts: parts as FrameRecord['parts'],
    ...(dropped.length > 0 && { dropped: [...dropped] }),
  };
}

function depthFacts({ unit, range, model }: Extract<Frame, { kind: 'depth' }>) {
  return {
    ...(unit !== undefined && { unit }),
    ...(range && { range: [...range] as [number, number] }),
    ...(model && { model }),
  };
}

function geometryOf(frame: Frame, part: PartName): Pick<FrameBase, 'view' | 'intrinsics'> {
  const nested = part === 'image' || part === 'picture';
  const of: FrameBase | undefined = nested && frame.kind === 'depth' ? frame[part] : frame;
  const { view, intrinsics } = of ?? {};
  return { ...(view && { view }), ...(intrinsics && { intrinsics }) };
}

/** The record in a value of JSON; nothing if it is none of this version. */
export function parseRecord(value: unknown): FrameRecord | undefined {
  const { success, data } = frameRecord.safeParse(value);
  return success ? data : undefined;
}

/** Drops after the last frame, in the ledger that ends a recording. */
export function parseRest(value: unknown): readonly Drop[] {
  const { success, data } = ledgerRecord.safeParse(value);
  return success ? (data.dropped ?? []) : [];
}
