import { z } from 'zod';
import type { Manifest } from '../manifest.ts';
import { protocolVersion } from './helper-message.ts';

const size = z.object({ width: z.int().min(1).max(65_536), height: z.int().min(1).max(65_536) });

/** What a helper says of the network that it has loaded; more keys are allowed. */
const answerSchema = z.object({
  protocol: z.int(),
  /** What runs the network, for people. */
  engine: z.string().min(1).max(200),
  /** Name of the model. */
  model: z.string().min(1).max(200),
  input: size,
  output: size,
});

export type HelperAnswer = z.output<typeof answerSchema>;

/** The answer, or what is wrong with it. */
export function parseAnswer(payload: Uint8Array): HelperAnswer | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return 'is not JSON';
  }
  const result = answerSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `has a wrong "${issue?.path.join('.')}": ${issue?.message}`;
}

/** How the network that a helper has loaded differs from the one that it was told to load; or nothing. */
export function mismatch(answer: HelperAnswer, { name, input }: Manifest): string | undefined {
  if (answer.protocol !== protocolVersion) {
    return `it speaks version ${answer.protocol} of the protocol, and this is version ${protocolVersion}`;
  }
  if (answer.model !== name) return `it has loaded "${answer.model}"`;
  const { width, height } = answer.input;
  if (width === input.width && height === input.height) return undefined;
  return `its network takes ${width}×${height} pictures, and the manifest says ${input.width}×${input.height}`;
}
