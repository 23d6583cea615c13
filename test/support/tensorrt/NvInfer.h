// A stand-in for the part of TensorRT that engines/tensorrt/ uses, declared as NVIDIA documents it. Its "engine" is
// the ONNX file itself, which ONNX Runtime runs. NV_TENSORRT_MAJOR and _MINOR come from the command line: before 8.5
// tensors have numbers, and uint8 ones do not exist.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../../../engines/onnxruntime/ort.hpp"

#define STAND_IN_NAMED (NV_TENSORRT_MAJOR > 8 || (NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR >= 5))

inline int getInferLibVersion() { return NV_TENSORRT_MAJOR * 1000 + NV_TENSORRT_MINOR * 100; }

namespace nvinfer1 {

enum class DataType : int32_t { kFLOAT = 0, kHALF = 1, kINT8 = 2, kINT32 = 3, kBOOL = 4, kUINT8 = 5 };
enum class NetworkDefinitionCreationFlag : int32_t { kEXPLICIT_BATCH = 0 };
enum class BuilderFlag : int32_t { kFP16 = 0 };
enum class MemoryPoolType : int32_t { kWORKSPACE = 0 };

struct Dims {
  int32_t nbDims;
#if NV_TENSORRT_MAJOR >= 10
  int64_t d[8];
#else
  int32_t d[8];
#endif
};

class ILogger {
 public:
  enum class Severity : int32_t { kINTERNAL_ERROR = 0, kERROR = 1, kWARNING = 2, kINFO = 3, kVERBOSE = 4 };
  virtual void log(Severity severity, const char *text) noexcept = 0;
  virtual ~ILogger() = default;
};

class IHostMemory {
 public:
  std::string bytes;
  void *data() const noexcept { return const_cast<char *>(bytes.data()); }
  size_t size() const noexcept { return bytes.size(); }
};

class INetworkDefinition {
 public:
  std::string model;
};

class IBuilderConfig {
 public:
  bool half = false;
  void setFlag(BuilderFlag) noexcept { half = true; }
#if STAND_IN_NAMED
  void setMemoryPoolLimit(MemoryPoolType, size_t) noexcept {}
#else
  void setMaxWorkspaceSize(size_t) noexcept {}
#endif
};

constexpr char engineMark[] = "stand-in engine ";

class IBuilder {
 public:
  INetworkDefinition *createNetworkV2(uint32_t flags) noexcept {
    return flags == 1 ? new INetworkDefinition : nullptr;
  }
  IBuilderConfig *createBuilderConfig() noexcept { return new IBuilderConfig; }
  IHostMemory *buildSerializedNetwork(INetworkDefinition &network, IBuilderConfig &) noexcept {
    return new IHostMemory{engineMark + network.model};
  }
};

struct Binding {
  std::string name;
  DataType type;
  Dims shape;
  bool isInput;
  int element;
  size_t bytes;
};

class ICudaEngine;

class IExecutionContext {
 public:
  ICudaEngine *engine;
  std::vector<void *> addresses;
  bool run();
#if STAND_IN_NAMED
  bool setTensorAddress(const char *name, void *memory) noexcept;
  bool enqueueV3(cudaStream_t) noexcept { return run(); }
#else
  bool enqueueV2(void *const *bindings, cudaStream_t, void *) noexcept {
    addresses.assign(bindings, bindings + 2);
    return run();
  }
#endif
};

class ICudaEngine {
 public:
  ort::Handle session = nullptr, memory = nullptr;
  std::vector<Binding> bindings;

  IExecutionContext *createExecutionContext() noexcept { return new IExecutionContext{this, {nullptr, nullptr}}; }
#if STAND_IN_NAMED
  int32_t getNbIOTensors() const noexcept { return int32_t(bindings.size()); }
  const char *getIOTensorName(int32_t i) const noexcept { return bindings[size_t(i)].name.c_str(); }
  Dims getTensorShape(const char *name) const noexcept { return at(name).shape; }
  DataType getTensorDataType(const char *name) const noexcept { return at(name).type; }
#else
  int32_t getNbBindings() const noexcept { return int32_t(bindings.size()); }
  const char *getBindingName(int32_t i) const noexcept { return bindings[size_t(i)].name.c_str(); }
  Dims getBindingDimensions(int32_t i) const noexcept { return bindings[size_t(i)].shape; }
  DataType getBindingDataType(int32_t i) const noexcept { return bindings[size_t(i)].type; }
#endif
  const Binding &at(const std::string &name) const {
    return bindings[0].name == name ? bindings[0] : bindings[1];
  }
};

#if STAND_IN_NAMED
inline bool IExecutionContext::setTensorAddress(const char *name, void *memory) noexcept {
  addresses[engine->bindings[0].name == name ? 0 : 1] = memory;
  return true;
}
#endif

inline bool IExecutionContext::run() {
  ort::Handle values[2];
  std::vector<int64_t> sides[2];
  for (size_t i = 0; i < 2; i++) {
    const Binding &binding = engine->bindings[i];
    sides[i].assign(binding.shape.d, binding.shape.d + binding.shape.nbDims);
    ort::call(ort::CreateTensorWithData, engine->memory, addresses[i], binding.bytes,
              static_cast<const int64_t *>(sides[i].data()), sides[i].size(), binding.element, &values[i]);
  }
  const char *input = engine->bindings[0].name.c_str(), *output = engine->bindings[1].name.c_str();
  const ort::Handle none = nullptr;
  ort::call(ort::Run, engine->session, none, static_cast<const char *const *>(&input),
            static_cast<const ort::Handle *>(&values[0]), size_t{1}, static_cast<const char *const *>(&output),
            size_t{1}, &values[1]);
  for (const ort::Handle value : values) ort::release(ort::ReleaseValue, value);
  return true;
}

inline Binding bindingOf(ort::Handle session, bool isInput, ort::Handle allocator) {
  constexpr ort::Place outputTypeInfo = ort::Place(34), inputName = ort::Place(36), outputName = ort::Place(37);
  Binding binding{};
  binding.isInput = isInput;
  char *name;
  ort::Handle type, info;
  ort::call(isInput ? inputName : outputName, session, size_t{0}, allocator, &name);
  binding.name = name;
  ort::call(isInput ? ort::SessionGetInputTypeInfo : outputTypeInfo, session, size_t{0}, &type);
  ort::call(ort::CastTypeInfoToTensorInfo, type, &info);
  size_t count;
  ort::call(ort::GetTensorElementType, info, &binding.element);
  ort::call(ort::GetDimensionsCount, info, &count);
  std::vector<int64_t> sides(count);
  ort::call(ort::GetDimensions, info, sides.data(), count);
  binding.shape.nbDims = int32_t(count);
  binding.bytes = binding.element == ort::float32 ? 4 : binding.element == ort::float16 ? 2 : 1;
  for (size_t i = 0; i < count; i++) {
    binding.shape.d[i] = decltype(binding.shape.d[0] + 0)(sides[i]);
    binding.bytes *= size_t(sides[i] > 0 ? sides[i] : 1);
  }
  binding.type = binding.element == ort::float32   ? DataType::kFLOAT
                 : binding.element == ort::float16 ? DataType::kHALF
                                                   : DataType::kUINT8;
  return binding;
}

class IRuntime {
 public:
  ILogger *logger;

  ICudaEngine *deserializeCudaEngine(const void *data, size_t size) noexcept {
    const std::string bytes(static_cast<const char *>(data), size), mark = engineMark;
    if (bytes.compare(0, mark.size(), mark) != 0) {
      logger->log(ILogger::Severity::kERROR, "Serialization assertion magicTag == kMAGIC_TAG failed");
      return nullptr;
    }
    constexpr ort::Place createSessionFromArray = ort::Place(8), defaultAllocator = ort::Place(78);
    const std::string model = bytes.substr(mark.size());
    auto engine = new ICudaEngine;
    ort::Handle env, options, allocator;
    ort::call(ort::CreateEnv, ort::logFatal, "stand-in", &env);
    ort::call(ort::CreateSessionOptions, &options);
    ort::call(ort::SetIntraOpNumThreads, options, 1);
    ort::call(createSessionFromArray, env, static_cast<const void *>(model.data()), model.size(), options,
              &engine->session);
    ort::call(ort::CreateCpuMemoryInfo, ort::arenaAllocator, ort::defaultMemory, &engine->memory);
    ort::call(defaultAllocator, &allocator);
    engine->bindings = {bindingOf(engine->session, true, allocator), bindingOf(engine->session, false, allocator)};
#if !STAND_IN_NAMED
    if (engine->bindings[0].type == DataType::kUINT8) {
      logger->log(ILogger::Severity::kERROR, "UINT8 tensors are not supported");
      return nullptr;
    }
#endif
    return engine;
  }
};

inline IBuilder *createInferBuilder(ILogger &) noexcept { return new IBuilder; }
inline IRuntime *createInferRuntime(ILogger &logger) noexcept { return new IRuntime{&logger}; }

}  // namespace nvinfer1
