import type { Manifest } from '../manifest.ts';
import { protocolVersion } from './helper-message.ts';

/** What a helper says of the network that it has loaded. */
export interface HelperAnswer {
  /** What runs the network, for people. */
  readonly engine: string;
  /** Name of the model. */
  readonly model: string;
  readonly input: { readonly width: number; readonly height: number };
  readonly output: { readonly width: number; readonly height: number };
}

/** One `key value` per line: texts of the protocol need no parser in any language. */
export function formatLines(values: Readonly<Record<string, string | number>>): Uint8Array {
  const lines = Object.entries(values).map(([key, value]) => `${key} ${value}\n`);
  return new TextEncoder().encode(lines.join(''));
}

export function parseLines(payload: Uint8Array): ReadonlyMap<string, string> {
  const lines = new TextDecoder().decode(payload).split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const space = line.indexOf(' ');
      return space > 0 ? [[line.slice(0, space), line.slice(space + 1).trim()]] : [];
    }),
  );
}

const longestSide = 65_536;

/** The answer, or what is wrong with it. Lines that are not known are ignored. */
export function parseAnswer(payload: Uint8Array): HelperAnswer | string {
  const lines = parseLines(payload);
  const protocol = lines.get('protocol');
  // In another version the other lines may be others, too.
  if (protocol !== undefined && Number(protocol) !== protocolVersion) {
    return `is of version ${protocol} of the protocol, and this is version ${protocolVersion}`;
  }
  const missing = ['protocol', 'engine', 'model'].find((key) => !lines.get(key));
  if (missing !== undefined) return `has no line "${missing}"`;
  const number = (key: string) => Number(lines.get(key) ?? Number.NaN);
  const sides = ['input.width', 'input.height', 'output.width', 'output.height'];
  const wrong = sides.find((key) => {
    const side = number(key);
    return !Number.isInteger(side) || side < 1 || side > longestSide;
  });
  if (wrong !== undefined) return `has no line "${wrong}" with a number of pixels`;
  return {
    engine: lines.get('engine') as string,
    model: lines.get('model') as string,
    input: { width: number('input.width'), height: number('input.height') },
    output: { width: number('output.width'), height: number('output.height') },
  };
}

/** How the network that a helper has loaded differs from the one that it was told to load; or nothing. */
export function mismatch(answer: HelperAnswer, { name, input }: Manifest): string | undefined {
  if (answer.model !== name) return `it has loaded "${answer.model}"`;
  const { width, height } = answer.input;
  if (width === input.width && height === input.height) return undefined;
  return `its network takes ${width}×${height} pictures, and the manifest says ${input.width}×${input.height}`;
}
