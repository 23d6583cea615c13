import type { ValueProblem } from '../../../core/option-problems.ts';
import type { KServeChoice } from '../choice.ts';

type Given = Pick<KServeChoice, 'url' | 'authorization' | 'tls'>;

/** What is wrong with where a server is said to be, and how it is asked. */
export function addressProblems({ url, authorization, tls }: Given): ValueProblem[] {
  // The schema says what is wrong with the address as such.
  if (!URL.canParse(url)) return [];
  const { protocol, host, port, pathname, username, password } = new URL(url);
  const at = (option: string, message: string): ValueProblem => ({
    path: ['kserve', option],
    message,
  });
  const problems: ValueProblem[] = [];
  if (host === '') problems.push(at('url', `must name a host: ${protocol}//127.0.0.1:8001`));
  else if (protocol.startsWith('grpc')) {
    if (port === '') problems.push(at('url', 'needs a port with gRPC, such as 8001 of Triton'));
    if (pathname !== '' && pathname !== '/') {
      problems.push(at('url', `cannot have a path with gRPC; remove "${pathname}"`));
    }
  }
  if (!isDecodable(username + password)) {
    problems.push(at('url', 'has a user or password with a % that is not an escape; write %25'));
  }
  if (authorization !== undefined && !/^[\x20-\x7e]+$/.test(authorization)) {
    problems.push(at('authorization', 'must be one line of ASCII characters'));
  }
  if (tls && !protocol.endsWith('s:')) {
    const safe = protocol.replace(':', 's:');
    problems.push(at('tls', `is only for ${safe}//; write ${safe}// in "url", or remove it`));
  }
  if (tls && (tls.certificate === undefined) !== (tls.key === undefined)) {
    problems.push(at('tls', 'must have "certificate" and "key" together'));
  }
  return problems;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
