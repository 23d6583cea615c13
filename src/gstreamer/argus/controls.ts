import { z } from 'zod';
import { positiveDuration } from '../../core/units.ts';
import { quote } from '../launch-line.ts';
import { argusProperties } from './properties.ts';

/** nvarguscamerasrc's numbers. */
const whiteBalances = {
  off: 0,
  auto: 1,
  incandescent: 2,
  fluorescent: 3,
  'warm-fluorescent': 4,
  daylight: 5,
  'cloudy-daylight': 6,
  twilight: 7,
  shade: 8,
  manual: 9,
} as const;
const antiBandings = { off: 0, auto: 1, '50Hz': 2, '60Hz': 3 } as const;
const qualities = { off: 0, fast: 1, 'high-quality': 2 } as const;

const namesOf = <T extends object>(table: T) => z.enum(Object.keys(table) as [keyof T & string]);

type Range = { readonly min: number; readonly max: number };
const inOrder = ({ min, max }: Range) => min <= max;
const outOfOrder = { error: 'min must not exceed max' };

/** Limits of a gain, factors. */
function gains(most: number) {
  const limit = () => z.number().min(1).max(most);
  return z
    .strictObject({
      min: limit().describe('lowest gain, a factor'),
      max: limit().describe('highest gain, a factor'),
    })
    .refine(inOrder, outOfOrder);
}

const longestExposureMs = 60_000;

function exposure() {
  return positiveDuration().refine((ms) => ms <= longestExposureMs, {
    error: 'must not exceed 60s',
  });
}

function filter(what: string) {
  return z
    .strictObject({
      mode: namesOf(qualities).optional().describe('how much work goes into it'),
      strength: z
        .number()
        .min(-1)
        .max(1)
        .optional()
        .describe("-1 for the driver's default, or 0 to 1"),
    })
    .refine(({ mode, strength }) => mode !== undefined || strength !== undefined, {
      error: 'needs mode, strength or both',
    })
    .optional()
    .describe(
      `${what}: mode off, fast or high-quality; strength -1 (the driver's default) or 0 to 1; default: as the driver has it`,
    );
}

/** Options of `csi-camera` that the ISP carries out. What is left out stays as the driver has it. */
export const argusControls = {
  'exposure-time': z
    .strictObject({
      min: exposure().describe('shortest exposure'),
      max: exposure().describe('longest exposure'),
    })
    .refine(inOrder, outOfOrder)
    .optional()
    .describe(
      'limits of the exposure time, such as { min: 0.1ms, max: 20ms }; equal ones fix it; the mode of the sensor has limits of its own; default: those',
    ),
  gain: gains(1000)
    .optional()
    .describe('limits of the analogue gain of the sensor, factors from 1; default: its own'),
  'digital-gain': gains(256)
    .optional()
    .describe('limits of the digital gain of the ISP, factors from 1 to 256; default: its own'),
  'exposure-compensation': z
    .number()
    .min(-2)
    .max(2)
    .optional()
    .describe('makes the automatic exposure darker or brighter, stops from -2 to 2; default: 0'),
  'lock-exposure': z
    .boolean()
    .optional()
    .describe('hold the automatic exposure where it is; default: false'),
  'lock-white-balance': z
    .boolean()
    .optional()
    .describe('hold the automatic white balance where it is; default: false'),
  'white-balance': namesOf(whiteBalances)
    .optional()
    .describe('white balance of the picture; default: auto'),
  'anti-banding': namesOf(antiBandings)
    .optional()
    .describe('exposure that avoids bands under lamps on 50 Hz or 60 Hz mains; default: auto'),
  'noise-reduction': filter('noise reduction over time'),
  'edge-enhancement': filter('edge enhancement'),
  saturation: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .describe('colour saturation, a factor from 0 (grey) to 2; default: 1'),
};

const schema = z.strictObject(argusControls);
export type ArgusControls = z.output<typeof schema>;

const nsPerMs = 1e6;

/** The settings of nvarguscamerasrc that carry out the options given, as they stand in a launch line. */
export function argusSettings(given: ArgusControls & { readonly mode?: number | undefined }) {
  const { gain, 'exposure-time': exposure, 'digital-gain': digital } = given;
  const noise = given['noise-reduction'];
  const edges = given['edge-enhancement'];
  const white = given['white-balance'];
  const banding = given['anti-banding'];
  const values: Record<keyof typeof argusProperties, number | boolean | string | undefined> = {
    mode: given.mode,
    'exposure-time': exposure && range(exposure.min * nsPerMs, exposure.max * nsPerMs, Math.round),
    gain: gain && range(gain.min, gain.max),
    'digital-gain': digital && range(digital.min, digital.max),
    'exposure-compensation': given['exposure-compensation'],
    'lock-exposure': given['lock-exposure'],
    'lock-white-balance': given['lock-white-balance'],
    'white-balance': white && whiteBalances[white],
    'anti-banding': banding && antiBandings[banding],
    'noise-reduction.mode': noise?.mode && qualities[noise.mode],
    'noise-reduction.strength': noise?.strength,
    'edge-enhancement.mode': edges?.mode && qualities[edges.mode],
    'edge-enhancement.strength': edges?.strength,
    saturation: given.saturation,
  };
  return Object.entries(argusProperties).flatMap(([option, property]) => {
    const value = values[option as keyof typeof values];
    return value === undefined ? [] : [`${property}=${value}`];
  });
}

/** Two numbers in one property. */
function range(min: number, max: number, as = (value: number) => value): string {
  return quote(`${as(min)} ${as(max)}`);
}
