import type { EngineName } from './choice.ts';
import type { DepthEngine, EngineSetup, OpenEngine } from './engine.ts';

/** What is loaded into the inference thread; only the engine that is used. */
const engines: Readonly<Record<EngineName, () => Promise<{ readonly open: OpenEngine }>>> = {
  onnxruntime: () => import('./onnxruntime.ts'),
  process: () => import('./process.ts'),
  kserve: () => import('./kserve/kserve.ts'),
};

/** @throws see `OpenEngine` */
export async function openEngine(setup: EngineSetup): Promise<DepthEngine> {
  const { open } = await engines[setup.engine.name]();
  return open(setup);
}
