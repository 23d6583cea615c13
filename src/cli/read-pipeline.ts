import type { Definition, Role } from '../core/component.ts';
import { Registry } from '../core/registry.ts';
import { readRegularFile } from '../core/regular-file.ts';
import {
  type Loaded,
  type LoadOptions,
  loadPipelineFile,
  maxBytes,
  parsePipeline,
} from '../pipeline/pipeline-file.ts';

type Load = () => Promise<Definition>;

/** Each built-in component, to be loaded alone. */
const places: Readonly<Record<Role, Readonly<Record<string, Load>>>> = {
  source: {
    'csi-camera': async () => (await import('../sources/csi-camera.ts')).csiCamera,
    gstreamer: async () => (await import('../sources/gstreamer.ts')).gstreamer,
    images: async () => (await import('../sources/images.ts')).images,
    mcap: async () => (await import('../sources/mcap.ts')).mcap,
    nats: async () => (await import('../sources/nats.ts')).nats,
    ros1: async () => (await import('../sources/ros1.ts')).ros1,
    rosbag: async () => (await import('../sources/rosbag.ts')).rosbag,
    rtsp: async () => (await import('../sources/rtsp.ts')).rtsp,
    stereo: async () => (await import('../sources/stereo.ts')).stereo,
    'synthetic-room': async () => (await import('../sources/synthetic-room.ts')).syntheticRoom,
    'test-pattern': async () => (await import('../sources/test-pattern.ts')).testPattern,
    'usb-camera': async () => (await import('../sources/usb-camera.ts')).usbCamera,
    'video-file': async () => (await import('../sources/video-file.ts')).videoFile,
    zeromq: async () => (await import('../sources/zeromq.ts')).zeromq,
  },
  operator: {
    clamp: async () => (await import('../operators/clamp.ts')).clamp,
    colorize: async () => (await import('../operators/colorize.ts')).colorize,
    'compare-depth': async () => (await import('../operators/compare-depth.ts')).compareDepth,
    crop: async () => (await import('../operators/crop.ts')).crop,
    'estimate-depth': async () => (await import('../operators/estimate-depth.ts')).estimateDepth,
    'estimate-stereo': async () => (await import('../operators/estimate-stereo.ts')).estimateStereo,
    'fill-holes': async () => (await import('../operators/fill-holes.ts')).fillHoles,
    flip: async () => (await import('../operators/flip.ts')).flip,
    'mask-edges': async () => (await import('../operators/mask-edges.ts')).maskEdges,
    'measure-flicker': async () => (await import('../operators/measure-flicker.ts')).measureFlicker,
    'point-cloud': async () => (await import('../operators/point-cloud.ts')).pointCloud,
    register: async () => (await import('../operators/register.ts')).register,
    resize: async () => (await import('../operators/resize.ts')).resize,
    sample: async () => (await import('../operators/sample.ts')).sample,
    'side-by-side': async () => (await import('../operators/side-by-side.ts')).sideBySide,
    smooth: async () => (await import('../operators/smooth.ts')).smooth,
    spatial: async () => (await import('../operators/spatial.ts')).spatial,
    'take-eye': async () => (await import('../operators/take-eye.ts')).takeEye,
    zones: async () => (await import('../operators/zones.ts')).zones,
  },
  sink: {
    discard: async () => (await import('../sinks/discard.ts')).discard,
    display: async () => (await import('../sinks/display.ts')).display,
    file: async () => (await import('../sinks/file.ts')).file,
    foxglove: async () => (await import('../sinks/foxglove.ts')).foxglove,
    mcap: async () => (await import('../sinks/mcap.ts')).mcap,
    mqtt: async () => (await import('../sinks/mqtt.ts')).mqtt,
    nats: async () => (await import('../sinks/nats.ts')).nats,
    ros1: async () => (await import('../sinks/ros1.ts')).ros1,
    video: async () => (await import('../sinks/video.ts')).video,
    web: async () => (await import('../sinks/web.ts')).web,
    zeromq: async () => (await import('../sinks/zeromq.ts')).zeromq,
  },
};

/** The built-in components whose names are words of `text`. */
export async function builtinsIn(text: string): Promise<Definition[]> {
  const words = new Set(text.match(/[a-z][a-z\d-]*/g));
  const named = Object.values(places).flatMap((ones) => Object.entries(ones));
  return Promise.all(named.filter(([name]) => words.has(name)).map(([, load]) => load()));
}

/**
 * Reads a pipeline file with the built-in components that its text names: to load all of them takes longer than
 * all the rest. A file with a problem, or with modules of the user's, is read again with all: a message may name
 * any of them, and a user's component may not have the name of one.
 */
export async function readPipeline(
  file: string,
  options: Omit<LoadOptions, 'registry'>,
): Promise<Loaded> {
  const text = await readRegularFile(file, maxBytes).catch(() => undefined);
  if (text !== undefined) {
    const named = await builtinsIn(`${text} ${JSON.stringify(options.source)}`);
    const given = { ...options, registry: new Registry(named) };
    const loaded = await parsePipeline(text, file, given).catch(() => undefined);
    if (loaded?.problems.length === 0 && loaded.modules.length === 0) return loaded;
  }
  const { builtins } = await import('../builtins.ts');
  return loadPipelineFile(file, { ...options, registry: builtins });
}
