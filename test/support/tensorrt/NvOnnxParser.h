// A stand-in for the part of TensorRT's ONNX parser that engines/tensorrt/ uses (see NvInfer.h).
#pragma once

#include <NvInfer.h>

namespace nvonnxparser {

class IParserError {
 public:
  const char *desc() const noexcept { return "Failed to parse the ONNX model"; }
};

class IParser {
 public:
  nvinfer1::INetworkDefinition *network;
  IParserError error;
  bool failed = false;

  bool parse(const void *model, size_t size, const char * = nullptr) noexcept {
    network->model.assign(static_cast<const char *>(model), size);
    // The first field of an ONNX file is a number, ir_version.
    failed = size == 0 || network->model[0] != 8;
    return !failed;
  }
  int32_t getNbErrors() const noexcept { return failed ? 1 : 0; }
  const IParserError *getError(int32_t) const noexcept { return &error; }
};

inline IParser *createParser(nvinfer1::INetworkDefinition &network, nvinfer1::ILogger &) noexcept {
  return new IParser{&network, {}, false};
}

}  // namespace nvonnxparser
