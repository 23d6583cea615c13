import { Registry } from './core/registry.ts';
import { estimateDepth } from './operators/estimate-depth.ts';
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
  estimateDepth,
  smooth,
  discard,
  file,
  zeromq,
]);
