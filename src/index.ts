export { builtins } from './builtins.ts';
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
} from './core/frame.ts';
export type { QueueOptions } from './core/queue-options.ts';
export { Registry } from './core/registry.ts';
export { SinkClosed } from './core/sink-closed.ts';
export { SinkLost } from './core/sink-lost.ts';
export { isValidDepth } from './core/valid-depth.ts';
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
export {
  type BranchInput,
  definePipeline,
  type OperatorInput,
  type Pipeline,
  type PipelineInput,
} from './pipeline/pipeline.ts';
export { loadPipelineFile, requirePipeline } from './pipeline/pipeline-file.ts';
export { type BranchAccount, type Drop, imbalance } from './runtime/ledger.ts';
export { type MapAsyncOptions, mapAsync } from './runtime/map-async.ts';
export type { Run, RunOptions, RunStats, RunSummary } from './runtime/run-handle.ts';
export { runPipeline, startPipeline } from './runtime/runner.ts';
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
export type { MessageHeader } from './topic/header.ts';
export { CorruptMessage } from './topic/header-check.ts';
export {
  type ReceivedFrame,
  type SubscribeOptions,
  subscribeDepth,
} from './topic/subscribe-depth.ts';
