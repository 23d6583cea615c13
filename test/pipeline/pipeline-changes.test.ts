import { expect, it } from 'vitest';
import { noteSecrets } from '../../src/core/secrets.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { pipelineChanges } from '../../src/pipeline/pipeline-changes.ts';
import { web } from '../../src/sinks/web.ts';
import { rtsp } from '../../src/sources/rtsp.ts';

const password = 'first-password';
const camera = (secret: string) => `rtsp://viewer:${secret}@camera.example/1`;
const pipeline = (url: string, token?: string) => {
  noteSecrets({ url, token });
  return definePipeline({
    source: rtsp({ url }),
    sinks: [web({ port: 0, ...(token !== undefined && { token }) })],
  });
};

it.each([
  {
    name: 'another password in an address',
    to: pipeline(camera('second-password')),
    says: 'source rtsp: url: "rtsp://***@camera.example/1", with another secret',
  },
  {
    name: 'another address',
    to: pipeline(camera(password).replace('/1', '/2')),
    says: 'source rtsp: url: "rtsp://***@camera.example/1" → "rtsp://***@camera.example/2"',
  },
])('names $name without the secret', ({ to, says }) => {
  expect(pipelineChanges(pipeline(camera(password)), to).restart).toEqual([says]);
});

it('tells a token that is added or removed from one that is replaced', () => {
  const of = (from?: string, to?: string) =>
    pipelineChanges(pipeline(camera(password), from), pipeline(camera(password), to)).restart;
  expect(of(undefined, 'token-one')).toEqual(['sinks[0] web: token: not set → ***']);
  expect(of('token-one', undefined)).toEqual(['sinks[0] web: token: *** → not set']);
  expect(of('token-one', 'token-two')).toEqual(['sinks[0] web: token: ***, with another secret']);
});
