import { expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { parsePipeline, requireValid } from '../../src/pipeline/pipeline-file.ts';
import { allWarnings } from '../../src/pipeline/pipeline-warnings.ts';

async function warnings(text: string): Promise<string[]> {
  const loaded = await parsePipeline(text, 'p.yaml', { registry: builtins, checks: 'none' });
  return allWarnings(requireValid(loaded));
}

const sinks = `
operators:
  - estimate-depth
sinks:
  - file: { directory: "out/{camera}", format: png16 }
  - zeromq: { bind: "tcp://127.0.0.1:5556", topic: "d/{camera}" }
  - nats: { subject: "depth.{camera}" }
  - web: { title: "{camera}" }
  - discard:
    operators: [resize: { width: 8, height: 8 }]
`;

it('warns of {camera} in a pipeline of one source, wherever it is used as it is', async () => {
  const why = '{camera} is used as it is: the pipeline has one source, without a name; name its';
  expect(
    await warnings(`source: { gstreamer: { launch: "videotestsrc name={camera}" } }${sinks}`),
  ).toEqual([
    expect.stringContaining(`source gstreamer: warning: launch: ${why}`),
    expect.stringContaining(`sinks[0] file: warning: directory: ${why}`),
    expect.stringContaining(`sinks[1] zeromq: warning: topic: ${why}`),
    expect.stringContaining(`sinks[3] web: warning: title: ${why}`),
  ]);
});

it('warns of {camera} in a source that another one reads', async () => {
  const eye = (device: string) => `{ usb-camera: { device: "${device}" } }`;
  const source = `source: { stereo: { left: ${eye('/dev/{camera}')}, right: ${eye('/dev/r')} } }`;
  expect(await warnings(`${source}\noperators: [take-eye]\nsinks: [discard]`)).toEqual([
    expect.stringMatching(/^source stereo: warning: left\.usb-camera\.device: \{camera\} is used/),
  ]);
});

it('warns of several cameras only where one sink has no name for all of them', async () => {
  const cameras = 'cameras:\n  a: { video-file: { path: "package.json" } }\n  b: test-pattern';
  expect(await warnings(`${cameras}${sinks}`)).toEqual([
    'sinks[3] web: warning: title: {camera} is used as it is: the sink is there once for all cameras; remove it',
  ]);
});
