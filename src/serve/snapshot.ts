import { join } from 'node:path';
import { ageMs, type Clock } from '../core/clock.ts';
import type { DepthFrame, Frame, ImageFrame } from '../core/frame.ts';
import { encodePly } from '../depth/ply.ts';
import { unproject } from '../depth/unproject.ts';
import { NameTaken, writeNew } from '../files/own-file.ts';

/** What can be saved of a frame. */
export const snapshotParts = ['picture', 'depth', 'points'] as const;
export type SnapshotPart = (typeof snapshotParts)[number];

export interface Snapshot {
  readonly seq: number;
  /** Of a run of several cameras. */
  readonly camera: string | undefined;
  /** Since capture, milliseconds. */
  readonly ageMs: number;
  readonly type: string;
  /** What follows the number in a file name: `-depth.png`. */
  readonly ending: string;
  readonly data: Uint8Array;
}

/** Why there is no such snapshot. */
export class NoSnapshot extends Error {
  override readonly name = 'NoSnapshot';
}

/** Whose frame it is. */
export interface SnapshotOf {
  readonly branch?: string | undefined;
  /** Of a run of several cameras. */
  readonly camera?: string | undefined;
}

/** No branch has such a name. */
const trunkMark = ' ';

/** Further names that are tried where one is taken. */
const mostNames = 1000;

/** The newest frame at the end of the trunk and in front of each sink, and what is saved of them. */
export class Snapshots {
  readonly #clock: Clock;
  /** By branch; at the end of the trunk by camera, if there are several. */
  readonly #newest = new Map<string, Frame>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param branch whose sink the frame has reached; nothing for the end of the trunk */
  keep(frame: Frame, branch: string | undefined): void {
    this.#newest.set(branch ?? trunk(frame.camera), frame);
  }

  /** Another run has begun. */
  clear(): void {
    this.#newest.clear();
  }

  /**
   * @param of the branch whose frame it is, in front of the sink; default: that at the end of the trunk,
   * or where it lacks the part, that of the first branch which has it
   * @throws NoSnapshot if no frame has come, or none has the part
   */
  take(part: SnapshotPart, of: SnapshotOf = {}): Promise<Snapshot> {
    return this.#encode(this.#frameWith(part, of), part);
  }

  /**
   * Writes all of the parts that there are to new files in `directory`.
   *
   * @returns their names
   * @throws NoSnapshot if there is none
   */
  async save(
    directory: string,
    parts: readonly SnapshotPart[],
    of: SnapshotOf = {},
  ): Promise<string[]> {
    // All frames are chosen before the first is encoded, so that the parts belong together.
    const chosen: { part: SnapshotPart; frame: Frame }[] = [];
    let missing: unknown;
    for (const part of parts) {
      try {
        chosen.push({ part, frame: this.#frameWith(part, of) });
      } catch (error) {
        missing ??= error;
      }
    }
    if (chosen.length === 0) throw missing;
    const names: string[] = [];
    for (const { part, frame } of chosen)
      names.push(await this.#write(directory, await this.#encode(frame, part)));
    return names;
  }

  #frameWith(part: SnapshotPart, { branch, camera }: SnapshotOf): Frame {
    const frames = branch === undefined ? this.#inOrder(camera) : [this.#newest.get(branch)];
    let why = 'no frame has come yet';
    for (const [index, frame] of frames.entries()) {
      const lack = frame ? lacking(frame, part) : why;
      if (lack === undefined) return frame as Frame;
      if (index === 0) why = lack;
    }
    throw new NoSnapshot(why);
  }

  async #write(directory: string, { seq, camera, ending, data }: Snapshot): Promise<string> {
    const time = new Date(Number(this.#clock.wall() / 1_000_000n));
    const stamp = `${time.toISOString().replace(/[-:]|\.\d+Z$/g, '')}Z`;
    const stem = [stamp, camera, String(seq).padStart(6, '0')].filter(Boolean).join('-');
    for (let n = 1; ; n++) {
      const name = `${stem}${n === 1 ? '' : `-${n}`}${ending}`;
      try {
        await writeNew(join(directory, name), data);
        return name;
      } catch (error) {
        if (!(error instanceof NameTaken) || n === mostNames) throw error;
      }
    }
  }

  #inOrder(camera: string | undefined): Frame[] {
    const first = this.#newest.get(trunk(camera));
    const others = [...this.#newest].filter(
      ([name]) =>
        !name.startsWith(trunkMark) && (camera === undefined || name.startsWith(`${camera}/`)),
    );
    return [...(first ? [first] : []), ...others.map(([, frame]) => frame)];
  }

  async #encode(frame: Frame, part: SnapshotPart): Promise<Snapshot> {
    const { seq, camera } = frame;
    const of = { seq, camera, ageMs: Math.round(ageMs(this.#clock, frame)) };
    if (part === 'points')
      return { ...of, type: 'model/ply', ending: '-points.ply', data: pointsOf(frame) };
    const { encodeDepthPng, encodePng } = await import('../imaging/encode.ts');
    const data =
      part === 'depth'
        ? await encodeDepthPng(frame as DepthFrame)
        : await encodePng(pictureOf(frame) as ImageFrame);
    return { ...of, type: 'image/png', ending: `-${part}.png`, data };
  }
}

function trunk(camera = ''): string {
  return trunkMark + camera;
}

function pictureOf(frame: Frame): ImageFrame | undefined {
  if (frame.kind === 'image') return frame;
  return frame.kind === 'depth' ? frame.image : undefined;
}

function pointsOf(frame: Frame): Uint8Array {
  if (frame.kind === 'points') return encodePly(frame);
  const { intrinsics, image, ...depth } = frame as DepthFrame;
  return encodePly(unproject(depth, intrinsics as NonNullable<typeof intrinsics>, 1, image));
}

/** Why the frame does not have the part. */
function lacking(frame: Frame, part: SnapshotPart): string | undefined {
  if (part === 'picture')
    return pictureOf(frame) ? undefined : `${frame.kind} frames here have no picture`;
  if (part === 'points' && frame.kind === 'points') return undefined;
  if (frame.kind !== 'depth') return `${frame.kind} frames have no depth`;
  if (frame.unit === 'relative') return 'relative depth has no metres';
  if (part === 'points' && !frame.intrinsics)
    return 'the frames have no intrinsics: set them, or field-of-view, on the source';
  return undefined;
}
