import { Registry } from './core/registry.ts';
import { clamp } from './operators/clamp.ts';
import { colorize } from './operators/colorize.ts';
import { compareDepth } from './operators/compare-depth.ts';
import { crop } from './operators/crop.ts';
import { estimateDepth } from './operators/estimate-depth.ts';
import { flip } from './operators/flip.ts';
import { measureFlicker } from './operators/measure-flicker.ts';
import { pointCloud } from './operators/point-cloud.ts';
import { resize } from './operators/resize.ts';
import { sample } from './operators/sample.ts';
import { sideBySide } from './operators/side-by-side.ts';
import { smooth } from './operators/smooth.ts';
import { discard } from './sinks/discard.ts';
import { file } from './sinks/file.ts';
import { zeromq } from './sinks/zeromq.ts';
import { csiCamera } from './sources/csi-camera.ts';
import { gstreamer } from './sources/gstreamer.ts';
import { rtsp } from './sources/rtsp.ts';
import { testPattern } from './sources/test-pattern.ts';
import { usbCamera } from './sources/usb-camera.ts';
import { videoFile } from './sources/video-file.ts';

/** The components that come with Depthline. */
export const builtins = new Registry([
  csiCamera,
  gstreamer,
  rtsp,
  testPattern,
  usbCamera,
  videoFile,
  clamp,
  colorize,
  compareDepth,
  crop,
  estimateDepth,
  flip,
  measureFlicker,
  pointCloud,
  resize,
  sample,
  sideBySide,
  smooth,
  discard,
  file,
  zeromq,
]);
