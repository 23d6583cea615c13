// ONNX Runtime must not send telemetry, nor write files for it. Native code sees the variable only if it is
// set in the main thread, before a worker loads the library.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
