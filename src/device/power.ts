import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DepthlineError, reason } from '../core/errors.ts';
import {
  moduleWatts,
  parsePowerMode,
  parseTegrastats,
  type Rail,
  raplMicrojoules,
} from './power-readings.ts';

export interface PowerMeter {
  /** The sensor, in words. */
  readonly sensor: string;
  /** Energy since the meter was opened, joules. */
  joules(): number;
  close(): void;
}

const sampleMs = 100;

/**
 * The power sensor of this machine: the INA3221 of a Jetson, in sysfs or by `tegrastats`, or RAPL.
 *
 * @param root folder in place of `/`, for tests
 * @returns nothing if there is none, or if it may not be read
 */
export function openPowerMeter(root = '/'): PowerMeter | undefined {
  return openIna3221(root) ?? openTegrastats() ?? openRapl(root);
}

export const noPowerMeter =
  'no readable power sensor: a Jetson has INA3221, Intel and AMD processors have RAPL (/sys/class/powercap, readable by root only)';

/** Name and number of a Jetson's mode (MAXN, MAXQ, …); nothing elsewhere. */
export function powerMode(): { name: string; id: string } | undefined {
  try {
    return parsePowerMode(execFileSync('nvpmodel', ['-q'], { encoding: 'utf8', stdio: 'pipe' }));
  } catch {
    // Only a Jetson has it.
    return undefined;
  }
}

/** @throws DepthlineError `MISSING` if this is no Jetson, or the mode cannot be set */
export function setPowerMode(id: string): void {
  try {
    execFileSync('nvpmodel', ['-m', id], { stdio: 'pipe', input: 'NO\n' });
  } catch (cause) {
    // It did not ask, and had ended before the answer was written.
    const { code, status } = cause as NodeJS.ErrnoException & { status?: number | null };
    if (code === 'EPIPE' && status === 0) return;
    const message = `nvpmodel cannot set power mode ${id}: ${reason(cause).split('\n')[0]}; it needs a Jetson and root ("nvpmodel -p --verbose" lists the modes)`;
    throw new DepthlineError('MISSING', message, { cause });
  }
}

/** Adds up power over time, from samples; the first one also stands for the time before it. */
class Integral {
  #joules = 0;
  #watts: number | undefined;
  #at = performance.now();

  add(watts: number | undefined): void {
    const now = performance.now();
    const held = this.#watts ?? watts;
    if (held === undefined) return;
    this.#joules += (held * (now - this.#at)) / 1000;
    this.#watts = watts ?? held;
    this.#at = now;
  }

  get joules(): number {
    this.add(undefined);
    return this.#joules;
  }
}

function openIna3221(root: string): PowerMeter | undefined {
  const rails = findRails(root);
  const read = () => moduleWatts(rails.flatMap((rail) => rail() ?? []));
  if (read() === undefined) return undefined;
  const integral = new Integral();
  integral.add(read());
  const timer = setInterval(() => integral.add(read()), sampleMs);
  timer.unref();
  return {
    sensor: `INA3221, ${rails.length} rails`,
    joules: () => integral.joules,
    close: () => clearInterval(timer),
  };
}

/** A reader per rail. TX2 to Xavier name them in IIO, Orin in hwmon. */
function findRails(root: string): (() => Rail | undefined)[] {
  const readers: (() => Rail | undefined)[] = [];
  const drivers = join(root, 'sys/bus/i2c/drivers');
  for (const folder of inside(join(drivers, 'ina3221x'), /^\d+-/, /^iio[:_]device/)) {
    for (const n of [0, 1, 2]) {
      const name = read(join(folder, `rail_name_${n}`));
      if (!name) continue;
      readers.push(() => rail(name, number(join(folder, `in_power${n}_input`))));
    }
  }
  for (const folder of inside(join(drivers, 'ina3221'), /^\d+-/, /^hwmon$/, /^hwmon\d+$/)) {
    for (const n of [1, 2, 3]) {
      const name = read(join(folder, `in${n}_label`));
      if (!name || name === 'NC') continue;
      readers.push(() => {
        const volts = number(join(folder, `in${n}_input`));
        const amperes = number(join(folder, `curr${n}_input`));
        if (volts === undefined || amperes === undefined) return undefined;
        return rail(name, (volts * amperes) / 1000);
      });
    }
  }
  return readers;
}

function rail(name: string, milliwatts: number | undefined): Rail | undefined {
  return milliwatts === undefined ? undefined : { name, watts: milliwatts / 1000 };
}

function openTegrastats(): PowerMeter | undefined {
  try {
    execFileSync('which', ['tegrastats'], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  const child = spawn('tegrastats', ['--interval', String(sampleMs)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // Not started after all: there is no sample then, and no energy.
  child.on('error', () => {});
  const close = () => void child.kill('SIGKILL');
  process.once('exit', close);
  const integral = new Integral();
  createInterface({ input: child.stdout }).on('line', (line) => {
    integral.add(moduleWatts(parseTegrastats(line)));
  });
  return {
    sensor: 'tegrastats',
    joules: () => integral.joules,
    close() {
      process.off('exit', close);
      close();
    },
  };
}

function openRapl(root: string): PowerMeter | undefined {
  const zones = inside(join(root, 'sys/class/powercap'), /^(intel|amd)-rapl:\d+$/).flatMap(
    (zone) => {
      const energy = () => number(join(zone, 'energy_uj'));
      const range = number(join(zone, 'max_energy_range_uj')) ?? 0;
      const last = energy();
      return last === undefined ? [] : [{ energy, range, last, sum: 0 }];
    },
  );
  if (zones.length === 0) return undefined;
  const joules = () => {
    for (const zone of zones) {
      const now = zone.energy() ?? zone.last;
      zone.sum += raplMicrojoules(zone.last, now, zone.range);
      zone.last = now;
    }
    return zones.reduce((sum, zone) => sum + zone.sum, 0) / 1e6;
  };
  // A counter starts again within minutes; it must be read more often than that.
  const timer = setInterval(joules, 10_000);
  timer.unref();
  return {
    sensor: `RAPL, ${zones.length} processor packages`,
    joules,
    close: () => clearInterval(timer),
  };
}

/** Folders below `folder` whose names match, level by level. */
function inside(folder: string, ...patterns: readonly RegExp[]): string[] {
  return patterns.reduce(
    (folders, pattern) =>
      folders.flatMap((parent) =>
        list(parent)
          .filter((name) => pattern.test(name))
          .map((name) => join(parent, name)),
      ),
    [folder],
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Not on this machine.
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Not on this machine, or not permitted.
    return undefined;
  }
}

function number(path: string): number | undefined {
  const text = read(path);
  return text === undefined || text === '' ? undefined : Number(text);
}
