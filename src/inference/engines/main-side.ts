import type { DepthlineError } from '../../core/errors.ts';
import type { Model } from '../model-files.ts';
import type { EngineChoice } from './choice.ts';
import type { Companion, EngineSetup } from './engine.ts';

/** An engine as the main thread knows it. */
export interface MainSide {
  /**
   * Opens what stands beside one inference thread, before the thread starts.
   *
   * @throws DepthlineError
   */
  accompany?(choice: EngineChoice, model: Model): Promise<Companion>;
  /** The error for a network that the thread could not load. */
  loadError(model: Model, setup: EngineSetup, cause: unknown): DepthlineError;
}
