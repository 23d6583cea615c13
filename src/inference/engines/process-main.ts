import { DepthlineError, reason } from '../../core/errors.ts';
import type { ProcessChoice } from './choice.ts';
import { HelperProcess } from './helper-process.ts';
import type { MainSide } from './main-side.ts';

export const mainSide: MainSide = {
  accompany: (choice) => HelperProcess.start(choice as ProcessChoice),
  loadError(model, _, cause) {
    const message = `${model.path} cannot be loaded: ${reason(cause)}; a helper must speak the protocol of docs/engine-protocol.md`;
    return new DepthlineError('MODEL', message, { cause });
  },
};
