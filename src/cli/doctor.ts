import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { reason } from '../core/errors.ts';
import { packageProblem } from '../core/package-problem.ts';
import { noPowerMeter, openPowerMeter, powerMode } from '../device/power.ts';
import { localCameras } from '../gstreamer/cameras/local-cameras.ts';
import { cameraAdvice } from '../gstreamer/failures.ts';
import { howToInstall } from '../gstreamer/packages.ts';
import { findModel, kindOfModel, modelNames, verifyModel } from '../inference/model-files.ts';
import { findStereoModel } from '../inference/stereo/stereo-manifest.ts';
import { cameraText, modesText } from './camera-text.ts';
import { print, printJson } from './output.ts';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'absent';
  /** Version, path or reason. */
  readonly detail: string;
  /** Whether Depthline needs it in every case. */
  readonly essential: boolean;
  /** More of the detail, a line each. */
  readonly lines?: readonly string[];
}

/** Purposes of elements; every capture needs the essential ones. */
const elements: readonly { name: string; purpose: string; essential?: true }[] = [
  { name: 'fdsink', purpose: 'capture', essential: true },
  { name: 'gdppay', purpose: 'capture with timestamps', essential: true },
  { name: 'videoconvert', purpose: 'colour conversion', essential: true },
  { name: 'videoscale', purpose: 'resize on the CPU', essential: true },
  { name: 'uridecodebin', purpose: 'video files', essential: true },
  { name: 'avdec_h264', purpose: 'H.264 video' },
  { name: 'v4l2src', purpose: 'USB cameras' },
  { name: 'rtspsrc', purpose: 'network cameras' },
  { name: 'x264enc', purpose: 'video sink' },
  { name: 'matroskamux', purpose: 'video sink' },
  { name: 'ximagesink', purpose: 'display' },
  { name: 'nvarguscamerasrc', purpose: 'CSI camera of a Jetson' },
  { name: 'nvvidconv', purpose: 'resize on a Jetson' },
  { name: 'cudaconvertscale', purpose: 'resize on an NVIDIA GPU' },
  { name: 'vapostproc', purpose: 'resize on an Intel or AMD GPU' },
  { name: 'glcolorscale', purpose: 'resize with OpenGL' },
];

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what this machine provides and what is missing')
    .option('--json', 'print as JSON')
    .action(async ({ json }: { json?: true }) => {
      const findings = await examine();
      const bad = findings.filter((finding) => finding.essential && finding.state !== 'ok');
      if (json) printJson(findings, 2);
      else
        for (const { what, state, detail, lines = [] } of findings) {
          print(`${state.padEnd(7)}  ${what.padEnd(34)}  ${detail}`);
          for (const line of lines) print(`${' '.repeat(45)}${line}`);
        }
      if (bad.length > 0) process.exitCode = 1;
    });
}

async function examine(): Promise<Finding[]> {
  return [
    ok('Node.js', process.version),
    gstreamerVersion(),
    await binding(),
    ...elements.map(element),
    await runtime(),
    ...(await models()),
    ...(await cameras()),
    display(),
    power(),
    ...jetson(),
  ];
}

function ok(what: string, detail: string): Finding {
  return { what, state: 'ok', detail, essential: true };
}

function gstreamerVersion(): Finding {
  try {
    const text = execFileSync('gst-inspect-1.0', ['--version'], { encoding: 'utf8' });
    return ok('GStreamer', text.split('\n')[0]?.split(' ').at(-1) ?? '');
  } catch {
    return {
      what: 'GStreamer',
      state: 'missing',
      detail: 'apt-get install gstreamer1.0-tools',
      essential: true,
    };
  }
}

async function binding(): Promise<Finding> {
  const what = 'GStreamer binding';
  try {
    const { loadGStreamer } = await import('../gstreamer/binding.ts');
    loadGStreamer();
    return ok(what, 'gstreamer-superficial');
  } catch (error) {
    return { what, state: 'missing', detail: reason(error), essential: true };
  }
}

function element({ name, purpose, essential }: (typeof elements)[number]): Finding {
  const what = `element ${name}`;
  try {
    // Not by --exists, which wants plug-ins of GStreamer's own version: NVIDIA's are of version 1.0.0.
    execFileSync('gst-inspect-1.0', [name], { stdio: 'ignore' });
    return { what, state: 'ok', detail: purpose, essential: essential === true };
  } catch {
    const state = essential ? 'missing' : 'absent';
    return {
      what,
      state,
      detail: `${purpose}; ${howToInstall(name)}`,
      essential: essential === true,
    };
  }
}

async function runtime(): Promise<Finding> {
  try {
    const { runtimeInfo } = await import('../inference/runtime-info.ts');
    const { version, providers } = await runtimeInfo();
    const own = process.env.DEPTHLINE_ONNXRUNTIME;
    const from = own ? `, the build in ${own}` : '';
    return ok('ONNX Runtime', `${version} providers: ${providers.join(', ')}${from}`);
  } catch (error) {
    const detail = packageProblem(error) ?? reason(error);
    return { what: 'ONNX Runtime', state: 'missing', detail, essential: true };
  }
}

async function models(): Promise<Finding[]> {
  const names = await modelNames(process.cwd());
  if (names.length === 0) {
    return [{ what: 'models', state: 'missing', detail: 'no model in models/', essential: true }];
  }
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const what = `model ${name}`;
      try {
        const stereo = (await kindOfModel(name, process.cwd())) === 'stereo';
        const { sha256, path } = stereo
          ? await verifyModel(await findStereoModel(name, process.cwd()))
          : await verifyModel(await findModel(name, process.cwd()));
        return {
          what,
          state: 'ok',
          detail: `${path} sha256 ${sha256.slice(0, 12)}…`,
          essential: false,
        };
      } catch (error) {
        return { what, state: 'missing', detail: reason(error), essential: true };
      }
    }),
  );
}

async function cameras(): Promise<Finding[]> {
  const all = await localCameras();
  if (all.length === 0) {
    return [{ what: 'cameras', state: 'absent', detail: cameraAdvice(), essential: false }];
  }
  return all.map((camera) => ({
    what: cameraText(camera),
    state: camera.problem === undefined ? 'ok' : 'absent',
    detail: camera.name ?? `${camera.modes.length} modes`,
    lines: modesText(camera),
    essential: false,
  }));
}

function display(): Finding {
  const name = process.env.WAYLAND_DISPLAY ?? process.env.DISPLAY;
  return {
    what: 'screen',
    state: name ? 'ok' : 'absent',
    detail:
      name ?? 'neither WAYLAND_DISPLAY nor DISPLAY is set; the display sink cannot open a window',
    essential: false,
  };
}

const jetsonModel = '/proc/device-tree/model';

/** Power mode of a Jetson; nothing elsewhere. */
function jetson(): Finding[] {
  if (!existsSync(jetsonModel)) return [];
  const model = readFileSync(jetsonModel, 'utf8').replace(/\0/g, '');
  if (!model.includes('Jetson') && !model.includes('quill')) return [];
  const mode = powerMode()?.name;
  const detail =
    mode === undefined ? 'nvpmodel does not report its power mode' : `power mode ${mode}`;
  return [{ what: model, state: mode === undefined ? 'absent' : 'ok', detail, essential: false }];
}

function power(): Finding {
  const meter = openPowerMeter();
  meter?.close();
  const state = meter ? 'ok' : 'absent';
  return { what: 'power sensor', state, detail: meter?.sensor ?? noPowerMeter, essential: false };
}
