import { expect, it } from 'vitest';
import { BareModel } from '../../src/benchmark/bare-model.ts';
import { workplace } from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';

it('closes in the middle of a picture without ending the process', async () => {
  const directory = workplace();
  putModel(directory, 'slow');
  const stop = new AbortController();
  const model = await BareModel.open({ model: './slow.onnx', baseDirectory: directory });
  const before = process.cpuUsage().user;
  const run = model.run(60, stop.signal);
  // Its thread computes.
  await until(() => process.cpuUsage().user - before > 100_000);
  stop.abort(new Error('interrupted'));
  await expect(run).rejects.toThrow('interrupted');
  await model.close();
});
