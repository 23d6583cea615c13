import { reason } from '../core/errors.ts';
import type { FileProblem } from '../pipeline/yaml-file.ts';
import type { Run } from '../runtime/run-handle.ts';
import type { Replaced } from '../runtime/supervisor.ts';
import type { Answer, Asked, Route } from './run-server.ts';
import { NoSnapshot, type SnapshotPart, type Snapshots, snapshotParts } from './snapshot.ts';

/** What became of a request to read the pipeline file again. */
export type Reloaded = (
  | Replaced
  /** The file has mistakes; nothing has changed. */
  | { readonly result: 'invalid'; readonly problems: readonly FileProblem[] }
) & {
  /** Differences that only another start of the command takes up. */
  readonly later?: readonly string[];
};

/** What the routes act on. */
export interface Commanded {
  /** Nothing while components are opening. */
  run(): Run | undefined;
  reload(restart: boolean): Promise<Reloaded>;
  readonly snapshots: Snapshots;
  /** Where `to=directory` writes; absolute. */
  readonly directory: string | undefined;
}

/** How long a snapshot waits for a new frame before it takes the last one, milliseconds. */
const freshMs = 2000;

const statuses: Readonly<Record<Reloaded['result'], number>> = {
  unchanged: 200,
  changed: 200,
  restarted: 200,
  'needs-restart': 409,
  refused: 409,
  invalid: 422,
  reverted: 422,
};

/** `POST /reload`, `/pause`, `/resume` and `/snapshot`. */
export function commandRoutes(commanded: Commanded): Route[] {
  const post = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, handle });
  const paused = (act: (run: Run) => void): Answer => {
    const run = commanded.run();
    if (!run) return notYet();
    if (run.stats().ending) return json(409, { error: 'the run is ending' });
    act(run);
    return json(200, { paused: run.stats().paused });
  };
  return [
    post('/pause', (asked) => unknownQuery(asked, []) ?? paused((run) => run.pause())),
    post('/resume', (asked) => unknownQuery(asked, []) ?? paused((run) => run.resume())),
    post('/reload', async (asked) => {
      const wrong = unknownQuery(asked, ['restart']);
      if (wrong) return wrong;
      const restart = asked.query.get('restart');
      if (restart !== null && !/^(1|true|0|false)$/.test(restart))
        return json(400, { error: 'restart must be 1 or 0' });
      const reloaded = await commanded.reload(restart === '1' || restart === 'true');
      return json(statuses[reloaded.result], reloaded);
    }),
    post('/snapshot', (asked) => snapshot(asked, commanded)),
  ];
}

async function snapshot(
  asked: Asked,
  { run: current, snapshots, directory }: Commanded,
): Promise<Answer> {
  const wrong = unknownQuery(asked, ['part', 'branch', 'to', 'camera']);
  if (wrong) return wrong;
  const part = asked.query.get('part');
  const to = asked.query.get('to') ?? 'response';
  if (part !== null && !snapshotParts.includes(part as SnapshotPart))
    return json(400, { error: `part must be one of ${snapshotParts.join(', ')}` });
  if (to !== 'response' && to !== 'directory')
    return json(400, { error: 'to must be response or directory' });
  if (to === 'directory' && directory === undefined)
    return json(409, { error: 'there is no directory: start the run with --snapshots DIRECTORY' });
  const run = current();
  if (!run) return notYet();
  const { branches, paused, cameras } = run.stats();
  const camera = asked.query.get('camera') ?? undefined;
  const refusal = cameraProblem(
    camera,
    cameras?.map(({ name }) => name),
  );
  if (refusal !== undefined) return json(refusal.status, { error: refusal.error });
  const asks = asked.query.get('branch') ?? undefined;
  const prefix = camera === undefined ? '' : `${camera}/`;
  const branch = asks === undefined || asks.startsWith(prefix) ? asks : prefix + asks;
  const names = branches.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  if (branch !== undefined && !names.includes(branch))
    return json(404, { error: `there is no branch "${branch}"; there are: ${names.join(', ')}` });
  // Without demand nothing is captured, so ask for a frame; it is also newer than the last one.
  if (!paused) await run.nextFrame(AbortSignal.timeout(freshMs), camera);
  try {
    if (to === 'directory') {
      const parts = part === null ? snapshotParts : [part as SnapshotPart];
      return json(200, {
        directory,
        files: await snapshots.save(directory as string, parts, { branch, camera }),
      });
    }
    const {
      seq,
      camera: from,
      ageMs,
      type,
      ending,
      data,
    } = await snapshots.take((part ?? 'picture') as SnapshotPart, { branch, camera });
    const headers = {
      'Content-Disposition': `attachment; filename="${from === undefined ? '' : `${from}-`}${seq}${ending}"`,
      'Depthline-Seq': String(seq),
      'Depthline-Age-Ms': String(ageMs),
    };
    return { status: 200, type, body: data, headers };
  } catch (error) {
    if (error instanceof NoSnapshot) return json(409, { error: error.message });
    // A full disk, a directory that is gone: the client’s to know, not a failure of the run.
    if (to === 'directory') return json(507, { error: reason(error) });
    throw error;
  }
}

/** A snapshot of several cameras is of one of them. */
function cameraProblem(
  camera: string | undefined,
  names: readonly string[] | undefined,
): { readonly status: number; readonly error: string } | undefined {
  if (!names)
    return camera === undefined
      ? undefined
      : { status: 400, error: 'the run has one source, and no cameras to choose from' };
  const which = names.join(', ');
  if (camera === undefined)
    return { status: 400, error: `name the camera, ?camera=${names[0]}; there are: ${which}` };
  if (names.includes(camera)) return undefined;
  return { status: 404, error: `there is no camera "${camera}"; there are: ${which}` };
}

function notYet(): Answer {
  return json(503, { error: 'components are opening; try again' });
}

/** A misspelt parameter would otherwise do something else than was meant. */
function unknownQuery({ query }: Asked, known: readonly string[]): Answer | undefined {
  const unknown = [...query.keys()].find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  const advice = known.length > 0 ? `; valid: ${known.join(', ')}` : '; there are none';
  return json(400, { error: `unknown parameter "${unknown}"${advice}` });
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}
