import { describe, expect, it } from 'vitest';
import {
  definePipeline,
  discard,
  openRunService,
  startPipeline,
  testPattern,
} from '../../src/index.ts';

describe('openRunService', () => {
  it('serves the runs of a program, one after the other', async () => {
    const service = await openRunService({ port: 0 });
    const metrics = async () => (await fetch(`${service.address}metrics`)).text();
    for (const frames of [3, 5]) {
      const source = testPattern({ width: 16, height: 16, frames });
      const pipeline = definePipeline({ source, sinks: [discard()] });
      const run = await startPipeline(pipeline, { observer: service.observer });
      service.attach(run);
      await run.done;
      const text = await metrics();
      expect(text).toContain(`depthline_delivered_frames_total{branch="discard"} ${frames}\n`);
      expect(text).toMatch(/^depthline_build_info\{version="\d+\.\d+\.\d+",node="\d+/m);
    }
    service.add({ method: 'GET', path: '/own', handle: () => ({ status: 200, body: 'mine' }) });
    expect(await (await fetch(`${service.address}own`)).text()).toBe('mine');
    await service.close();
  });

  it('refuses wrong options', async () => {
    await expect(openRunService({ port: -1, token: 'short' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'port: must be at least 0\ntoken: must have at least 8 characters',
    });
  });
});
