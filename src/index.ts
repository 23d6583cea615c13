export {
  type ReceivedFrame,
  type SubscribeOptions,
  subscribeDepth,
} from './client/subscribe-depth.ts';
export { builtins } from './components.ts';
export { type Clock, systemClock } from './core/clock.ts';
export {
  type ComponentContext,
  type Definition,
  defineOperator,
  defineSink,
  defineSource,
  type OperatorDefinition,
  type Sink,
  type SinkDefinition,
  type SourceDefinition,
} from './core/component.ts';
export { DepthlineError, type ErrorCode } from './core/errors.ts';
export {
  type DataFrame,
  type DepthFrame,
  type DepthMap,
  derive,
  type Frame,
  type FrameBase,
  type FrameKind,
  type ImageFrame,
  type Intrinsics,
  type ModelIdentity,
  type PointsFrame,
  withTiming,
} from './core/frame.ts';
export { type BranchAccount, type Drop, imbalance } from './core/ledger.ts';
export { type MapAsyncOptions, mapAsync } from './core/map-async.ts';
export { CorruptMessage } from './core/message-check.ts';
export type { MessageHeader } from './core/message-header.ts';
export {
  type BranchInput,
  definePipeline,
  type OperatorInput,
  type Pipeline,
  type PipelineInput,
} from './core/pipeline.ts';
export { loadPipelineFile, requirePipeline } from './core/pipeline-file.ts';
export type { QueueOptions } from './core/queue.ts';
export { Registry } from './core/registry.ts';
export type { Run, RunOptions, RunStats, RunSummary } from './core/run.ts';
export { runPipeline, startPipeline } from './core/runner.ts';
export { DepthEstimator } from './inference/estimator.ts';
export { clamp } from './operators/clamp.ts';
export { colorize } from './operators/colorize.ts';
export { compareDepth } from './operators/compare-depth.ts';
export { crop } from './operators/crop.ts';
export { estimateDepth } from './operators/estimate-depth.ts';
export { flip } from './operators/flip.ts';
export { measureFlicker } from './operators/measure-flicker.ts';
export { pointCloud } from './operators/point-cloud.ts';
export { resize } from './operators/resize.ts';
export { sample } from './operators/sample.ts';
export { sideBySide } from './operators/side-by-side.ts';
export { smooth } from './operators/smooth.ts';
export { discard } from './sinks/discard.ts';
export { display } from './sinks/display.ts';
export { file } from './sinks/file.ts';
export { video } from './sinks/video.ts';
export { zeromq } from './sinks/zeromq.ts';
export { csiCamera } from './sources/csi-camera.ts';
export { gstreamer } from './sources/gstreamer.ts';
export { images } from './sources/images.ts';
export { rtsp } from './sources/rtsp.ts';
export { syntheticRoom } from './sources/synthetic-room.ts';
export { testPattern } from './sources/test-pattern.ts';
export { usbCamera } from './sources/usb-camera.ts';
export { videoFile } from './sources/video-file.ts';
export { zeromq as zeromqSource } from './sources/zeromq.ts';
