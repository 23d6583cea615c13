import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workplace } from './cli.ts';

const programs = new Map<string, string>();

/** The program, which is built once for a test file. */
function build(name: string): string {
  const built = programs.get(name);
  if (built !== undefined) return built;
  const source = fileURLToPath(new URL(`./${name}.cpp`, import.meta.url));
  const program = join(workplace(), name);
  execFileSync('g++', ['-O1', '-o', program, source, '-lfastcdr'], {
    stdio: 'inherit',
    timeout: 110_000,
  });
  programs.set(name, program);
  return program;
}

/** Builds `read-cdr.cpp`, which reads messages with the library that ROS 2 uses. */
export function buildCdrReader(): (type: string, data: Uint8Array) => Record<string, unknown> {
  const program = build('read-cdr');
  return (type, data) => {
    const input = Buffer.from(data);
    const text = execFileSync(program, [type], {
      input,
      maxBuffer: 2 ** 26,
      encoding: 'utf8',
      timeout: 60_000,
    });
    // C prints what JSON cannot say.
    return JSON.parse(text.replace(/-?\bnan\b/g, 'null')) as Record<string, unknown>;
  };
}

/** Builds `write-cdr.cpp`, which writes messages with that library: one for each line. */
export function buildCdrWriter(): (lines: readonly string[]) => Uint8Array[] {
  const program = build('write-cdr');
  return (lines) => {
    const text = execFileSync(program, [], {
      input: `${lines.join('\n')}\n`,
      maxBuffer: 2 ** 26,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return text
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line, 'hex'));
  };
}
