// The part of ONNX Runtime's C interface that the helper needs. The interface is a table of functions whose order
// never changes, and the npm package has the library without its header: the functions are declared here, by
// their places.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

extern "C" struct OrtApiBase {
  void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)();
};
extern "C" const OrtApiBase *OrtGetApiBase();

namespace ort {

using Handle = void *;
constexpr int apiVersion = 16;
constexpr int logFatal = 4, allOptimizations = 99, arenaAllocator = 1, defaultMemory = 0;
/// ONNXTensorElementDataType.
enum Element { float32 = 1, uint8 = 2, float16 = 10 };

enum Place {
  GetErrorMessage = 2,
  CreateEnv = 3,
  CreateSession = 7,
  Run = 9,
  CreateSessionOptions = 10,
  SetGraphOptimizationLevel = 23,
  SetIntraOpNumThreads = 24,
  SetInterOpNumThreads = 25,
  SessionGetInputCount = 30,
  SessionGetInputTypeInfo = 33,
  CreateTensorWithData = 49,
  GetTensorMutableData = 51,
  CastTypeInfoToTensorInfo = 55,
  GetTensorElementType = 60,
  GetDimensionsCount = 61,
  GetDimensions = 62,
  GetTensorTypeAndShape = 65,
  CreateCpuMemoryInfo = 69,
  ReleaseStatus = 93,
  ReleaseValue = 96,
  ReleaseTensorTypeAndShapeInfo = 99,
};

inline void *const *table() {
  static void *const *const found = OrtGetApiBase()->GetApi(apiVersion);
  return found;
}

inline void release(Place place, Handle handle) {
  reinterpret_cast<void (*)(Handle)>(table()[place])(handle);
}

/// @throws std::runtime_error with the library's message
inline void check(Handle status) {
  if (!status) return;
  const std::string message =
      reinterpret_cast<const char *(*)(Handle)>(table()[GetErrorMessage])(status);
  release(ReleaseStatus, status);
  throw std::runtime_error(message);
}

template <typename... Args>
void call(Place place, Args... args) {
  check(reinterpret_cast<Handle (*)(Args...)>(table()[place])(args...));
}

}  // namespace ort
