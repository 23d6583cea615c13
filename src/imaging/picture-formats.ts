import { extname } from 'node:path';

/** Endings of the formats that are read. */
export const readableEndings: readonly string[] = [
  'jpg',
  'jpeg',
  'jpe',
  'jfif',
  'png',
  'webp',
  'avif',
  'gif',
  'tif',
  'tiff',
];

/** Picture formats that cannot be read, by ending: never passed over in silence. */
const unreadable: Readonly<Record<string, string>> = {
  heic: 'HEIC',
  heif: 'HEIC',
  bmp: 'BMP',
  dib: 'BMP',
  ppm: 'PNM',
  pgm: 'PNM',
  pnm: 'PNM',
  pfm: 'PFM',
  exr: 'OpenEXR',
  hdr: 'Radiance HDR',
  jp2: 'JPEG 2000',
  j2k: 'JPEG 2000',
  jxl: 'JPEG XL',
  tga: 'TGA',
  ico: 'ICO',
  svg: 'SVG',
  psd: 'Photoshop',
  dng: 'raw camera',
  cr2: 'raw camera',
  cr3: 'raw camera',
  nef: 'raw camera',
  arw: 'raw camera',
  raf: 'raw camera',
  orf: 'raw camera',
  rw2: 'raw camera',
};

/** True if the file is a picture by its ending, whether its format can be read or not. */
export function isPicture(path: string): boolean {
  const ending = endingOf(path);
  return readableEndings.includes(ending) || Object.hasOwn(unreadable, ending);
}

/** Why a file cannot be decoded and what to do, if its format is the reason. */
export function unsupportedFormat(path: string): string | undefined {
  const ending = endingOf(path);
  if (!Object.hasOwn(unreadable, ending)) return undefined;
  return `${unreadable[ending]} is not supported; convert the file to JPEG or PNG`;
}

function endingOf(path: string): string {
  return extname(path).slice(1).toLowerCase();
}
