import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DepthlineError } from '../../core/errors.ts';
import type { ValueProblem } from '../../core/option-problems.ts';
import { resolvePath } from '../../core/resolve-path.ts';
import { durationText } from '../../core/units.ts';
import { bindingFile, type EngineChoice, type OnnxRuntimeChoice } from './choice.ts';
import { findProgram } from './find-program.ts';
import { serverName } from './kserve/server-name.ts';
import { fileProblems } from './kserve/tls-files.ts';

/** The engine as `plan` shows it. */
export function describeEngine(
  engine: EngineChoice,
  providers: readonly string[],
): Record<string, unknown> {
  if (engine.name === 'onnxruntime') {
    const { binding } = engine;
    return { engine: engine.name, providers, ...(binding !== undefined && { binding }) };
  }
  if (engine.name === 'kserve') {
    const { deadlineMs, model } = engine;
    const named = model === undefined ? {} : { 'model on the server': model };
    return { engine: serverName(engine), ...named, deadline: durationText(deadlineMs) };
  }
  const { command, deadlineMs } = engine;
  return { engine: engine.name, command: command.join(' '), deadline: durationText(deadlineMs) };
}

/** What the engine needs and this machine lacks. */
export async function engineNeeds(
  engine: EngineChoice,
  baseDirectory: string,
): Promise<ValueProblem[]> {
  if (engine.name === 'kserve') return fileProblems(engine, baseDirectory);
  if (engine.name === 'onnxruntime') return bindingProblems(engine, baseDirectory);
  try {
    await findProgram(engine.command[0] ?? '', baseDirectory);
    return [];
  } catch (error) {
    if (!(error instanceof DepthlineError)) throw error;
    return [{ path: ['process', 'command', 0], message: error.message }];
  }
}

function bindingProblems({ binding }: OnnxRuntimeChoice, baseDirectory: string): ValueProblem[] {
  if (binding === undefined) return [];
  const file = join(resolvePath(baseDirectory, binding), bindingFile);
  if (existsSync(file)) return [];
  const message = `there is no ${file}; name the folder of your build of onnxruntime-node that has ${bindingFile}`;
  return [{ path: ['onnxruntime', 'binding'], message }];
}
