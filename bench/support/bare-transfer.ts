import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Rate } from '../../src/benchmark/bare-model.ts';
import { cpuMs } from '../../src/device/processes.ts';

/**
 * Lower limit of the cost of frames from another process: one Node.js process writes `bytes` repeatedly
 * to a Unix socket, `fps` times a second or at full speed, and this one reads each into a buffer of its
 * own.
 */
export async function bareTransfer(bytes: number, seconds: number, fps?: number): Promise<Rate> {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-bench-'));
  const path = join(folder, 'frames');
  const sender = fork(fileURLToPath(new URL('./sender.ts', import.meta.url)), [
    path,
    String(bytes),
    ...(fps === undefined ? [] : [String(fps)]),
  ]);
  try {
    await once(sender, 'message');
    const pids = [process.pid, sender.pid as number];
    let frame = new Uint8Array(0);
    let filled = 0;
    let frames = 0;
    const socket = connect({
      path,
      onread: {
        buffer() {
          if (filled === 0) frame = Buffer.allocUnsafeSlow(bytes);
          return frame.subarray(filled);
        },
        callback(n) {
          filled = (filled + n) % bytes;
          if (filled === 0) frames++;
          return true;
        },
      },
    });
    await passed(seconds / 4);
    const [startCpu, startedAt, before] = [cpuMs(pids), performance.now(), frames];
    await passed(seconds);
    const elapsed = performance.now() - startedAt;
    const cpu = cpuMs(pids) - startCpu;
    socket.destroy();
    return {
      fps: (1000 * (frames - before)) / elapsed,
      cpuMsPerFrame: cpu / (frames - before),
    };
  } finally {
    sender.kill();
    rmSync(folder, { recursive: true });
  }
}

function passed(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
