import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { summaryOf } from '../support/cli.ts';
import { dashboardQueries } from '../support/dashboard.ts';
import { prometheusTool, type Sample, scrape } from '../support/prometheus.ts';
import { everyWay, serveRun } from '../support/served-run.ts';

const tool = prometheusTool('prometheus');
if (!tool) console.warn('skipped: Debian’s prometheus is not in out/packages; run make test');

const frames = 60;
const token = 'a-long-enough-token';

/** `branch=discard reason=… stage=…` → value */
function series(samples: readonly Sample[], name: string): Record<string, number> {
  const ours = samples.filter(({ metric }) => metric.__name__ === name);
  return Object.fromEntries(
    ours.map(({ metric, value }) => {
      const { __name__, job, instance, ...labels } = metric;
      return [Object.entries(labels).toSorted().flat().join(' '), value];
    }),
  );
}

describe.skipIf(!tool)('Prometheus', () => {
  it('reads the figures of the summary, and can evaluate the dashboard', async () => {
    const env = { DEPTHLINE_SERVE_TOKEN: token };
    const run = await serveRun(everyWay(frames), { args: ['--stats', 'json'], env });
    const scrapeConfig = `    authorization: { credentials: ${token} }`;
    const prometheus = await scrape(run.address, { scrapeConfig });
    let samples: readonly Sample[] = [];
    // In one query: where a scrape takes too long, Prometheus has no values until the next.
    const through = async () => {
      samples = await prometheus.query('{__name__=~"depthline_.*"}');
      const [captured] = Object.values(series(samples, 'depthline_captured_frames_total'));
      const inFlight = Object.values(series(samples, 'depthline_in_flight_frames'));
      return { captured, flying: inFlight.length === 0 || inFlight.some((count) => count > 0) };
    };
    await expect.poll(through).toEqual({ captured: frames + 3, flying: false });
    for (const [title, query] of dashboardQueries()) {
      // What is empty while all is well, and rates before the second scrape.
      const asked = query.replace(/ > 0$/, '');
      // Only runs of several cameras have it: here it is only evaluated.
      if (/depthline_camera_state/.test(query)) {
        expect(await prometheus.query(asked), title).toEqual([]);
        continue;
      }
      const answer = expect.poll(() => prometheus.query(asked), { message: `${title}: ${asked}` });
      await answer.not.toEqual([]);
    }
    const page = await fetch(`${run.address}metrics`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(page.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    // Fails, and prints, if a name or a type is not as Prometheus advises.
    const promtool = prometheusTool('promtool') as string;
    execFileSync(promtool, ['check', 'metrics'], {
      input: await page.text(),
      stdio: 'pipe',
      timeout: 60_000,
    });
    run.child.kill('SIGINT');
    const finished = await run.finished;
    const summary = summaryOf(finished);
    expect(finished.code).toBe(0);

    const all = (name: string) => series(samples, name);
    const byBranch = (value: (branch: (typeof summary.branches)[number]) => number) =>
      Object.fromEntries(summary.branches.map((one) => [`branch ${one.name}`, value(one)]));
    expect(all('depthline_captured_frames_total')).toEqual({ '': summary.captured });
    expect(all('depthline_delivered_frames_total')).toEqual(byBranch((one) => one.delivered));
    expect(all('depthline_failed_frames_total')).toEqual(byBranch((one) => one.failed));
    expect(all('depthline_added_frames_total')).toEqual(byBranch((one) => one.added));
    expect(all('depthline_dropped_frames_total')).toEqual(
      Object.fromEntries(
        summary.branches.flatMap(({ name, dropped }) =>
          dropped.map(({ stage, reason, count }) => [
            `branch ${name} reason ${reason} stage ${stage}`,
            count,
          ]),
        ),
      ),
    );
    expect(all('depthline_frame_age_seconds_count')).toEqual(byBranch((one) => one.delivered));
    expect(all('depthline_restarts_total')['stage runs-dry']).toBe(1);
    expect(summary.restarts).toEqual([{ stage: 'runs-dry', count: 1 }]);
    // The pipeline has drops, failures and missing frames to compare.
    const reasons = new Set(
      summary.branches.flatMap(({ dropped }) => dropped.map(({ reason }) => reason)),
    );
    expect([...reasons]).toEqual(
      expect.arrayContaining(['at capture', 'queue full', 'sampled out']),
    );
    const failing = summary.branches.find(({ name }) => name === 'fails-at-times');
    expect(failing?.failed).toBeGreaterThan(0);
  });
});
