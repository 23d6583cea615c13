import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { valueProblems } from '../../src/core/option-problems.ts';
import type { ProviderOptions } from '../../src/inference/engines/choice.ts';
import { engineChoice } from '../../src/inference/engines/engine-options.ts';
import { withOptions } from '../../src/inference/engines/provider-options.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { fixtureModel } from '../support/models.ts';

const { options: schema } = estimateDepth;

describe('options of execution providers', () => {
  it('are those that onnxruntime-node takes', () => {
    const options = schema.parse({
      providers: ['tensorrt', 'cuda', 'webgpu', 'cpu'],
      onnxruntime: { cuda: { device: 1 }, tensorrt: { device: 2 }, webgpu: { layout: 'NHWC' } },
    });
    const engine = engineChoice(options);
    if (engine.name !== 'onnxruntime') throw new Error('the wrong engine');
    expect(options.providers.map((name) => withOptions(name, engine.options))).toEqual([
      { name: 'tensorrt', deviceId: 2 },
      { name: 'cuda', deviceId: 1 },
      { name: 'webgpu', preferredLayout: 'NHWC' },
      'cpu',
    ]);
    expect(withOptions('cuda', {})).toBe('cuda');
  });

  // Without a GPU, that the binding complains of a value shows that it has read it.
  it.each([
    ['cuda', { cuda: { device: 'one' } }, /A number was expected/],
    ['tensorrt', { tensorrt: { device: 'two' } }, /A number was expected/],
    ['webgpu', { webgpu: { layout: 'CHWN' } }, /Invalid preferred layout: CHWN/],
  ])('are read by the binding: %s', async (name, wrong, says) => {
    ort.env.logLevel = 'fatal';
    const provider = withOptions(name, wrong as unknown as ProviderOptions);
    const session = ort.InferenceSession.create(fixtureModel('metres'), {
      executionProviders: [provider],
    });
    await expect(session).rejects.toThrow(says);
  });
});

const kserve = (options: object, others: object = {}) => ({
  ...{ engine: 'kserve', kserve: { url: 'grpc://127.0.0.1:8001', ...options } },
  ...others,
});
const tls = { certificate: 'client.pem', key: 'client.key' };

it.each([
  [kserve({}), []],
  [kserve({ url: 'grpcs://[::1]:8001', tls: { ca: 'ca.pem' } }), []],
  [kserve({ url: 'https://me:50%25@host/base', tls, authorization: 'Bearer x' }), []],
  [
    kserve({ url: '127.0.0.1:8000' }),
    [/^kserve\.url must begin with http:\/\/, https:\/\/, grpc:/],
  ],
  [kserve({ url: 'grpc:127.0.0.1:8001' }), [/^kserve\.url must name a host/]],
  [kserve({ url: 'grpc://127.0.0.1' }), [/^kserve\.url needs a port with gRPC/]],
  [kserve({ url: 'grpc://host:8001/v2' }), [/^kserve\.url cannot have a path.*remove "\/v2"/]],
  [kserve({ url: 'http://me:50%@host' }), [/^kserve\.url has a user or password with a %/]],
  [kserve({ authorization: 'Bearer a\nb' }), [/^kserve\.authorization must be one line/]],
  [kserve({ tls: { ca: 'ca.pem' } }), [/^kserve\.tls is only for grpcs:\/\/; write grpcs:/]],
  [
    kserve({ url: 'https://host', tls: { key: 'client.key' } }),
    [/^kserve\.tls must have "certificate" and "key" together/],
  ],
  [kserve({}, { threads: 2 }), [/^threads is set on the server/]],
  [
    kserve({}, { providers: ['cuda', 'cpu'] }),
    [/^providers is only for engine: onnxruntime, and the engine is kserve/],
  ],
  [{ engine: 'process' }, [/^engine process needs its settings: add process: \{ … \}/]],
  [{ engine: 'proces' }, [/^engine "proces" is not valid.*process/]],
  [{ process: { command: ['./helper'] } }, [/^process is only for engine: process/]],
  [
    { onnxruntime: { cuda: { device: 0 } } },
    [/^onnxruntime\.cuda is of the provider cuda, which is not in "providers"/],
  ],
  [{ providers: ['webgpu', 'cpu'], workers: 1 }, []],
  [{ providers: ['webgpu', 'cpu'], workers: 2 }, [/^workers must be 1 with the provider webgpu/]],
])('refuses options that do not go together: %j', (options, says) => {
  const problems = valueProblems(schema, options);
  const texts = problems.map(({ path, message }) => `${path.join('.')} ${message}`);
  expect(texts).toEqual(says.map((pattern) => expect.stringMatching(pattern)));
});
