/** Properties of nvarguscamerasrc by the options of `csi-camera` that set them. */
export const argusProperties = {
  mode: 'sensor-mode',
  'exposure-time': 'exposuretimerange',
  gain: 'gainrange',
  'digital-gain': 'ispdigitalgainrange',
  'exposure-compensation': 'exposurecompensation',
  'lock-exposure': 'aelock',
  'lock-white-balance': 'awblock',
  'white-balance': 'wbmode',
  'anti-banding': 'aeantibanding',
  'noise-reduction.mode': 'tnr-mode',
  'noise-reduction.strength': 'tnr-strength',
  'edge-enhancement.mode': 'ee-mode',
  'edge-enhancement.strength': 'ee-strength',
  saturation: 'saturation',
} as const;

/** The option that sets a property, for messages. */
export function argusOption(property: string): string {
  const found = Object.entries(argusProperties).find(([, name]) => name === property);
  return found ? `"${found[0]}"` : `that sets ${property}`;
}
