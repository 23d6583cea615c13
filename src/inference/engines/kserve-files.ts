import { access, constants } from 'node:fs/promises';
import type { ValueProblem } from '../../core/option-problems.ts';
import { resolvePath } from '../../core/resolve-path.ts';
import type { KServeChoice } from './choice.ts';

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
