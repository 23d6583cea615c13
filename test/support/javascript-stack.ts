import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

interface Reply {
  readonly method?: string;
  readonly params?: {
    readonly callFrames?: readonly CallFrame[];
    readonly scriptId?: string;
    readonly url?: string;
  };
}

interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

/**
 * Where the main thread of another Node.js process is in its JavaScript, even if it never comes back from there: through the
 * debugger that SIGUSR1 opens on port 9229 of the loopback address.
 *
 * @returns at most `depth` lines, innermost first; none if the thread is not in JavaScript
 */
export async function javascriptStack(pid: number, depth = 6): Promise<string[]> {
  process.kill(pid, 'SIGUSR1');
  await sleep(1000);
  const answer = await fetch('http://127.0.0.1:9229/json', { signal: AbortSignal.timeout(5000) });
  const [target] = (await answer.json()) as [{ webSocketDebuggerUrl: string }];
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  const urls = new Map<string | undefined, string>();
  const line = ({ functionName, location: { scriptId, lineNumber } }: CallFrame) =>
    `${functionName || '(anonymous)'} ${urls.get(scriptId)?.slice(-60)}:${lineNumber + 1}`;
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const timer = setTimeout(() => resolve([]), 5000);
      socket.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.on('open', () => {
        socket.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
        socket.send(JSON.stringify({ id: 2, method: 'Debugger.pause' }));
      });
      socket.on('message', (data) => {
        const { method, params } = JSON.parse(String(data)) as Reply;
        if (method === 'Debugger.scriptParsed') urls.set(params?.scriptId, params?.url ?? '');
        if (method !== 'Debugger.paused') return;
        clearTimeout(timer);
        resolve((params?.callFrames ?? []).slice(0, depth).map(line));
      });
    });
  } finally {
    socket.terminate();
  }
}
