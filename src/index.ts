/**
 * Components, and what composes, checks and runs pipelines of them.
 *
 * @module depthline
 */
export { builtins } from './builtins.ts';
export { adjusted, remade } from './core/adjusted.ts';
export type { AsyncContext } from './core/async-operator.ts';
export { type Clock, systemClock } from './core/clock.ts';
export {
  type Component,
  type Definition,
  defineOperator,
  defineSink,
  defineSource,
  type Emits,
  type OperatorDefinition,
  type Role,
  type Sink,
  type SinkDefinition,
  type SourceDefinition,
  type Use,
} from './core/component.ts';
export type { ComponentContext, Logger } from './core/component-context.ts';
export type {
  CheckContext,
  Claim,
  Concurrency,
  FrameFacts,
  NetworkUse,
  PathUse,
  PlanContext,
  QueuedPlanContext,
} from './core/component-facts.ts';
export { DepthlineError, type ErrorCode } from './core/errors.ts';
export {
  type DataFrame,
  type DepthFrame,
  type DepthMap,
  type DepthUnit,
  derive,
  type Frame,
  type FrameBase,
  type FrameKind,
  type ImageFrame,
  type Intrinsics,
  type ModelIdentity,
  type Picture,
  type PointsFrame,
  type StereoFrame,
  type View,
} from './core/frame.ts';
export { FrameRefused } from './core/frame-refused.ts';
export type { CropRegion, Engine, Fusion } from './core/fusion.ts';
export type { Gate } from './core/gate.ts';
export type { ValueProblem } from './core/option-problems.ts';
export type { QueueOptions } from './core/queue-options.ts';
export { Registry } from './core/registry.ts';
export type {
  BranchAccount,
  BranchStats,
  Drop,
  RunStats,
  StageState,
} from './core/run-stats.ts';
export { SinkClosed } from './core/sink-closed.ts';
export { SinkLost } from './core/sink-lost.ts';
export type { Size } from './core/size.ts';
export { isValidDepth } from './core/valid-depth.ts';
export type { EngineChoice, ProcessChoice } from './inference/engines/choice.ts';
export { DepthEstimator, type EstimatorOptions } from './inference/estimator.ts';
export type { Model } from './inference/model-files.ts';
export type { SessionSettings } from './inference/session-settings.ts';
export {
  StereoEstimator,
  type StereoEstimatorOptions,
} from './inference/stereo/stereo-estimator.ts';
export { clamp } from './operators/clamp.ts';
export { colorize } from './operators/colorize.ts';
export { compareDepth } from './operators/compare-depth.ts';
export { crop } from './operators/crop.ts';
export { estimateDepth } from './operators/estimate-depth.ts';
export { estimateStereo } from './operators/estimate-stereo.ts';
export { fillHoles } from './operators/fill-holes.ts';
export { flip } from './operators/flip.ts';
export { maskEdges } from './operators/mask-edges.ts';
export { measureFlicker } from './operators/measure-flicker.ts';
export { pointCloud } from './operators/point-cloud.ts';
export { register } from './operators/register.ts';
export { resize } from './operators/resize.ts';
export { sample } from './operators/sample.ts';
export { sideBySide } from './operators/side-by-side.ts';
export { smooth } from './operators/smooth.ts';
export { spatial } from './operators/spatial.ts';
export { takeEye } from './operators/take-eye.ts';
export { zones } from './operators/zones.ts';
export {
  type AnyPipeline,
  type CameraPipeline,
  type CameraPipelines,
  type CamerasInput,
  defineCameras,
} from './pipeline/cameras.ts';
export {
  type Bound,
  type BranchInput,
  type BranchStep,
  definePipeline,
  type OnError,
  type OperatorInput,
  type OperatorStep,
  type Pipeline,
  type PipelineInput,
} from './pipeline/pipeline.ts';
export type { LiveChange, PipelineChanges } from './pipeline/pipeline-changes.ts';
export {
  type Loaded,
  type LoadOptions,
  loadPipelineFile,
  requirePipeline,
} from './pipeline/pipeline-file.ts';
export type { FileProblem } from './pipeline/yaml-file.ts';
export type { FrameObserver } from './runtime/frame-observer.ts';
export type { Percentiles } from './runtime/latency.ts';
export { imbalance } from './runtime/ledger.ts';
export { type MapAsyncOptions, mapAsync } from './runtime/map-async.ts';
export type {
  Restart,
  Run,
  RunOptions,
  RunSummary,
} from './runtime/run-handle.ts';
export { runPipeline, startPipeline } from './runtime/runner.ts';
export type { StageListener } from './runtime/stage-times.ts';
export { type OpenRunServiceOptions, openRunService } from './serve/open-run-service.ts';
export type { Health } from './serve/run-health.ts';
export type { Answer, Asked, Route } from './serve/run-server.ts';
export type { RunService } from './serve/run-service.ts';
export { discard } from './sinks/discard.ts';
export { display } from './sinks/display.ts';
export { file } from './sinks/file.ts';
export { foxglove } from './sinks/foxglove.ts';
export { mcap } from './sinks/mcap.ts';
export { mqtt } from './sinks/mqtt.ts';
export { nats } from './sinks/nats.ts';
export { ros1 } from './sinks/ros1.ts';
export { video } from './sinks/video.ts';
export { web } from './sinks/web.ts';
export { zeromq } from './sinks/zeromq.ts';
export { csiCamera } from './sources/csi-camera.ts';
export { gstreamer } from './sources/gstreamer.ts';
export { images } from './sources/images.ts';
export { mcap as mcapSource } from './sources/mcap.ts';
export { nats as natsSource } from './sources/nats.ts';
export { ros1 as ros1Source } from './sources/ros1.ts';
export { rosbag } from './sources/rosbag.ts';
export { rtsp } from './sources/rtsp.ts';
export { stereo } from './sources/stereo.ts';
export { syntheticRoom } from './sources/synthetic-room.ts';
export { testPattern } from './sources/test-pattern.ts';
export { usbCamera } from './sources/usb-camera.ts';
export { videoFile } from './sources/video-file.ts';
export { zeromq as zeromqSource } from './sources/zeromq.ts';
export type { DepthEncoding, Encoding, MessageHeader } from './topic/header.ts';
export { CorruptMessage } from './topic/header-check.ts';
export {
  type ReceivedFrame,
  type SubscribeOptions,
  subscribeDepth,
} from './topic/subscribe-depth.ts';
