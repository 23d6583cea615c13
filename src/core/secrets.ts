import { findUrls, type UrlParts, urlParts } from './url-parts.ts';

/**
 * Secrets that this process knows: passwords and tokens of URLs, values of options that are secret
 * by name. They are noted when options are read, and `mask` replaces them, in every spelling,
 * wherever text leaves the process.
 */
class Secret {
  readonly text: string;
  readonly shown: string;
  #pattern: RegExp | string | undefined;

  constructor(text: string, shown: string) {
    this.text = text;
    this.shown = shown;
  }

  /** Every spelling of it. Made for the first text that may have another than its own. */
  get pattern(): RegExp | string {
    this.#pattern ??= this.text.length > longest ? this.text : spellings(this.text);
    return this.#pattern;
  }
}

/** The one that was noted the longest ago first. */
const known = new Map<string, Secret>();
/** Longest first, so that no secret is masked by a part of it; nothing until it is needed. */
let ordered: readonly Secret[] | undefined;

/** Shorter ones would mask ordinary words and numbers; they are masked within their URL only. */
const shortest = 4;
const masked = '***';
/** Longer texts are matched as they stand alone: no password, and a pattern of them would be huge. */
const longest = 500;
/** Beyond it those noted the longest ago are forgotten. Each of 64 cameras may have a dozen, of a stereo pair twice as many. */
const most = 2000;

const secretName =
  /(?:^|[-_.])(?:pass(?:word|wd|phrase)?|pwd|psw|pw|secret|token|credentials?|api-?key|access-?key|private-?key|nkey|auth(?:orization)?)(?:$|[-_.])/i;

/** Options and query parameters whose values are secret. `public-key` and `server-key` are not. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/([a-z])([A-Z])/g, '$1-$2'));
}

/** Notes a secret of at least 4 characters, and what it decodes to if it is percent-encoded. */
export function addSecret(text: string): void {
  for (const spelling of new Set([text, decoded(text)])) {
    if (spelling.length >= shortest) add(spelling, masked);
  }
}

/** Notes every secret in the options of a component or the value of a pipeline file. */
export function noteSecrets(value: unknown, name = ''): void {
  if (typeof value === 'string') {
    if (isSecretName(name)) addSecret(value);
    noteText(value);
  } else if (typeof value === 'number') {
    if (isSecretName(name)) addSecret(String(value));
  } else if (Array.isArray(value)) {
    for (const item of value) noteSecrets(item, name);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) noteSecrets(item, key);
  }
}

/** Notes the secrets of URLs and of `name=value` pairs in a text, such as a launch line. */
function noteText(text: string): void {
  for (const [, name, value] of text.matchAll(
    /(?<![\w-])([\w-]{1,40})\s{0,9}=\s{0,9}("(?:[^"\\]|\\.)*"|'[^']*'|[^\s&;]+)/g,
  )) {
    const inner = (value as string).replace(/^(["'])(.*)\1$/s, '$2').replace(/\\(.)/g, '$1');
    if (isSecretName(name as string))
      addSecret(inner.replace(/^\(\w+\)\s*/, '').replace(/^"(.*)"$/s, '$1'));
    // A structure in a property: extra-headers="headers, authorization=…".
    else if (inner !== value && inner.includes('=')) noteText(inner);
  }
  for (const [, credentials] of text.matchAll(/\b(?:Basic|Bearer|Digest)\s+([^\s"',;\\]+)/gi)) {
    addSecret(credentials as string);
  }
  for (const url of findUrls(text)) noteUrl(urlParts(url));
}

function noteUrl({ userinfo, user, password, authority, path, visiblePath, secrets }: UrlParts) {
  if (userinfo !== undefined) {
    add(`${userinfo}@`, `${masked}@`);
    // As an RTSP or HTTP client sends it.
    addSecret(Buffer.from(`${decoded(user)}:${decoded(password)}`).toString('base64'));
    addSecret(password);
    // A client that takes a part of it for the host or the path names that part.
    for (const part of password.split(/[/?#@]/)) addSecret(part);
  }
  if (path !== visiblePath) {
    add(`${authority}${path}`, `${authority}${visiblePath}`);
    const [withoutQuery] = path.split('?') as [string];
    const [visible] = visiblePath.split('?') as [string];
    if (withoutQuery !== visible) add(`${authority}${withoutQuery}`, `${authority}${visible}`);
  }
  for (const secret of secrets) addSecret(secret);
}

function add(text: string, shown: string): void {
  const before = known.get(text);
  // What a run has is noted again at each reload: it is the last to be forgotten.
  known.delete(text);
  known.set(text, before ?? new Secret(text, shown));
  if (before) return;
  if (known.size > most) known.delete(known.keys().next().value as string);
  ordered = undefined;
}

/** `text` with every known secret replaced by `***`. */
export function mask(text: string): string {
  ordered ??= [...known.values()].toSorted((a, b) => b.text.length - a.text.length);
  // All other spellings have one of these characters; to look for them takes many times as long.
  const plain = !/[%\\]/.test(text);
  let result = text;
  for (const secret of ordered) {
    const { shown } = secret;
    result = result.replaceAll(plain ? secret.text : secret.pattern, () => shown);
  }
  return result;
}

/** A value for JSON with the secrets in its strings masked; keys and numbers stay. */
export function maskValues(value: unknown): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map(maskValues);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskValues(item)]));
}

/** Matches a text as it stands, percent-encoded, escaped in JSON or in a launch line. */
function spellings(text: string): RegExp {
  return new RegExp(Array.from(text, spellingsOf).join(''), 'gu');
}

function spellingsOf(character: string): string {
  const code = character.codePointAt(0) as number;
  const literal = character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const bytes = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, '0'));
  const percent = bytes.map((byte) => `%${anyCase(byte)}`).join('');
  const units = Array.from({ length: character.length }, (_, i) =>
    anyCase(character.charCodeAt(i).toString(16).padStart(4, '0')),
  );
  const json = units.map((unit) => `\\\\u${unit}`).join('');
  const shown = `\\\\u\\{${anyCase(code.toString(16))}\\}`;
  // Backslashes may be doubled any number of times, by each of quotation and JSON.
  return `(?:\\\\{0,9}${literal}|${percent}|${json}|${shown})`;
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
