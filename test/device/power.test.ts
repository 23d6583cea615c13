import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPowerMeter } from '../../src/device/power.ts';
import {
  moduleWatts,
  parsePowerMode,
  parseTegrastats,
  raplMicrojoules,
} from '../../src/device/power-readings.ts';

const lines: [board: string, line: string, rails: number, watts: number][] = [
  [
    'TX2, JetPack 4.6',
    'RAM 1345/7829MB (lfb 1290x4MB) SWAP 0/3915MB (cached 0MB) CPU [2%@345,off,off,1%@345] EMC_FREQ 13%@40 GR3D_FREQ 0%@114 NVDEC 0 APE 150 PLL@38C Tdiode@34.5C VDD_SYS_GPU 42mW/0mW VDD_SYS_SOC 528mW/245mW VDD_4V0_WIFI 0mW/0mW VDD_IN 2235mW/1684mW VDD_SYS_CPU 119mW/106mW VDD_SYS_DDR 322mW/300mW',
    6,
    2.235,
  ],
  [
    'TX2, JetPack 3',
    'RAM 1234/7855MB (lfb 1150x4MB) CPU [7%@345,off,off,6%@345] EMC_FREQ 0% GR3D_FREQ 0% PLL@36.5C thermal@36.4C VDD_IN 2862/2862 VDD_CPU 458/458 VDD_GPU 152/152 VDD_SOC 687/687',
    4,
    2.862,
  ],
  [
    'AGX Xavier',
    'RAM 721/31919MB (lfb 7400x4MB) SWAP 0/15959MB (cached 0MB) CPU [0%@1190,off] EMC_FREQ 0%@665 GR3D_FREQ 0%@318 APE 150 MTS fg 0% bg 0% AO@37.5C GPU@37.5C GPU 0/0 CPU 311/311 SOC 932/932 CV 0/0 VDDRQ 621/621 SYS5V 1482/1482',
    6,
    3.346,
  ],
  [
    'AGX Orin',
    '05-09-2026 18:42:06 RAM 18207/62841MB (lfb 466x4MB) CPU [8%@1036] EMC_FREQ 3%@2133 GR3D_FREQ 0%@[0,0] NVDEC off VIC 36%@115 APE 174 cpu@52.562C tj@52.562C VDD_GPU_SOC 2399mW/2399mW VDD_CPU_CV 400mW/400mW VIN_SYS_5V0 4032mW/4032mW NC 0mW/0mW VDDQ_VDD2_1V8AO 301mW/301mW NC 0mW/0mW',
    4,
    7.132,
  ],
  [
    'Nano',
    'RAM 452/3964MB (lfb 700x4MB) IRAM 0/252kB(lfb 252kB) CPU [2%@102] GR3D_FREQ 0%@76 PLL@31C POM_5V_IN 1022/1022 POM_5V_GPU 0/0 POM_5V_CPU 123/123',
    3,
    1.022,
  ],
];

describe('tegrastats', () => {
  it.each(lines)('of a %s', (_, line, count, watts) => {
    const rails = parseTegrastats(line);
    expect(rails).toHaveLength(count);
    expect(moduleWatts(rails)).toBeCloseTo(watts, 6);
  });

  it('that says nothing of power', () => {
    expect(moduleWatts(parseTegrastats('RAM 1/2MB CPU [off]'))).toBeUndefined();
  });
});

it('power modes', () => {
  const mode = (name: string, id: string) => ({ name, id });
  expect(parsePowerMode('NV Fan Mode:quiet\nNV Power Mode: MAXN\n0\n')).toEqual(mode('MAXN', '0'));
  expect(parsePowerMode('NVPM VERB: Current mode: NV Power Mode: MODE_30W_ALL\n3\n')).toEqual(
    mode('MODE_30W_ALL', '3'),
  );
  expect(parsePowerMode('NV Power Mode: MAXN SUPER\n')).toEqual(mode('MAXN SUPER', ''));
  expect(parsePowerMode('')).toBeUndefined();
});

it('a RAPL counter that has started again', () => {
  expect(raplMicrojoules(100, 250, 1000)).toBe(150);
  expect(raplMicrojoules(900, 50, 1000)).toBe(150);
});

describe('the meter of a machine', () => {
  let root: string;
  const put = (files: Readonly<Record<string, string | number>>) => {
    for (const [name, value] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), `${value}\n`);
    }
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'depthline-power-'));
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(root, { recursive: true });
  });

  it('TX2: VDD_IN of the second INA3221', () => {
    const [gpu, main] = ['0-0040/iio:device0', '0-0041/iio:device1'].map(
      (place) => `sys/bus/i2c/drivers/ina3221x/${place}`,
    );
    put({ [`${gpu}/rail_name_0`]: 'VDD_SYS_GPU', [`${gpu}/in_power0_input`]: 152 });
    put({ [`${main}/rail_name_0`]: 'VDD_IN', [`${main}/in_power0_input`]: 4000 });
    const meter = openPowerMeter(root);
    expect(meter?.sensor).toBe('INA3221, 2 rails');
    vi.advanceTimersByTime(1000);
    put({ [`${main}/in_power0_input`]: 8000 });
    vi.advanceTimersByTime(1000);
    // 4 W for 1.1 s until the change is seen, then 8 W.
    expect(meter?.joules()).toBeCloseTo(4 * 1.1 + 8 * 0.9, 3);
    meter?.close();
  });

  it('Orin: volts times amperes of every rail', () => {
    const place = 'sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3';
    put({ [`${place}/in1_label`]: 'VDD_GPU_SOC', [`${place}/in2_label`]: 'NC' });
    put({ [`${place}/in1_input`]: 19_000, [`${place}/curr1_input`]: 200 });
    const meter = openPowerMeter(root);
    vi.advanceTimersByTime(2000);
    expect(meter?.joules()).toBeCloseTo(7.6, 3);
    meter?.close();
  });

  it('RAPL: the packages, across the end of a counter', () => {
    const zone = (n: number) => `sys/class/powercap/intel-rapl:${n}`;
    for (const n of [0, 1]) put({ [`${zone(n)}/max_energy_range_uj`]: 10_000_000 });
    put({ [`${zone(0)}/energy_uj`]: 9_000_000, [`${zone(1)}/energy_uj`]: 0 });
    put({ [`${zone(0)}:0/energy_uj`]: 123 });
    const meter = openPowerMeter(root);
    expect(meter?.sensor).toBe('RAPL, 2 processor packages');
    put({ [`${zone(0)}/energy_uj`]: 1_000_000, [`${zone(1)}/energy_uj`]: 500_000 });
    expect(meter?.joules()).toBeCloseTo(2.5, 6);
    meter?.close();
  });

  it('is none where there is no sensor', () => {
    expect(openPowerMeter(root)).toBeUndefined();
  });
});
