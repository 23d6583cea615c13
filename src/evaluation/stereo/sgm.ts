import { type ChildProcess, spawn } from 'node:child_process';
import { DepthlineError } from '../../core/errors.ts';
import type { Picture } from '../../core/frame.ts';

/** Semi-global matching of OpenCV, one thread: reads sizes and pictures, writes milliseconds and disparities. */
const program = `
import struct, sys, time
import cv2, numpy
cv2.setNumThreads(1)
source, target = sys.stdin.buffer, sys.stdout.buffer
matchers = {}
while True:
    head = source.read(12)
    if len(head) < 12: break
    width, height, count = struct.unpack('<3i', head)
    read = lambda: numpy.frombuffer(source.read(width * height * 3), numpy.uint8).reshape(height, width, 3)
    left, right = read(), read()
    if count not in matchers:
        matchers[count] = cv2.StereoSGBM_create(minDisparity=0, numDisparities=count, blockSize=5,
            P1=8 * 3 * 25, P2=32 * 3 * 25, disp12MaxDiff=1, uniquenessRatio=10,
            speckleWindowSize=100, speckleRange=2)
    start = time.perf_counter()
    # OpenCV matches no pixel within \`count\` columns of the left edge: beside the pictures there are as many more.
    wide = [cv2.copyMakeBorder(eye, 0, 0, count, 0, cv2.BORDER_CONSTANT) for eye in (left, right)]
    found = matchers[count].compute(*wide)[:, count:]
    ms = (time.perf_counter() - start) * 1000
    disparity = numpy.where(found > 0, found / 16.0, 0).astype('<f4')
    target.write(struct.pack('<d', ms) + disparity.tobytes())
    target.flush()
`;

export interface Matched {
  /** Pixels of the pictures' width; 0 where there is none. */
  readonly data: Float32Array;
  readonly ms: number;
}

/**
 * Semi-global matching (Hirschmüller, *Stereo Processing by Semiglobal Matching and Mutual Information*, TPAMI
 * 2008) by OpenCV in a Python process: a classical baseline for evaluations, and nothing else uses it.
 */
export class SemiGlobalMatching {
  readonly #process: ChildProcess;
  #chunks: Buffer[] = [];
  #length = 0;
  #wanted: { bytes: number; resolve(data: Buffer): void; reject(error: Error): void } | undefined;
  #errors = '';
  #ended = false;

  /** @param python interpreter that has the package cv2 (Debian: python3-opencv) */
  constructor(python = '/usr/bin/python3') {
    this.#process = spawn(python, ['-c', program], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#give();
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = `${this.#errors}${chunk}`.slice(-2000);
    });
    this.#process.stdin?.on('error', () => {});
    this.#process.on('error', (error) => this.#end(error.message));
    this.#process.on('close', () => this.#end(this.#errors.trim().split('\n').at(-1) ?? ''));
  }

  /**
   * @param largest disparity to look for, pixels; rounded up to a multiple of 16
   * @throws DepthlineError `MISSING` if Python has no OpenCV
   */
  async match(left: Picture, right: Picture, largest: number): Promise<Matched> {
    const { width, height } = left;
    const head = Buffer.alloc(12);
    head.writeInt32LE(width, 0);
    head.writeInt32LE(height, 4);
    head.writeInt32LE(16 * Math.ceil(largest / 16), 8);
    for (const part of [head, left.data, right.data]) this.#process.stdin?.write(part);
    const answer = await this.#read(8 + 4 * width * height);
    const data = new Float32Array(width * height);
    for (let i = 0; i < data.length; i++) data[i] = answer.readFloatLE(8 + 4 * i);
    return { ms: answer.readDoubleLE(0), data };
  }

  close(): void {
    this.#process.stdin?.end();
    this.#process.kill();
  }

  #read(bytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#wanted = { bytes, resolve, reject };
      if (this.#ended) this.#end(this.#errors);
      this.#give();
    });
  }

  #give(): void {
    const wanted = this.#wanted;
    if (!wanted || this.#length < wanted.bytes) return;
    this.#wanted = undefined;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(wanted.bytes)];
    this.#length = all.length - wanted.bytes;
    wanted.resolve(all.subarray(0, wanted.bytes));
  }

  #end(why: string): void {
    this.#ended = true;
    const advice =
      'semi-global matching needs Python with OpenCV: sudo apt-get install python3-opencv';
    this.#wanted?.reject(new DepthlineError('MISSING', `${advice} (${why})`));
    this.#wanted = undefined;
  }
}
