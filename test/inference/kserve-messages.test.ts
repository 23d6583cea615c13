import { describe, expect, it } from 'vitest';
import { addSecret } from '../../src/core/secrets.ts';
import { loadService } from '../../src/inference/engines/kserve/grpc.ts';
import { depthOf, inferRequest, modelOf } from '../../src/inference/engines/kserve/grpc-message.ts';
import { errorText } from '../../src/inference/engines/kserve/http-message.ts';
import { modelProblem } from '../../src/inference/engines/kserve/tensors.ts';
import { manifestSchema } from '../../src/inference/manifest.ts';

const tensor = { name: 'picture', datatype: 'UINT8', shape: [-1, 6, 8, 3] };
const depth = { name: 'depth', datatype: 'FP32', shape: [-1, 6, 8, 1] };
const manifest = manifestSchema.parse({
  ...{ name: 'metres', file: 'metres.onnx' },
  input: { name: 'picture', layout: 'NHWC', dtype: 'uint8', width: 8, height: 6 },
  output: { name: 'depth', meaning: 'metres' },
});

it.each([
  [{}, undefined],
  [{ outputs: [{ ...depth, datatype: 'FP16', shape: [-1, 1, -1, -1] }] }, undefined],
  [{ inputs: [{ ...tensor, datatype: 'FP32' }] }, /input "picture" is FP32.*UINT8 \[1, 6, 8, 3\]/],
  [{ inputs: [{ ...tensor, shape: [1, 3, 6, 8] }] }, /input "picture" is UINT8 \[1, 3, 6, 8\]/],
  [{ inputs: [tensor, { ...tensor, name: 'more' }] }, /it has 2 inputs/],
  [{ outputs: [{ ...tensor, name: 'depth' }] }, /output "depth" is UINT8/],
  [{ outputs: [{ ...depth, shape: [1, 6, 8, 2] }] }, /must be one FP32 or FP16 picture/],
  [{ outputs: [] }, /it has no output "depth"/],
])('compares what a server says of its model with the manifest: %j', (said, says) => {
  const model = { platform: '', inputs: [tensor], outputs: [depth], ...said };
  const problem = modelProblem(model, manifest);
  if (says) expect(problem).toMatch(says);
  else expect(problem).toBeUndefined();
});

describe('messages over gRPC', () => {
  // Numbers and types of fields from the published protocol, not from our file.
  const field = (number: number, content: string | readonly number[] | Buffer) => {
    const bytes = Buffer.from(content as string);
    return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  };
  const tensor = (name: string, datatype: string, shape: readonly number[]) =>
    Buffer.concat([field(1, name), field(2, datatype), field(3, shape)]);

  it('are written as the published protocol says', async () => {
    const { ModelInfer } = await loadService();
    const model = { model_name: 'm', model_version: '7' };
    const request = inferRequest(manifest, model, Uint8Array.of(1, 2, 3));
    expect(ModelInfer.path).toBe('/inference.GRPCInferenceService/ModelInfer');
    expect(ModelInfer.requestSerialize(request)).toEqual(
      Buffer.concat([
        ...[field(1, 'm'), field(2, '7'), field(5, tensor('picture', 'UINT8', [1, 6, 8, 3]))],
        ...[field(6, field(1, 'depth')), field(7, [1, 2, 3])],
      ]),
    );
  });

  it('are read as the published protocol says, whatever else they have', async () => {
    const { ModelMetadata, ModelInfer } = await loadService();
    const described = Buffer.concat([
      ...[field(1, 'm'), field(2, '1'), field(3, 'onnx')],
      ...[
        field(4, tensor('picture', 'UINT8', [1, 6, 8, 3])),
        field(5, tensor('depth', 'FP32', [])),
      ],
    ]);
    expect(modelOf(ModelMetadata.responseDeserialize(described))).toEqual({
      platform: 'onnx',
      inputs: [{ name: 'picture', datatype: 'UINT8', shape: [1, 6, 8, 3] }],
      outputs: [{ name: 'depth', datatype: 'FP32', shape: [] }],
    });
    const parameter = Buffer.concat([field(1, 'a'), field(2, field(3, 'b'))]);
    const head = Buffer.concat([field(1, 'm'), field(2, '7'), field(3, 'id'), field(4, parameter)]);
    const [half, one] = [Buffer.from([0, 0, 0, 0x3f]), Buffer.from([0, 0, 0x80, 0x3f])];
    const bytes = Buffer.concat([
      ...[head, field(5, tensor('other', 'FP32', [1])), field(5, tensor('depth', 'FP32', [1, 1]))],
      ...[field(6, one), field(6, half)],
    ]);
    const square = (given: Buffer) => {
      const values = new Float32Array(4);
      depthOf(ModelInfer.responseDeserialize(given), manifest).copyTo(values);
      return [...values];
    };
    const shaped = tensor('depth', 'FP32', [1, 2, 2, 1]);
    const raw = Buffer.concat([half, one, half, one]);
    expect(square(Buffer.concat([head, field(5, shaped), field(6, raw)]))).toEqual([
      0.5, 1, 0.5, 1,
    ]);
    const contents = field(5, Buffer.concat([shaped, field(5, field(6, raw))]));
    expect(square(Buffer.concat([head, contents]))).toEqual([0.5, 1, 0.5, 1]);
    expect(() => square(bytes)).toThrow(/gave FP32 \[1, 1\] instead of one FP32 or FP16 picture/);
    const second = [field(5, tensor('other', 'FP32', [1])), field(5, shaped), field(6, one)];
    expect(square(Buffer.concat([...second, field(6, raw)]))).toEqual([0.5, 1, 0.5, 1]);
    expect(() => square(Buffer.concat(second))).toThrow(/gave 0 bytes of depth instead of 16/);
  });
});

it.each([
  ['of the protocol', (text: string) => JSON.stringify({ error: text }), 300],
  ['of a proxy', (text: string) => text, 100],
])('quotes no part of a secret from an answer %s', (_, write, most) => {
  addSecret('wd58-pf31-xj64');
  const text = errorText(Buffer.from(write(`${'a '.repeat(most / 2 - 3)}wd58-pf31-xj64 is wrong`)));
  expect(text.length).toBeLessThanOrEqual(most);
  expect(text).not.toMatch(/wd5/);
});
