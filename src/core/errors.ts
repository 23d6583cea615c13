import { packageProblem } from './package-problem.ts';
import { mask } from './secrets.ts';

/** What kind of failure a DepthlineError reports. */
export type ErrorCode =
  /** The pipeline file, an option or the command line is wrong: exit code 2. */
  | 'CONFIG'
  /** A source could not start, or failed permanently. */
  | 'SOURCE'
  /** An operator or a user's function failed. */
  | 'OPERATOR'
  /** A sink could not open or write. */
  | 'SINK'
  /** The server of a run (`--serve`) could not open. */
  | 'SERVE'
  /** A model is missing, unreadable, or does not match its manifest. */
  | 'MODEL'
  /** The machine lacks an element, a library or a display. */
  | 'MISSING'
  /** Depthline or a component has a bug: frames are not accounted for. */
  | 'INTERNAL';

/**
 * The error class of Depthline. `message` says what is wrong, then what to do, without secrets; `at` is the component's
 * path in the pipeline ("sinks[0] zeromq"); `cause` is the original error.
 */
export class DepthlineError extends Error {
  override readonly name = 'DepthlineError';
  readonly code: ErrorCode;
  readonly at: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    extra: { at?: string | undefined; cause?: unknown } = {},
  ) {
    super(mask(message), extra.cause === undefined ? undefined : { cause: extra.cause });
    this.code = code;
    this.at = extra.at;
  }

  get exitCode(): 1 | 2 {
    return this.code === 'CONFIG' ? 2 : 1;
  }
}

/** What Node.js says of a failed system call: `ENOENT: no such file or directory, open '/x'`. */
const systemMessage = /^E[A-Z\d]+: ([^,]+), \w+(?: '(.*?)'(?: -> .*)?)?$/s;

/** The message of a thrown value; of a system call without its code and name. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, what, path] = systemMessage.exec(error.message) ?? [];
  if (what === undefined) return error.message;
  return path === undefined ? what : `${what} (${path})`;
}

/** `error` as a DepthlineError with the path of its component. */
export function located(error: unknown, code: ErrorCode, at: string): DepthlineError {
  if (error instanceof DepthlineError) {
    return error.at === undefined
      ? new DepthlineError(error.code, error.message, { at, cause: error.cause })
      : error;
  }
  const unloadable = packageProblem(error);
  return unloadable === undefined
    ? new DepthlineError(code, reason(error), { at, cause: error })
    : new DepthlineError('MISSING', unloadable, { at, cause: error });
}
