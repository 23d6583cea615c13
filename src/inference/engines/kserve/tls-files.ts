import { X509Certificate } from 'node:crypto';
import { access, constants, readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { DepthlineError, reason } from '../../../core/errors.ts';
import type { ValueProblem } from '../../../core/option-problems.ts';
import { resolvePath } from '../../../core/resolve-path.ts';
import type { KServeChoice } from '../choice.ts';

/** PEM. */
export interface TlsFiles {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The choice with paths that no longer depend on the folder of the pipeline. */
export function withFiles(choice: KServeChoice, baseDirectory: string): KServeChoice {
  if (!choice.tls) return choice;
  const found = Object.entries(choice.tls).map(([name, path]) => [
    name,
    path && resolvePath(baseDirectory, path),
  ]);
  return { ...choice, tls: Object.fromEntries(found) };
}

/** Files of `tls` that cannot be read. */
export async function fileProblems(
  choice: KServeChoice,
  baseDirectory: string,
): Promise<ValueProblem[]> {
  const problems: ValueProblem[] = [];
  for (const [name, path] of Object.entries(withFiles(choice, baseDirectory).tls ?? {})) {
    if (path === undefined || (await isReadable(path))) continue;
    const message = `cannot read ${path}; correct the path or its permissions`;
    problems.push({ path: ['kserve', 'tls', name], message });
  }
  return problems;
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/**
 * The content of the files.
 *
 * @throws DepthlineError `CONFIG` if one cannot be read, or they are no certificates and key that belong together
 */
export async function readTls({ tls = {} }: KServeChoice): Promise<TlsFiles> {
  const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map(content));
  const files = { ca, cert, key };
  try {
    // A file without a certificate would be none to trust.
    for (const file of [ca, cert]) if (file) new X509Certificate(file);
    createSecureContext(files);
  } catch (error) {
    const names = [tls.ca, tls.certificate, tls.key].filter((path) => path !== undefined);
    const message = `${names.join(', ')} of "tls" cannot be used: ${reason(error)}; they must be PEM files, and the key that of the certificate`;
    throw new DepthlineError('CONFIG', message, { cause: error });
  }
  return files;
}

async function content(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `${path} of "tls" cannot be read: ${reason(cause)}`;
    throw new DepthlineError('CONFIG', message, { cause });
  }
}
