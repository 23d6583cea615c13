import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface InferenceServer {
  /** Addresses, by the transport. */
  readonly http: string;
  readonly grpc: string;
  close(): void;
}

/**
 * Starts inference-server.ts so that its CPU time does not count as that of this process: the shell between
 * them ends, and it then belongs to nobody here.
 *
 * @param models paths by name
 */
export async function startInferenceServer(
  models: Readonly<Record<string, string>>,
): Promise<InferenceServer> {
  const script = fileURLToPath(new URL('inference-server.ts', import.meta.url));
  const named = Object.entries(models).map(([name, path]) => `${name}=${path}`);
  const shell = spawn(
    'sh',
    ['-c', '"$@" <&3 &', 'sh', process.execPath, '--import', 'tsx', script, ...named],
    { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] },
  );
  // Not its standard input, which is closed here when the shell ends.
  const lifeline = shell.stdio[3] as Writable;
  const [printed] = await once(shell.stdio[1] as Readable, 'data');
  const [http, grpc] = String(printed).trim().split(' ');
  return {
    http: `http://127.0.0.1:${http}`,
    grpc: `grpc://127.0.0.1:${grpc}`,
    close: () => lifeline.end(),
  };
}
