import { isValidDepth } from '../core/valid-depth.ts';

const mostMillimetres = 65_535;

/** Metres as whole millimetres (`16UC1` of ROS REP 118); invalid depths become 0, far ones saturate. */
export function toMillimetres(
  metres: Float32Array,
  out: Uint16Array = new Uint16Array(metres.length),
): Uint16Array {
  for (let i = 0; i < metres.length; i++) {
    const depth = metres[i] as number;
    if (!isValidDepth(depth)) {
      out[i] = 0;
      continue;
    }
    const mm = depth * 1000 + 0.5;
    out[i] = Math.min(mm, mostMillimetres);
  }
  return out;
}

/** Whole millimetres as metres; 0 stays invalid. */
export function fromMillimetres(
  millimetres: Uint16Array,
  out: Float32Array = new Float32Array(millimetres.length),
): Float32Array {
  for (let i = 0; i < millimetres.length; i++) out[i] = (millimetres[i] as number) / 1000;
  return out;
}
