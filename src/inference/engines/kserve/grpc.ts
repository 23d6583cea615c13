import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  Client,
  type ClientOptions,
  connectivityState,
  credentials,
  logVerbosity,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { packageDirectory } from '../../../core/entry-point.ts';
import { authorizationOf } from './authorization.ts';
import { type ClientSetup, type ModelClient, mostAtFirst } from './client.ts';
import { grpcFailure } from './grpc-failure.ts';
import {
  depthOf,
  type InferAnswer,
  inferRequest,
  type MetadataAnswer,
  modelOf,
} from './grpc-message.ts';

const protocol = join(packageDirectory(), 'engines/kserve/inference.proto');

const options: ClientOptions = {
  'grpc.max_receive_message_length': mostAtFirst,
  'grpc.max_send_message_length': -1,
  // A server that is back is found soon. Its pauses are those of kserve.ts, too.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // As over HTTP: no proxy of the environment, nothing from TXT records, a connection for each worker.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
};

/** The model over gRPC. */
export async function open(setup: ClientSetup): Promise<ModelClient> {
  // At most levels it prints the metadata of calls, which have the credentials.
  setLogVerbosity(logVerbosity.NONE);
  const { choice, manifest } = setup;
  const { model_name, model_version } = {
    model_name: choice.model ?? manifest.name,
    model_version: choice.version ?? '',
  };
  const service = await loadService();
  const connection = new Connection(setup);
  return {
    async describe(deadlineMs) {
      const asked = { name: model_name, version: model_version };
      return modelOf(await connection.call(service.ModelMetadata, asked, deadlineMs));
    },
    async infer(input, deadlineMs) {
      const request = inferRequest(manifest, { model_name, model_version }, input);
      return depthOf(await connection.call(service.ModelInfer, request, deadlineMs), manifest);
    },
    close: () => connection.close(),
  };
}

interface Service {
  readonly ModelMetadata: MethodDefinition<object, MetadataAnswer>;
  readonly ModelInfer: MethodDefinition<object, InferAnswer>;
}

/** The methods of engines/kserve/inference.proto. */
export async function loadService(): Promise<Service> {
  const loaded = await load(protocol, { keepCase: true, longs: Number, defaults: true });
  return loaded['inference.GRPCInferenceService'] as ServiceDefinition as unknown as Service;
}

/** One connection to a server, which is opened again when it is lost. */
class Connection {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #signal: AbortSignal;

  constructor({ choice, tls, signal }: ClientSetup) {
    const { protocol, host, hostname } = new URL(choice.url);
    const { ca, cert, key } = tls;
    // grpc-js asks for the certificate of an address, too; Node.js then warns, and does not.
    if (isIP(hostname.replace(/[[\]]/g, ''))) process.noDeprecation = true;
    const trust =
      protocol === 'grpcs:'
        ? credentials.createSsl(ca, key ?? null, cert ?? null)
        : credentials.createInsecure();
    this.#client = new Client(host, trust, options);
    this.#signal = signal;
    const authorization = authorizationOf(choice);
    if (authorization !== undefined) this.#metadata.set('authorization', authorization);
  }

  /** @throws see `ModelClient` */
  async call<Request, Answer>(
    method: MethodDefinition<Request, Answer>,
    request: Request,
    deadlineMs: number,
  ): Promise<Answer> {
    const end = performance.now() + deadlineMs;
    for (let first = true; ; first = false) {
      const wasConnected = this.#isConnected;
      try {
        return await this.#send(method, request, end - performance.now());
      } catch (error) {
        const failure = error as ServiceError;
        // The server had closed the idle connection: the request has not reached it.
        const lost = failure.code === status.UNAVAILABLE && !this.#isConnected;
        if (first && wasConnected && lost) continue;
        throw grpcFailure(failure, deadlineMs);
      }
    }
  }

  close(): void {
    this.#client.close();
  }

  get #isConnected(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  #send<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Answer>,
    request: Request,
    ms: number,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stop = () => call.cancel();
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        { deadline: Date.now() + ms },
        (error, answer) => {
          this.#signal.removeEventListener('abort', stop);
          if (error) reject(error);
          else resolve(answer as Answer);
        },
      );
      this.#signal.addEventListener('abort', stop);
    });
  }
}
