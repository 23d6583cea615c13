import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { DepthlineError } from '../core/errors.ts';

export interface PageFile {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const always = {
  'Content-Security-Policy': policy,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** The files of the built page, by path: `/`, `/assets/index-1a2b.js`. They are few and small. */
export async function pageFiles(directory: string): Promise<Map<string, PageFile>> {
  const files = new Map<string, PageFile>();
  // Names alone: an entry does not say its folder before Node.js 20.12.
  const paths = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new DepthlineError('MISSING', 'the page is not built; run "npm run build"', {
      cause: error,
    });
  });
  for (const path of paths) {
    const type = types[extname(path)];
    if (type === undefined) continue;
    const name = path.split(sep).join('/');
    const body = await readFile(join(directory, path));
    const page = name === 'index.html';
    files.set(page ? '/' : `/${name}`, {
      body,
      headers: {
        ...always,
        'Content-Type': type,
        'Content-Length': String(body.length),
        // Names of other files contain a hash of what is in them.
        'Cache-Control': page ? 'no-cache' : 'public, max-age=31536000, immutable',
      },
    });
  }
  if (!files.has('/'))
    throw new DepthlineError('MISSING', 'the page is not built; run "npm run build"');
  return files;
}
