import { DepthlineError, reason } from '../../../core/errors.ts';
import type { KServeChoice } from '../choice.ts';
import type { MainSide } from '../main-side.ts';
import { serverName } from './server-name.ts';

export const mainSide: MainSide = {
  loadError(_, { engine }, cause) {
    const message = `${serverName(engine as KServeChoice)} cannot be used: ${reason(cause)}`;
    return new DepthlineError('MODEL', message, { cause });
  },
};
