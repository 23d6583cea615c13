import { execFile } from 'node:child_process';

const withinMs = 15_000;

export interface ToolOutput {
  /** False if there is no such program. */
  readonly found: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program prints, also if it fails or takes too long. */
export function outputOf(program: string, args: readonly string[]): Promise<ToolOutput> {
  const options = { timeout: withinMs, killSignal: 'SIGKILL', maxBuffer: 4 << 20 } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const found = (error as NodeJS.ErrnoException | null)?.code !== 'ENOENT';
      resolve({ found, stdout, stderr });
    });
  });
}
