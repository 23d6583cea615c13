import type { Logger } from '../core/component-context.ts';
import type { RunSummary } from '../runtime/run-handle.ts';
import { isLogJson, type LogLevel, print, printJson, printLog } from './output.ts';
import { formatSummary, jsonSummary, type StatusLine } from './run-output.ts';

/** Prints what a run did. */
export function showSummary(summary: RunSummary, stats: 'text' | 'json' | 'none'): void {
  if (stats === 'json') printJson(jsonSummary(summary));
  if (stats === 'text') printSummary(summary);
}

/** With `--log json` there is nothing on standard output but what `--stats json` prints. */
function printSummary(summary: RunSummary): void {
  const text = formatSummary(summary);
  if (isLogJson()) printLog('info', text, { event: 'summary', summary: jsonSummary(summary) });
  else print(text);
}

/** Messages of a run, above its status. */
export function runLogger(status: StatusLine, shown: boolean): Logger {
  const print = (level: LogLevel) => (message: string, component?: string) => {
    if (!shown && level !== 'warn') return;
    if (level === 'debug' && !process.env.DEPTHLINE_DEBUG) return;
    // As text, the message begins with the name of the component.
    const prefix = component !== undefined && isLogJson() ? `${component}: ` : '';
    const own = message.startsWith(prefix) ? message.slice(prefix.length) : message;
    status.print(level, own, component === undefined ? {} : { component });
  };
  return { debug: print('debug'), info: print('info'), warn: print('warn') };
}
