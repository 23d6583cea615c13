import { fromResiduals } from '../../src/depth/residuals.ts';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

export type DecodeResponse =
  | { readonly id: number; readonly steps: Uint16Array<ArrayBuffer> }
  | { readonly id: number; readonly problem: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<DecodeRequest>) => void;
  postMessage(response: DecodeResponse, transfer: Transferable[]): void;
};

scope.onmessage = ({ data }) => {
  decode(data).then(
    (steps) => scope.postMessage({ id: data.id, steps }, [steps.buffer]),
    (error: unknown) => scope.postMessage({ id: data.id, problem: String(error) }, []),
  );
};

async function decode(request: DecodeRequest): Promise<Uint16Array<ArrayBuffer>> {
  const stream = new Blob([request.bytes])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  return fromResiduals(new Uint8Array(await new Response(stream).arrayBuffer()), request);
}
