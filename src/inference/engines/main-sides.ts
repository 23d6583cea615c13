import type { EngineName } from './choice.ts';
import type { MainSide } from './main-side.ts';

const mainSides: Readonly<Record<EngineName, () => Promise<{ readonly mainSide: MainSide }>>> = {
  onnxruntime: () => import('./onnxruntime-main.ts'),
  process: () => import('./process-main.ts'),
  kserve: () => import('./kserve/main.ts'),
};

export async function mainSideOf(name: EngineName): Promise<MainSide> {
  return (await mainSides[name]()).mainSide;
}
