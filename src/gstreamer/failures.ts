import { readdirSync } from 'node:fs';
import { readable } from '../core/printable.ts';
import { mask } from '../core/secrets.ts';
import { argusOption } from './argus/properties.ts';
import type { Failure } from './failure.ts';
import { capsName } from './launch-line.ts';
import { howToInstall } from './packages.ts';
import { lastPrinted } from './printed.ts';

/**
 * Why a launch line failed, in GStreamer's words, and what to try.
 *
 * @param printed what its elements printed to stdout, where a Jetson's camera gives its reasons
 */
export function explainFailure(what: string, reported: Failure, stderr = '', printed = ''): string {
  const failure = rootFailure(reported, stderr);
  const said = [failure.message.replace(/\.$/, ''), detail(failure)].filter(Boolean).join(': ');
  const where = failure.element ? ` (element ${elementName(failure.element)})` : '';
  const log = failure.element || failure.phase === 'parse' ? '' : lastLine(stderr);
  const words = `${log}${lastPrinted(printed)}`;
  return readable(`${what} failed: ${said}${where}${words}${withColon(advice(failure, words))}`);
}

/** Why a stream came to an end that should not have, by what its elements printed and logged. */
export function explainEnd(what: string, how: string, stderr: string, printed: string): string {
  const words = `${lastPrinted(printed)}${lastLine(stderr)}`;
  const failure = { phase: 'run', message: how } as const;
  return readable(`${what} ${how}${words}${withColon(advice(failure, words))}`);
}

/**
 * When an element refuses data, the one that sends it reports "Internal data stream error" and stops.
 * The element that refused has only logged why.
 */
function rootFailure(failure: Failure, stderr: string): Failure {
  if (!/^Internal data (?:stream|flow) error/.test(failure.message)) return failure;
  const lines = [...stderr.matchAll(/<([^<>\s]+)> error: (.+)$/gm)].map(
    ([, element = '', message = '']) => ({ element, message }),
  );
  const last = lines.findLast(({ message }) => !/^Internal data|^streaming stopped/.test(message));
  if (!last) return failure;
  const said = lines.filter(({ element }) => element === last.element).slice(-2);
  const message = [...new Set(said.map((line) => line.message.replace(/\.$/, '')))].join(': ');
  return { phase: 'run', message, element: last.element };
}

/** True if this machine lacks an element or the binding. */
export function isMissing({ phase, message }: Failure): boolean {
  return phase === 'parse' && /^no element|^the GStreamer binding/.test(message);
}

function withColon(text: string | undefined): string {
  return text ? `; ${text}` : '';
}

/** Time, process, thread and place in the source code of a log line. */
const logPrefix = /^\d+:\d\d:\d\d\.\d+\s+\d+\s+0x\w+\s+(?:ERROR|WARN)\s+/;

/** The last line in which GStreamer's log complains, in brackets, or nothing. */
export function lastLine(stderr: string): string {
  const lines = stderr.split('\n');
  const line =
    lines.findLast((text) => /error|critical|assert/i.test(text)) ??
    lines.findLast((text) => text.includes('WARN'));
  return line ? ` [${readable(line.trim().replace(logPrefix, ''))}]` : '';
}

/** `/GstPipeline:pipeline0/GstV4l2Src:v4l2src0` → `v4l2src0`. */
function elementName(path: string): string {
  return path.slice(path.lastIndexOf(':') + 1);
}

/** GStreamer's debug text without its places in source code, element paths and long caps. */
function detail(failure: Failure): string | undefined {
  const lines = (failure.debug ?? '')
    .split('\n')
    .filter((line) => line && !/\.(c|cpp|m|y)\(\d+\): /.test(line))
    .map((line) =>
      line.replace(/\(((?:audio|video)\/[\w.-]+), [\s\S]*$/, '($1)').replace(/[.:]$/, ''),
    );
  return lines.length > 0 ? mask([...new Set(lines)].join(': ')).slice(0, 400) : undefined;
}

interface Rule {
  readonly when: RegExp;
  advice(match: RegExpExecArray, failure: Failure): string;
}

const rules: readonly Rule[] = [
  {
    when: /no element "([^"]+)"/,
    advice: (match) => howToInstall(match[1] as string),
  },
  {
    when: /no property "([^"]+)" in element "nvarguscamerasrc"/,
    advice: ([, property = '']) =>
      `the camera element of this JetPack has no such control: remove the option ${argusOption(property)} of csi-camera`,
  },
  {
    when: /no property "([^"]+)" in element "([^"]+)"/,
    advice: (match) => `run "gst-inspect-1.0 ${match[2]}" to list its properties`,
  },
  {
    when: /could not link (\S+) to (videoconvert|nvvidconv)0/,
    advice: (match) =>
      `the line must end in raw video, but ${match[1]} outputs something else: add "! decodebin" after it`,
  },
  {
    when: new RegExp(`could not link (\\S+) to ${capsName}`),
    advice: (match) =>
      `with format: depth, the line must end in video/x-raw of GRAY16_LE, GRAY16_BE or GRAY8, or in tensors of nnstreamer, but ${match[1]} outputs something else`,
  },
  {
    when: /could not set property|could not link|could not parse caps|syntax error/i,
    advice: () => 'check the launch line with gst-launch-1.0',
  },
  {
    when: /Missing decoder: [^(]*\(audio\/(?![\s\S]*\(video\/)/,
    advice: () => 'the file has an audio track only, no video',
  },
  {
    when: /Could not determine type|no playable streams|no known streams|contains no data|text file/i,
    advice: () => 'check that it is a complete video file',
  },
  {
    when: /Missing decoder|missing a plug-in|no suitable plugins/i,
    advice: (_, failure) => missingDecoder(failure),
  },
  {
    when: /Device '?[^']*'? ?is busy|Device or resource busy/i,
    advice: () =>
      'another program is using the camera: find it with "fuser -v /dev/video*" and stop it',
  },
  {
    when: /Permission denied|without permission/i,
    advice: () =>
      'this user has no permission to open it: run sudo usermod -aG video $USER, then log in again',
  },
  {
    when: /Cannot identify device|Could not open device|No such file or directory.*video|not a capture device|isn't a v4l2 driver/i,
    advice: () => cameraAdvice(),
  },
  {
    when: /Not authorized|Unauthorized|\b401\b/i,
    advice: () =>
      'check the user name and password in "url"; percent-encode special characters in them: @ as %40, / as %2F, ? as %3F, % as %25',
  },
  {
    when: /rtspsrc[\s\S]*(Failed to connect|Could not open|Generic error|404|Not found)|(Failed to connect|404|Not found)[\s\S]*rtspsrc/i,
    advice: () =>
      'check that the camera is on, that "url" is correct and that its port is reachable',
  },
  {
    when: /frame ?rate specified is greater than supported/i,
    advice: () =>
      'the mode of the sensor has fewer frames per second: lower "fps", or choose another "mode"; "depthline cameras" lists them',
  },
  {
    when: /No cameras available|Invalid camera device/i,
    advice: () =>
      'check the camera cable and "sensor"; "depthline cameras" lists the cameras that Argus finds',
  },
  {
    when: /Invalid sensor mode|Invalid Exposure Time|Invalid Gain Range|Invalid Digital Gain|Invalid ISP/i,
    advice: () =>
      'the sensor does not support this value; "depthline cameras" lists its modes with their ranges',
  },
  {
    when: /nvargus|Argus|CANCELLED|NvBufSurface|CaptureSession/i,
    advice: () =>
      'check the camera cable and "sensor", and restart the camera daemon: sudo systemctl restart nvargus-daemon',
  },
  {
    when: /no frame within/,
    advice: () =>
      'it started, but no picture arrived: check the camera, or increase "first-frame-within"',
  },
  {
    when: /Failed to decode|Decode error/i,
    advice: () => 'the video is damaged at this point: re-encode it, for example with ffmpeg',
  },
  {
    when: /not-negotiated/i,
    advice: () => 'the source does not support this width, height, format or fps: try other values',
  },
];

function advice(failure: Failure, log: string): string | undefined {
  const text = [
    failure.message,
    log,
    failure.debug,
    failure.element,
    ...(failure.missing ?? []),
  ].join('\n');
  for (const rule of rules) {
    const match = rule.when.exec(text);
    if (match) return rule.advice(match, failure);
  }
  return undefined;
}

function missingDecoder(failure: Failure): string {
  const what = failure.missing?.length ? ` (${[...new Set(failure.missing)].join(', ')})` : '';
  return (
    `GStreamer lacks a decoder${what}: install gstreamer1.0-libav, gstreamer1.0-plugins-good, ` +
    'gstreamer1.0-plugins-bad and gstreamer1.0-plugins-ugly, or check that the file has a video track'
  );
}

/** Video devices that this machine has. */
export function videoDevices(): string[] {
  return readdirSync('/dev')
    .filter((name) => /^video\d+$/.test(name))
    .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
    .map((name) => `/dev/${name}`);
}

export function cameraAdvice(): string {
  const devices = videoDevices();
  return devices.length > 0
    ? `this machine has ${devices.join(', ')}`
    : 'this machine has no /dev/video*: connect a camera, or pass the device into the container';
}
