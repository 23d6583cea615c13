import type { Logger } from '../core/component-context.ts';
import { mask } from '../core/secrets.ts';

/** The log of a component: its name before each message, without secrets. */
export function componentLog(log: Logger, name: string): Logger {
  return {
    debug: (message) => log.debug(mask(`${name}: ${message}`), name),
    info: (message) => log.info(mask(`${name}: ${message}`), name),
    warn: (message) => log.warn(mask(`${name}: ${message}`), name),
  };
}

/** The log of a camera among several: its name before that of the component. */
export function cameraLog(log: Logger, camera: string): Logger {
  const tell = (level: keyof Logger) => (message: string, component?: string) =>
    component === undefined
      ? log[level](`${camera}: ${message}`, camera)
      : log[level](`${camera}/${message}`, `${camera}/${component}`);
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn') };
}
