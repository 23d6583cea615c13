import { SingleBar } from 'cli-progress';

/** A progress bar on stderr, if that is a terminal. */
export function progressBar(total: number, what: string, shown: boolean): SingleBar | undefined {
  if (!shown || !process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${what}, {eta_formatted} left`,
    clearOnComplete: true,
  });
  bar.start(total, 0);
  return bar;
}
