/** A URL as far as it holds secrets. Everything is as written, not decoded. */
export interface UrlParts {
  /** `user:password`, without the `@`. */
  readonly userinfo: string | undefined;
  readonly user: string;
  readonly password: string;
  /** Host and port. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** The path with all that could be a secret as `***`. */
  readonly visiblePath: string;
  /** What in the path and the query is likely to be one. */
  readonly secrets: readonly string[];
}

/** Local endpoints and files: their paths hold no secrets. */
const pathIsPlain = /^(?:file|tcp|ipc|inproc)$/i;

/** The URLs in a text; a text that begins as one is one. */
export function findUrls(text: string): string[] {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !/[\s!]/.test(text)) return [text];
  return text.match(/(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>]+/gi) ?? [];
}

/** Takes a URL apart as people write them: a password may hold `/`, `?`, `#` and `@` as they are. */
export function urlParts(url: string): UrlParts {
  const [, scheme = '', rest = ''] = /^([^:]*):\/\/(.*)$/s.exec(url) ?? [];
  const end = endOfUserinfo(rest);
  const userinfo = end < 0 ? undefined : rest.slice(0, end);
  const colon = userinfo?.indexOf(':') ?? -1;
  const [, authority, path] = /^([^/?#]*)(.*)$/s.exec(rest.slice(end + 1)) as unknown as [
    string,
    string,
    string,
  ];
  const plain = pathIsPlain.test(scheme);
  const pieces = plain ? [] : path.split(/([/?&;#])/).filter((piece) => piece !== '');
  return {
    userinfo,
    user: userinfo === undefined || colon < 0 ? (userinfo ?? '') : userinfo.slice(0, colon),
    password: userinfo === undefined || colon < 0 ? '' : userinfo.slice(colon + 1),
    authority,
    path,
    visiblePath: plain ? path : pieces.map(visible).join(''),
    secrets: pieces.flatMap(secretsIn),
  };
}

/** Where the `@` behind user and password is, -1 without them. */
function endOfUserinfo(rest: string): number {
  const [authority] = /^[^/?#]*/.exec(rest) as unknown as [string];
  const strict = authority.lastIndexOf('@');
  const isHost = /^(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/.test(authority.slice(strict + 1));
  if (strict >= 0 && isHost) return strict;
  const last = rest.lastIndexOf('@');
  return rest.slice(0, Math.max(0, last)).includes(':') ? last : -1;
}

const harmless =
  /^(?:axis|av|c|cam|camera|ch|channels?|default|(?:h26[45])?preview|h26[45]|hd|image|index|live|main|media|mjpeg|mjpg|mpeg4|onvif|play|profile|realmonitor|rtsp|s|sd|sdp|second|stream|streaming|sub|subtype|test|tracks?|unicast|v|video|webcam)?$/i;

/** A part of a path that is known to be no secret: `stream1`, `Streaming`, `101`, `live.sdp`, `x`. */
export function isHarmless(piece: string): boolean {
  if (piece.length <= 2) return true;
  return piece
    .split(/[._-]/)
    .every((part) => /^\d{1,3}$/.test(part) || harmless.test(part.replace(/\d{1,3}$/, '')));
}

function visible(piece: string): string {
  const [, name, value] = /^([^=]*=)(.*)$/s.exec(piece) ?? [];
  if (name === undefined || value === undefined) return isHarmless(piece) ? piece : '***';
  return isHarmless(value) ? piece : `${name}***`;
}

/** The value of a parameter, and what in a path looks random rather than like a word. */
function secretsIn(piece: string): string[] {
  const parameter = /^[^=]*=(.*)$/s.exec(piece)?.[1];
  if (parameter !== undefined) {
    const inner = [...parameter.matchAll(/(?:pass\w{0,8}|pwd|psw|pw|token|key)[=:]([^_&;]+)/gi)];
    return isHarmless(parameter) ? [] : [parameter, ...inner.map((match) => match[1] as string)];
  }
  if (isHarmless(piece)) return [];
  if (piece.includes(':')) return [piece, piece.slice(piece.indexOf(':') + 1)];
  const mixed = /\d/.test(piece) && /[a-z]/i.test(piece);
  return mixed || piece.length > 12 || /^\d+$/.test(piece) ? [piece] : [];
}

const percentEncoded: Readonly<Record<string, string>> = { '/': '%2F', '?': '%3F', '@': '%40' };

/** What is wrong with user and password in a URL: the characters that must be percent-encoded. */
export function userinfoProblem(url: string): string | undefined {
  const { userinfo, password } = urlParts(url);
  if (userinfo === undefined) return undefined;
  // `host:554/a@b` has no password.
  if (/^\d*\/[^:]*$/.test(password)) return undefined;
  const wrong = Object.keys(percentEncoded).filter((character) => userinfo.includes(character));
  if (/%(?![0-9a-f]{2})/i.test(userinfo)) wrong.push('%');
  if (wrong.length === 0) return undefined;
  const list = wrong.map((character) => `"${character}" as ${percentEncoded[character] ?? '%25'}`);
  return `must have its user name and password percent-encoded: write ${list.join(', ')}`;
}
