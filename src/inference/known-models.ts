import type { z } from 'zod';
import type { manifestSchema } from './manifest.ts';

type ManifestInput = z.input<typeof manifestSchema>;

/** A published model that a user may download, with what its documentation says of it. */
export interface KnownModel {
  readonly summary: string;
  readonly licence: string;
  /** Names and types of the tensors differ between exports; they are read from the file. */
  readonly input: Omit<ManifestInput['input'], 'name' | 'dtype'>;
  readonly output: Omit<ManifestInput['output'], 'name'>;
  readonly card: string;
}

/** Normalisation of networks that were trained on ImageNet, for values from 0 to 1. */
const imageNet = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} satisfies Pick<ManifestInput['input'], 'mean' | 'std'>;

/** By the name that `depthline models add --as` takes. */
export const knownModels: Readonly<Record<string, KnownModel>> = {
  'depth-anything-v2-small': {
    summary: 'Depth Anything V2 Small (Yang et al., NeurIPS 2024), 518×518, relative',
    licence: 'Apache-2.0',
    input: { layout: 'NCHW', width: 518, height: 518, ...imageNet },
    output: { meaning: 'inverse-relative' },
    card: 'Relative depth; calibrate it with "depthline calibrate". The metric variants are other models.',
  },
  'midas-v2.1-small': {
    summary: 'MiDaS v2.1 small (Ranftl et al., TPAMI 2020), 256×256, relative',
    licence: 'MIT',
    input: { layout: 'NCHW', width: 256, height: 256, ...imageNet },
    output: { meaning: 'inverse-relative' },
    card: 'Relative depth; calibrate it with "depthline calibrate".',
  },
  'fastdepth-published': {
    summary: 'FastDepth with the published weights (Wofk et al., ICRA 2019), 224×224, metres',
    licence: 'MIT; trained on NYU Depth v2',
    input: { layout: 'NCHW', width: 224, height: 224, range: [0, 1], view: '4:3' },
    output: { meaning: 'metres' },
    card: 'Metres for indoor scenes as in NYU Depth v2. Published for PyTorch: export it to ONNX first.',
  },
};
