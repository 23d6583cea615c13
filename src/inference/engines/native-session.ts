import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { InferenceSession, OnnxValue, Tensor } from 'onnxruntime-node';
import { bindingFile } from './choice.ts';

type Values = Record<string, OnnxValue>;
type Metadata = InferenceSession.ValueMetadata;

/** The native part of onnxruntime-node, as its own JavaScript uses it. */
interface Binding {
  readonly InferenceSession: new () => BoundSession;
  initOrtOnce(logLevel: number, tensor: typeof Tensor, isMainThread: boolean): void;
}

interface BoundSession {
  readonly inputMetadata: readonly BoundMetadata[];
  readonly outputMetadata: readonly BoundMetadata[];
  loadModel(path: string, options: InferenceSession.SessionOptions): void;
  run(feeds: Values, fetches: Record<string, null>, options: object): Values;
  dispose(): void;
}

interface BoundMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
  /** In place of the dimensions that are -1. */
  readonly symbolicDimensions: readonly string[];
}

/** ONNX Runtime throws what it would print on stderr. */
const fatal = 4;

/** Types by ONNX's numbers. */
const types = [
  ...['undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64'],
  ...['string', 'bool', 'float16', 'float64', 'uint32', 'uint64'],
];

const require = createRequire(import.meta.url);

/**
 * A session of ONNX Runtime whose calls block. onnxruntime-node puts each of them off to the next turn of the
 * event loop and wraps it in promises, which a thread that does nothing else pays for with each picture.
 */
export class NativeSession {
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  readonly outputNames: readonly string[];
  readonly #bound: BoundSession;

  /** @throws Error if the model cannot be loaded */
  constructor(tensor: typeof Tensor, path: string, options: InferenceSession.SessionOptions) {
    const binding = require(bindingPath()) as Binding;
    binding.initOrtOnce(fatal, tensor, isMainThread);
    this.#bound = new binding.InferenceSession();
    this.#bound.loadModel(path, options);
    this.inputMetadata = this.#bound.inputMetadata.map(described);
    this.outputMetadata = this.#bound.outputMetadata.map(described);
    this.outputNames = this.#bound.outputMetadata.map(({ name }) => name);
  }

  /** One output, in new memory. @throws Error if the model fails on these inputs */
  run(feeds: Values, output: string): Tensor {
    return this.#bound.run(feeds, { [output]: null }, {})[output] as Tensor;
  }

  release(): void {
    this.#bound.dispose();
  }
}

/** The native part within the package onnxruntime-node. */
export function bindingPath(): string {
  const folder = require.resolve('onnxruntime-node/package.json').replace(/package\.json$/, '');
  return `${folder}bin/napi-v6/${process.platform}/${process.arch}/${bindingFile}`;
}

function described({ name, isTensor, type, shape, symbolicDimensions }: BoundMetadata): Metadata {
  if (!isTensor) return { name, isTensor };
  return {
    name,
    isTensor,
    type: (types[type] ?? `type ${type}`) as Tensor.Type,
    shape: shape.map((size, i) => (size === -1 ? (symbolicDimensions[i] ?? '') : size)),
  };
}
