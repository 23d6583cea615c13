import { loadProblem } from '../model-contract.ts';
import { native } from '../native-guard.ts';
import { type SessionSettings, sessionOptions } from '../session-settings.ts';
import type { ProviderOptions } from './choice.ts';
import type { NativeRuntime } from './load-runtime.ts';
import { NativeSession } from './native-session.ts';
import { withOptions } from './provider-options.ts';

/** How a session of ONNX Runtime is made. */
export interface SessionSetup {
  /** The .onnx file. */
  readonly path: string;
  readonly session: SessionSettings;
  /** Threads for one run. */
  readonly threads: number;
  /** Execution providers, best first. */
  readonly providers: readonly string[];
  readonly options?: ProviderOptions | undefined;
  /** See native-guard.ts. */
  readonly native: SharedArrayBuffer;
}

export interface CreatedSession {
  readonly session: NativeSession;
  /** The provider that is used, and those behind it. */
  readonly providers: readonly string[];
  /** What the user should know: a provider that cannot be used. */
  readonly notes: readonly string[];
}

/** With the first provider that can be had. @throws Error of ONNX Runtime if there is none */
export function createSession(
  { Tensor }: Pick<NativeRuntime, 'Tensor'>,
  setup: SessionSetup,
): CreatedSession {
  const { path, session: settings, threads, providers, options, native: state } = setup;
  const notes: string[] = [];
  for (let first = 0; ; first++) {
    const left = providers.slice(first);
    const [provider, next] = left;
    const given = sessionOptions(
      settings,
      threads,
      left.map((name) => withOptions(name, options)),
    );
    try {
      const session = native(state, () => new NativeSession(Tensor, path, given));
      return { session, providers: left, notes };
    } catch (error) {
      if (next === undefined || provider === 'cpu') throw error;
      notes.push(`${provider} cannot be used, ${next} is: ${loadProblem(error)}`);
    }
  }
}
