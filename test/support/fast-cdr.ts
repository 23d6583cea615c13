import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds `read-cdr.cpp`, which reads messages with the library that ROS 2 uses. */
export function buildCdrReader(): (type: string, data: Uint8Array) => Record<string, unknown> {
  const source = fileURLToPath(new URL('./read-cdr.cpp', import.meta.url));
  const program = join(mkdtempSync(join(tmpdir(), 'read-cdr-')), 'read-cdr');
  execFileSync('g++', ['-O1', '-o', program, source, '-lfastcdr'], { stdio: 'inherit' });
  return (type, data) => {
    const input = Buffer.from(data);
    const text = execFileSync(program, [type], { input, maxBuffer: 2 ** 26, encoding: 'utf8' });
    // C prints what JSON cannot say.
    return JSON.parse(text.replace(/-?\bnan\b/g, 'null')) as Record<string, unknown>;
  };
}
