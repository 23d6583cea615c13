import { durationText } from '../../../core/units.ts';

/** The server was not there, or did not answer in time. */
export class NoAnswer extends Error {}

/** It did not answer in time. */
export class Late extends NoAnswer {
  constructor(deadlineMs: number) {
    super(`gave no answer within ${durationText(deadlineMs)}`);
  }
}

/** TLS or the protocol cannot be agreed on: that will not change by itself. */
export class NoAgreement extends NoAnswer {}

/** The server has sent more than an answer can be. */
export class TooLong extends Error {
  /** @param most bytes */
  constructor(most: number) {
    super(`sent more than ${most} bytes`);
  }
}

/** What the server has sent cannot be an answer. */
export class BadAnswer extends Error {}

/**
 * Whom a refusal concerns: the server, or its model, is not there now; the credentials are not right; or it does not
 * like this picture.
 */
export type Blame = 'server' | 'credentials' | 'picture';

/** The server has answered that it will not do it. */
export class Refused extends Error {
  readonly blame: Blame;

  constructor(blame: Blame, message: string) {
    super(message);
    this.blame = blame;
  }
}

/** Whom an HTTP status other than 200 concerns. */
export function blameOf(status: number): Blame {
  if (status === 401 || status === 403) return 'credentials';
  const isServer = status >= 500 || status === 404 || status === 408 || status === 429;
  return isServer ? 'server' : 'picture';
}
