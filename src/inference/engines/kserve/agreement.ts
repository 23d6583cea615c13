import { NoAgreement, NoAnswer } from './failures.ts';

/** What a server did that had begun to listen to us. */
export const closedConnection = 'closed the connection';

/** What connections end with that cannot come about, and what to do. */
const disagreements: readonly (readonly [
  sign: RegExp,
  says: (text: string, plain: string) => string,
])[] = [
  [
    /wrong version number|packet length too long/,
    (_, plain) => `does not speak TLS at this port; write ${plain}:// in "url"`,
  ],
  [
    /alert (?:certificate required|bad certificate|handshake failure|unknown ca)/,
    () => 'does not trust this client; set "certificate" and "key" of "tls"',
  ],
  [
    /altname/i,
    () => 'has a certificate for another name; write the name in its certificate in "url"',
  ],
  [
    /certificate|CERT|self-signed|issuer/,
    (text) => `has a certificate that is not trusted (${text}); set "ca" of "tls"`,
  ],
  [
    /Expected HTTP\//,
    () =>
      'does not speak HTTP at this port; for gRPC write grpc:// in "url", else correct the port',
  ],
  [
    /Protocol error/,
    () =>
      'does not speak gRPC at this port; for HTTP write http:// in "url", else correct the port',
  ],
];

/**
 * Why there is no connection: it cannot be agreed on, or there is none now.
 *
 * @param plain the scheme without TLS
 */
export function noConnection(text: string, plain: 'http' | 'grpc', code = ''): NoAnswer {
  const signs = `${code} ${text}`;
  for (const [sign, says] of disagreements) {
    if (sign.test(signs)) return new NoAgreement(says(text, plain));
  }
  for (const [sign, says] of passing) if (sign.test(signs)) return new NoAnswer(says);
  return new NoAnswer(`cannot be reached: ${tidy(text)}`);
}

const passing: readonly (readonly [sign: RegExp, says: string])[] = [
  [/ECONNREFUSED/, 'refuses connections'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, 'has a host that is not known'],
  [
    /ECONNRESET|EPIPE|socket hang up|aborted|Connection dropped|Failed to connect/,
    closedConnection,
  ],
];

/** OpenSSL's own words, without its numbers and places. */
function tidy(text: string): string {
  return text.replace(/^.*error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):.*$/s, '$1').trim();
}
