import { type ServiceError, status } from '@grpc/grpc-js';
import { noConnection } from './agreement.ts';
import { BadAnswer, type Blame, blameOf, Late, Refused, TooLong } from './failures.ts';

/** What a call that failed means. @param deadlineMs that it had */
export function grpcFailure({ code, details }: ServiceError, deadlineMs: number): Error {
  if (code === status.DEADLINE_EXCEEDED) return new Late(deadlineMs);
  for (const [pattern, failure] of ofTheClient) {
    const found = pattern.exec(details);
    if (found) return failure(found[1] ?? '');
  }
  return new Refused(blames[code] ?? 'server', `answered ${status[code]}: ${details}`);
}

/** What grpc-js itself says, in the words of its status. */
const ofTheClient: readonly (readonly [RegExp, (found: string) => Error])[] = [
  [
    /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-\S+Z\))?\. Resolution note: .*$/s,
    (why) => noConnection(why, 'grpc'),
  ],
  [/^(Name resolution failed|Connection dropped)/, (why) => noConnection(why, 'grpc')],
  [/^Received message larger than max \(\d+ vs (\d+)\)/, (most) => new TooLong(Number(most))],
  [/^Response message parsing error/, () => new BadAnswer('is no message of this protocol')],
  [/\(Call ended without gRPC status\)/, () => new BadAnswer('ends without a status')],
  [
    /^Received HTTP status code (\d+)/,
    (code) => new Refused(blameOf(Number(code)), `answered the HTTP status ${code}`),
  ],
];

/** Statuses of the server that say nothing against the server itself. */
const blames: Readonly<Partial<Record<status, Blame>>> = {
  [status.INVALID_ARGUMENT]: 'picture',
  [status.FAILED_PRECONDITION]: 'picture',
  [status.OUT_OF_RANGE]: 'picture',
  [status.UNIMPLEMENTED]: 'picture',
  [status.UNAUTHENTICATED]: 'credentials',
  [status.PERMISSION_DENIED]: 'credentials',
};
