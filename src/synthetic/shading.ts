import type { Camera } from './camera.ts';
import type { View } from './projection.ts';

/**
 * Adds `weight` times the light that a face sends through the picture at `x`, `y` to `out[at..]`.
 * Returns the depth there, metres. The texture is read bilinearly from the mip level that fits.
 */
export function shade(
  view: View,
  { intrinsics: k }: Camera,
  x: number,
  y: number,
  weight: number,
  out: Float32Array,
  at: number,
): number {
  const { face, normal, plane, ofU, ofV } = view;
  const rx = (x - k.cx) / k.fx;
  const ry = (y - k.cy) / k.fy;
  const z = plane / (normal[0] * rx + normal[1] * ry + normal[2]);
  const alongU = ofU[0] * rx + ofU[1] * ry + ofU[2];
  const alongV = ofV[0] * rx + ofV[1] * ry + ofV[2];
  const s = z * alongU - view.fromU;
  const t = z * alongV - view.fromV;
  const { texture, ramp, glow } = face.material;

  // How far one pixel to the right and one down move on the texture, in texels.
  const zx = (-z * z * normal[0]) / (plane * k.fx);
  const zy = (-z * z * normal[1]) / (plane * k.fy);
  const scaleU = face.repeatU * texture.size;
  const scaleV = face.repeatV * texture.size;
  const ux = (zx * alongU + (z * ofU[0]) / k.fx) * scaleU;
  const vx = (zx * alongV + (z * ofV[0]) / k.fx) * scaleV;
  const uy = (zy * alongU + (z * ofU[1]) / k.fy) * scaleU;
  const vy = (zy * alongV + (z * ofV[1]) / k.fy) * scaleV;
  const stepX = Math.sqrt(ux * ux + vx * vx);
  const stepY = Math.sqrt(uy * uy + vy * vy);
  const step = Math.max(Math.sqrt(stepX * stepY), 0.4 * Math.max(stepX, stepY));
  const level = Math.min(texture.levels.length - 1, 31 - Math.clz32(Math.max(1, step * 1.3)));
  const grey = bilinear(
    texture.levels[level]!,
    texture.size >> level,
    s * face.repeatU,
    t * face.repeatV,
  );
  const colour = 3 * Math.round(grey);

  if (glow > 0) {
    const k = weight * glow;
    out[at] = out[at]! + k * ramp[colour]!;
    out[at + 1] = out[at + 1]! + k * ramp[colour + 1]!;
    out[at + 2] = out[at + 2]! + k * ramp[colour + 2]!;
    return z;
  }
  const { light, nodesU, nodesV } = face;
  const gu = Math.min(Math.max(s, 0), 1) * (nodesU - 1);
  const gv = Math.min(Math.max(t, 0), 1) * (nodesV - 1);
  const iu = Math.min(Math.floor(gu), nodesU - 2);
  const iv = Math.min(Math.floor(gv), nodesV - 2);
  const fu = gu - iu;
  const fv = gv - iv;
  const n = 3 * (iv * nodesU + iu);
  const below = n + 3 * nodesU;
  const [w00, w10] = [(1 - fu) * (1 - fv), fu * (1 - fv)];
  const [w01, w11] = [(1 - fu) * fv, fu * fv];
  for (let c = 0; c < 3; c++) {
    const irradiance =
      w00 * light[n + c]! +
      w10 * light[n + 3 + c]! +
      w01 * light[below + c]! +
      w11 * light[below + 3 + c]!;
    out[at + c] = out[at + c]! + weight * irradiance * ramp[colour + c]!;
  }
  return z;
}

function bilinear(texels: Uint8Array, size: number, u: number, v: number): number {
  const x = u * size - 0.5;
  const y = v * size - 0.5;
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const mask = size - 1;
  const x0 = ix & mask;
  const x1 = (ix + 1) & mask;
  const row0 = (iy & mask) * size;
  const row1 = ((iy + 1) & mask) * size;
  const top = texels[row0 + x0]! * (1 - fx) + texels[row0 + x1]! * fx;
  const bottom = texels[row1 + x0]! * (1 - fx) + texels[row1 + x1]! * fx;
  return top * (1 - fy) + bottom * fy;
}
