import { authorizationOf } from './authorization.ts';
import { type ClientSetup, type ModelClient, mostAtFirst } from './client.ts';
import { blameOf, Refused } from './failures.ts';
import { type Answer, type Exchange, HttpClient } from './http-client.ts';
import {
  errorText,
  jsonLengthHeader,
  parseDepth,
  parseModel,
  requestHead,
} from './http-message.ts';
import type { DepthAnswer, ServerModel } from './tensors.ts';

/** The model over HTTP. */
export async function open({ choice, manifest, tls, signal }: ClientSetup): Promise<ModelClient> {
  const { url, model = manifest.name, version } = choice;
  const client = new HttpClient({ url, authorization: authorizationOf(choice), tls, signal });
  const of = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
  const path = `v2/models/${encodeURIComponent(model)}${of}`;
  let head: Buffer | undefined;
  return {
    async describe(deadlineMs): Promise<ServerModel> {
      const asked = { method: 'GET', path, deadlineMs, most: mostAtFirst } as const;
      return parseModel((await ask(client, asked)).body);
    },
    async infer(input, deadlineMs, most): Promise<DepthAnswer> {
      head ??= requestHead(manifest, input.length);
      const { body, headers } = await ask(client, {
        method: 'POST',
        path: `${path}/infer`,
        headers: {
          'content-type': 'application/octet-stream',
          [jsonLengthHeader]: head.length,
        },
        parts: [head, input],
        ...{ deadlineMs, most },
      });
      return parseDepth(body, headers, manifest);
    },
    close: () => client.close(),
  };
}

async function ask(client: HttpClient, exchange: Exchange): Promise<Answer> {
  const answer = await client.ask(exchange);
  const { status, body } = answer;
  if (status === 200) return answer;
  throw new Refused(blameOf(status), `answered ${status}: ${errorText(body)}`);
}
