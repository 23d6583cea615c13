import { describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { defineCameras } from '../../src/pipeline/cameras.ts';
import { pipelineFileSchema } from '../../src/pipeline/json-schema.ts';
import {
  type LoadOptions,
  parsePipeline,
  requirePipeline,
} from '../../src/pipeline/pipeline-file.ts';
import { discard } from '../../src/sinks/discard.ts';
import { file } from '../../src/sinks/file.ts';
import { zeromq } from '../../src/sinks/zeromq.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';

const two = 'cameras: { front: test-pattern, rear: test-pattern }\n';

async function load(text: string, options: Partial<LoadOptions> = {}) {
  return parsePipeline(text, 'c.yaml', { registry: builtins, checks: 'none', ...options });
}

async function problems(text: string): Promise<string[]> {
  const { problems: found } = await load(text);
  return found.map(({ line, message }) => `${line} ${message}`);
}

describe('a pipeline file with cameras', () => {
  it('gives a pipeline per camera, with its name in options', async () => {
    const { cameras, pipeline } = await load(
      `${two}operators: [flip]\nsinks:\n  - file: { directory: "out/{camera}", format: png }\n  - zeromq: { bind: "tcp://127.0.0.1:5556", topic: "{camera}-depth" }\n`,
      { checks: 'none' },
    );
    expect(pipeline).toBeUndefined();
    expect(
      cameras?.cameras.map(({ camera, source, branches }) => [
        camera,
        source.definition.name,
        ...branches.map(({ sink: { options } }) => {
          const { directory, topic } = options as { directory?: string; topic?: string };
          return directory ?? topic;
        }),
      ]),
    ).toEqual([
      // A sink that takes the frames of all puts the names in itself.
      ['front', 'test-pattern', 'out/front', '{camera}-depth'],
      ['rear', 'test-pattern', 'out/rear', '{camera}-depth'],
    ]);
  });

  it('gives each camera the operators and sinks that are for it', async () => {
    const { cameras } = await load(
      `${two}operators:\n  - flip\n  - crop: { aspect: "1:1" }\n    cameras: [rear]\nsinks:\n  - discard\n  - file: { directory: out, format: png }\n    cameras: [rear]\n`,
    );
    const shape = cameras?.cameras.map(({ operators, branches }) =>
      [...operators, ...branches].map(({ path }) => path),
    );
    expect(shape).toEqual([
      ['operators[0] flip', 'sinks[0] discard'],
      ['operators[0] flip', 'operators[1] crop', 'sinks[0] discard', 'sinks[1] file'],
    ]);
  });

  it('takes replacements by the name of the camera', async () => {
    const { cameras } = await load(`${two}sinks: [discard]\n`, {
      set: ['cameras.rear.test-pattern.fps=7'],
    });
    expect(cameras?.cameras.map(({ source }) => (source.options as { fps: number }).fps)).toEqual([
      30, 7,
    ]);
  });

  it.each([
    [
      `source: test-pattern\n${two}sinks: [discard]\n`,
      '1 there are "cameras" too; give it a name and move it there',
    ],
    [
      'cameras: {}\nsinks: [discard]\n',
      '1 cameras: needs at least one camera: a name, and its source',
    ],
    [
      'cameras: [test-pattern]\nsinks: [discard]\n',
      '1 cameras: must name each camera and its source, such as',
    ],
    [
      'cameras:\n  "front left": test-pattern\nsinks: [discard]\n',
      '2 the name "front left" of a camera must be letters, digits and "-"',
    ],
    [
      'cameras:\n  a/../b: test-pattern\nsinks: [discard]\n',
      '2 the name "a/../b" of a camera must be letters, digits and "-"',
    ],
    [
      'cameras:\n  a: test-pattern\n  a: test-pattern\nsinks: [discard]\n',
      '3 not valid YAML: Map keys must be unique',
    ],
    [
      'cameras:\n  a: test-patern\nsinks: [discard]\n',
      '2 unknown source "test-patern"; did you mean "test-pattern"?',
    ],
    [
      'cameras:\n  a: { test-pattern: {}, images: {} }\nsinks: [discard]\n',
      '2 "images" is in the same item as "test-pattern"; a camera has one source',
    ],
    [
      `${two}sinks:\n  - discard: {}\n    cameras: [frot]\n`,
      '4 cameras: there is no camera "frot"; did you mean "front"?',
    ],
    [
      'cameras: [front]\nsinks: [discard]\n',
      '1 cameras: must name each camera and its source, such as "front: { csi-camera: {} }"',
    ],
    [
      `cameras:\n  ${'a'.repeat(80)}: test-pattern\nsinks: [discard]\n`,
      `2 the name "${'a'.repeat(67)}…" of a camera is too long: at most 64 characters`,
    ],
    [`${two}sinks:\n  - discard: {}\n    cameras: []\n`, '4 cameras: must have at least 1 item'],
    [
      `${two}sinks:\n  - discard: {}\n    cameras: [front]\n`,
      '1 no sink takes the frames of camera "rear"; "discard" only counts them',
    ],
    [
      'source: test-pattern\nsinks:\n  - discard: {}\n    cameras: [front]\n',
      '4 cameras: the pipeline has one source; name its cameras under "cameras" instead of "source"',
    ],
    [
      `${two}operators:\n  - crop: { aspect: "1:1" }\n    cameras: [reer]\nsinks: [discard]\n`,
      '4 cameras: there is no camera "reer"; did you mean "rear"?',
    ],
    [`${two}sinks:\n  - file: { directory: out, format: png }\n`, '3 directory: the folder '],
    [
      `${two}sinks: [discard]\ntests: [{ name: a, source: { fps: 1 }, expect: { discard: { delivered: 1 } } }]\n`,
      '3 needs a pipeline with one "source"',
    ],
  ])('%j', async (text, message) => {
    const found = await problems(text);
    expect(
      found.some((one) => one.startsWith(message)),
      found.join('\n'),
    ).toBe(true);
  });

  it('says of two cameras that write to the same place what to write instead', async () => {
    const [problem] = await problems(`${two}sinks:\n  - file: { directory: out, format: png }\n`);
    expect(problem).toMatch(
      /out is written for camera "front" too; put \{camera\} in its name, so that each camera has its own$/,
    );
  });

  it('reports a mistake that all cameras share once', async () => {
    expect(
      await problems(`${two}operators:\n  - clamp: { mni: 1 }\nsinks: [discard]\n`),
    ).toHaveLength(1);
  });

  it('is one for commands that take one source', async () => {
    await expect(requirePipeline('pipelines/cameras.yaml', { registry: builtins })).rejects.toThrow(
      /has the cameras front, rear, .* and this takes one source/,
    );
  });

  it('is in the schema', () => {
    const { properties } = pipelineFileSchema(builtins) as {
      properties: Record<
        string,
        { propertyNames?: { pattern?: string }; additionalProperties?: object }
      >;
    };
    expect(properties.cameras?.propertyNames?.pattern).toBe('^[a-zA-Z0-9][a-zA-Z0-9-]*$');
    expect(properties.cameras?.additionalProperties).toEqual(properties.source);
  });
});

describe('a recording in place of a camera', () => {
  const text = `${two}sinks:\n  - discard\n  - file: { directory: out, format: png }\n    cameras: [rear]\n`;
  const source = { 'test-pattern': { fps: 3 } };

  it('runs what the pipeline says of that camera', async () => {
    const { cameras } = await load(text, { source, camera: 'front' });
    expect(cameras?.cameras.map(({ camera, branches }) => [camera, branches.length])).toEqual([
      ['front', 1],
    ]);
  });

  it('asks for the camera', async () => {
    await expect(load(text, { source })).rejects.toThrow(
      'say with --camera whose recording it is: front, rear',
    );
    await expect(load(text, { source, camera: 'raer' })).rejects.toThrow(
      'there is no camera "raer"; did you mean "rear"?',
    );
  });
});

describe('defineCameras', () => {
  const cameras = { front: testPattern(), rear: testPattern() };

  it('names every mistake once', () => {
    const sinks = [
      { sink: discard(), cameras: ['raer'] },
      file({ directory: 'out', format: 'tiff' as never }),
    ];
    expect(() => defineCameras({ cameras, sinks })).toThrow(
      /raer"; did you mean "rear"\?[\s\S]*format/,
    );
  });

  it('keeps the instances that options hold', () => {
    const sinks = [zeromq({ bind: 'tcp://127.0.0.1:5556' })];
    expect(defineCameras({ cameras, sinks }).cameras).toHaveLength(2);
  });
});
