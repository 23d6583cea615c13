import { SingleBar } from 'cli-progress';

/** A bar on stderr where that is a terminal, or nothing. */
export function progressBar(total: number, what: string, shown: boolean): SingleBar | undefined {
  if (!shown || !process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${what}, {eta_formatted} left`,
    clearOnComplete: true,
  });
  bar.start(total, 0);
  return bar;
}
