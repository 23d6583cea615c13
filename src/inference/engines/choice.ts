/** Names of the engines, as in a pipeline file. */
export const engineNames = ['onnxruntime', 'process', 'kserve'] as const;
export type EngineName = (typeof engineNames)[number];

/** Execution providers of ONNX Runtime that onnxruntime-node knows on Linux. */
export const providerNames = ['cpu', 'cuda', 'tensorrt', 'webgpu'] as const;

/** Options of execution providers, as far as onnxruntime-node takes them. */
export interface ProviderOptions {
  readonly cuda?: { readonly device: number } | undefined;
  readonly tensorrt?: { readonly device: number } | undefined;
  readonly webgpu?: { readonly layout: 'NCHW' | 'NHWC' } | undefined;
}

/** Name of the file that Node.js loads. */
export const bindingFile = 'onnxruntime_binding.node';

/** ONNX Runtime in the inference thread. */
export interface OnnxRuntimeChoice {
  readonly name: 'onnxruntime';
  readonly options?: ProviderOptions | undefined;
  /** Folder with another build of onnxruntime-node's binding, onnxruntime_binding.node, and its libraries. */
  readonly binding?: string | undefined;
}

/** A helper process that runs the network (docs/engine-protocol.md). */
export interface ProcessChoice {
  readonly name: 'process';
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Longest time for one picture, milliseconds. */
  readonly deadlineMs: number;
  /** Longest time without a sign of life while the network is loaded, milliseconds. */
  readonly startWithinMs: number;
}

/** An inference server that speaks the Open Inference Protocol (KServe v2) over HTTP or gRPC. */
export interface KServeChoice {
  readonly name: 'kserve';
  /** Where it listens: `http://127.0.0.1:8000`, `grpc://127.0.0.1:8001`. */
  readonly url: string;
  /** Its name for the model; default: that of the manifest. */
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  /** Longest time for one picture, milliseconds. */
  readonly deadlineMs: number;
  /** Longest time until the server has the model, milliseconds. */
  readonly startWithinMs: number;
  /** The Authorization header, or metadata; secret. */
  readonly authorization?: string | undefined;
  /** Paths of PEM files. */
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly certificate?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
}

/** Which engine runs the network, with its settings. */
export type EngineChoice = OnnxRuntimeChoice | ProcessChoice | KServeChoice;

export const defaultEngine: EngineChoice = { name: 'onnxruntime' };
