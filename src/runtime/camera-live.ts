import { DepthlineError } from '../core/errors.ts';
import type { LiveOption, LiveOptions } from '../core/live-options.ts';

interface Member {
  readonly name: string;
  readonly run: { readonly live: LiveOptions };
}

/** The options of several cameras that can change while they run; names begin with that of the camera. */
export class CameraLive implements LiveOptions {
  readonly #members: () => readonly Member[];

  constructor(members: () => readonly Member[]) {
    this.#members = members;
  }

  list(): LiveOption[] {
    return this.#members().flatMap(({ name: camera, run }) =>
      run.live.list().map(({ name, value }) => ({ name: `${camera}/${name}`, value })),
    );
  }

  set(name: string, value: unknown): void {
    const slash = name.indexOf('/');
    const camera = name.slice(0, Math.max(0, slash));
    const member = this.#members().find((one) => one.name === camera);
    if (!member) throw new DepthlineError('CONFIG', `there is no camera for the option "${name}"`);
    member.run.live.set(name.slice(slash + 1), value);
  }

  onChange(changed: () => void): () => void {
    const ends = this.#members().map(({ run }) => run.live.onChange(changed));
    return () => {
      for (const end of ends) end();
    };
  }
}
