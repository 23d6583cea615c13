import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const closeWindow = fileURLToPath(new URL('./close-window.py', import.meta.url));

/** A screen in memory. */
export interface Screen {
  /** For the variable DISPLAY. */
  readonly display: string;
  readonly server: ChildProcess;
  /** What a window shows: `width × height × 3` bytes, RGB. Nothing if there is no such window. */
  picture(title: string): { width: number; height: number; data: Uint8Array } | undefined;
  /** What a user does who closes a window. */
  close(title: string): void;
  stop(): Promise<void>;
}

export async function openScreen(): Promise<Screen> {
  const options = ['-displayfd', '3', '-screen', '0', '800x600x24', '-nolisten', 'tcp'];
  const server = spawn('Xvfb', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = (await once(
    server.stdio[3] as NonNullable<(typeof server.stdio)[3]>,
    'data',
  )) as [Buffer];
  const display = `:${number.toString().trim()}`;
  const environment = { ...process.env, DISPLAY: display };
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1e8,
      timeout: 30_000,
    });
  const windows = (title: string) => {
    try {
      return run('xdotool', 'search', '--name', title).toString().trim().split('\n');
    } catch {
      return [];
    }
  };
  return {
    display,
    server,
    picture(title) {
      const [window] = windows(title);
      if (!window) return undefined;
      try {
        const geometry = run('xdotool', 'getwindowgeometry', window).toString();
        const [, width, height] = /Geometry: (\d+)x(\d+)/.exec(geometry) ?? [];
        const data = run('import', '-window', window, '-depth', '8', 'rgb:-');
        return { width: Number(width), height: Number(height), data };
      } catch {
        // It is about to open, or to close.
        return undefined;
      }
    },
    close(title) {
      for (const window of windows(title)) run('python3', closeWindow, window);
    },
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}
