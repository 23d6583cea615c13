// What power sensors say, as text: pure functions, so that they are tested on recorded samples.

/** Power of one supply rail, watts. */
export interface Rail {
  readonly name: string;
  readonly watts: number;
}

/** Rails that feed the whole module; where a board has none, its rails are added up. */
const wholeModule = ['VDD_IN', 'POM_5V_IN'];

/**
 * The rails of one line of `tegrastats`: `VDD_IN 2235mW/1684mW` (now/average), without a unit on
 * JetPack 4 and before. Memory (`RAM 1345/7829MB`) has the same form and another unit.
 */
export function parseTegrastats(line: string): Rail[] {
  const rails = line.matchAll(/(?<=^| )([A-Z][A-Z0-9_]*) (\d+)(?:mW)?\/\d+(?:mW)?(?= |$)/g);
  return [...rails]
    .map(([, name = '', milliwatts]) => ({ name, watts: Number(milliwatts) / 1000 }))
    .filter(({ name }) => name !== 'NC');
}

/** Power of the module, watts; nothing if there is no rail. */
export function moduleWatts(rails: readonly Rail[]): number | undefined {
  const whole = rails.find(({ name }) => wholeModule.includes(name));
  if (whole) return whole.watts;
  return rails.length > 0 ? rails.reduce((sum, { watts }) => sum + watts, 0) : undefined;
}

/** `nvpmodel -q`: name and number of the power mode, such as MAXN and 0. */
export function parsePowerMode(text: string): { name: string; id: string } | undefined {
  const [, name, id] = /Power Mode: *(\S.*?)\s*(?:\n(\d+)|$)/.exec(text) ?? [];
  return name === undefined ? undefined : { name, id: id ?? '' };
}

/** Microjoules between two readings of a RAPL counter, which starts again at `range`. */
export function raplMicrojoules(before: number, after: number, range: number): number {
  return after >= before ? after - before : after + range - before;
}
