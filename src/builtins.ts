import { Registry } from './core/registry.ts';
import { clamp } from './operators/clamp.ts';
import { colorize } from './operators/colorize.ts';
import { compareDepth } from './operators/compare-depth.ts';
import { crop } from './operators/crop.ts';
import { estimateDepth } from './operators/estimate-depth.ts';
import { estimateStereo } from './operators/estimate-stereo.ts';
import { fillHoles } from './operators/fill-holes.ts';
import { flip } from './operators/flip.ts';
import { maskEdges } from './operators/mask-edges.ts';
import { measureFlicker } from './operators/measure-flicker.ts';
import { pointCloud } from './operators/point-cloud.ts';
import { register } from './operators/register.ts';
import { resize } from './operators/resize.ts';
import { sample } from './operators/sample.ts';
import { sideBySide } from './operators/side-by-side.ts';
import { smooth } from './operators/smooth.ts';
import { spatial } from './operators/spatial.ts';
import { takeEye } from './operators/take-eye.ts';
import { zones } from './operators/zones.ts';
import { discard } from './sinks/discard.ts';
import { display } from './sinks/display.ts';
import { file } from './sinks/file.ts';
import { foxglove } from './sinks/foxglove.ts';
import { mcap } from './sinks/mcap.ts';
import { mqtt } from './sinks/mqtt.ts';
import { nats } from './sinks/nats.ts';
import { ros1 } from './sinks/ros1.ts';
import { video } from './sinks/video.ts';
import { web } from './sinks/web.ts';
import { zeromq } from './sinks/zeromq.ts';
import { csiCamera } from './sources/csi-camera.ts';
import { gstreamer } from './sources/gstreamer.ts';
import { images } from './sources/images.ts';
import { mcap as mcapSource } from './sources/mcap.ts';
import { nats as natsSource } from './sources/nats.ts';
import { ros1 as ros1Source } from './sources/ros1.ts';
import { rosbag } from './sources/rosbag.ts';
import { rtsp } from './sources/rtsp.ts';
import { stereo } from './sources/stereo.ts';
import { syntheticRoom } from './sources/synthetic-room.ts';
import { testPattern } from './sources/test-pattern.ts';
import { usbCamera } from './sources/usb-camera.ts';
import { videoFile } from './sources/video-file.ts';
import { zeromq as zeromqSource } from './sources/zeromq.ts';

/** The components that come with Depthline. */
export const builtins = new Registry([
  csiCamera,
  gstreamer,
  images,
  mcapSource,
  natsSource,
  ros1Source,
  rosbag,
  rtsp,
  stereo,
  syntheticRoom,
  testPattern,
  usbCamera,
  videoFile,
  zeromqSource,
  clamp,
  colorize,
  compareDepth,
  crop,
  estimateDepth,
  estimateStereo,
  fillHoles,
  flip,
  maskEdges,
  measureFlicker,
  pointCloud,
  register,
  resize,
  sample,
  sideBySide,
  smooth,
  spatial,
  takeEye,
  zones,
  discard,
  display,
  file,
  foxglove,
  mcap,
  nats,
  mqtt,
  ros1,
  video,
  web,
  zeromq,
]);
