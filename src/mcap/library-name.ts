import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDirectory } from '../core/entry-point.ts';

/** What files say of who wrote them: `depthline 0.2.0`. */
export function libraryName(): string {
  const text = readFileSync(join(packageDirectory(), 'package.json'), 'utf8');
  return `depthline ${(JSON.parse(text) as { version: string }).version}`;
}
