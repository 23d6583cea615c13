// The reference helper: ONNX Runtime, in a process of its own.
//
//   depthline-onnxruntime [--provider cuda|tensorrt]...
#include <dlfcn.h>

#include <vector>

#include "../half.hpp"
#include "../helper.hpp"
#include "ort.hpp"

namespace {

struct Shape {
  int element;
  std::vector<int64_t> sides;
};

Shape shapeOf(ort::Handle info) {
  Shape shape;
  size_t count = 0;
  ort::call(ort::GetTensorElementType, info, &shape.element);
  ort::call(ort::GetDimensionsCount, info, &count);
  shape.sides.resize(count);
  ort::call(ort::GetDimensions, info, shape.sides.data(), count);
  return shape;
}

class OnnxRuntime : public depthline::Network {
 public:
  explicit OnnxRuntime(std::vector<std::string> providers) : providers(std::move(providers)) {}

  depthline::Loaded load(const depthline::Request &request, depthline::Report) override {
    ort::Handle env, options;
    ort::call(ort::CreateEnv, ort::logFatal, "depthline", &env);
    ort::call(ort::CreateSessionOptions, &options);
    ort::call(ort::SetGraphOptimizationLevel, options, ort::allOptimizations);
    ort::call(ort::SetIntraOpNumThreads, options, request.threads);
    ort::call(ort::SetInterOpNumThreads, options, 1);
    for (const std::string &provider : providers) append(options, provider);
    ort::call(ort::CreateSession, env, request.path.c_str(), options, &session);
    ort::call(ort::CreateCpuMemoryInfo, ort::arenaAllocator, ort::defaultMemory, &memory);
    inputName = request.inputName;
    outputName = request.outputName;
    bytes = request.inputBytes();

    ort::Handle type, info;
    ort::call(ort::SessionGetInputTypeInfo, session, size_t{0}, &type);
    ort::call(ort::CastTypeInfoToTensorInfo, type, &info);
    const Shape input = shapeOf(info);
    element = input.element;
    requireType(request.inputType);
    const bool planar = request.inputLayout == "NCHW";
    if (input.sides.size() != 4) throw std::runtime_error("its input has no four dimensions");
    // A dimension that the model leaves open is below 0.
    const auto side = [&](size_t at, int wanted) {
      return input.sides[at] > 0 ? int(input.sides[at]) : wanted;
    };
    const int height = side(planar ? 2 : 1, request.height), width = side(planar ? 3 : 2, request.width);
    if (planar) inputShape = {1, 3, height, width};
    else inputShape = {1, height, width, 3};
    depthline::Loaded loaded = {description(), width, height, 0, 0};
    // Depthline refuses the model; it must not be run on too few bytes.
    if (width != request.width || height != request.height) {
      loaded.width = width;
      loaded.height = height;
      return loaded;
    }
    firstRun(loaded);
    return loaded;
  }

  const float *run(const uint8_t *input) override {
    ort::Handle in = tensor(const_cast<uint8_t *>(input));
    ort::Handle out = output;
    infer(in, &out);
    if (!halves.empty()) {
      for (size_t i = 0; i < depth.size(); i++) depth[i] = depthline::fromHalf(halves[i]);
    }
    return depth.data();
  }

 private:
  /// Of a CUDA build of the library, which exports a function per provider.
  void append(ort::Handle options, const std::string &provider) {
    const std::string name =
        provider == "cuda" ? "CUDA" : provider == "tensorrt" ? "Tensorrt" : provider;
    void *found = dlsym(RTLD_DEFAULT, ("OrtSessionOptionsAppendExecutionProvider_" + name).c_str());
    if (!found) throw std::runtime_error("this ONNX Runtime has no provider " + provider);
    ort::check(reinterpret_cast<ort::Handle (*)(ort::Handle, int)>(found)(options, 0));
  }

  void requireType(const std::string &wanted) const {
    const char *given = element == ort::uint8     ? "uint8"
                        : element == ort::float32 ? "float32"
                        : element == ort::float16 ? "float16"
                                                  : "of another type";
    if (wanted != given) {
      throw std::runtime_error("its input is " + std::string(given) + ", and the manifest says " + wanted);
    }
  }

  std::string description() const {
    std::string text = std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString() + ",";
    for (const std::string &provider : providers) text += " " + provider;
    return text + (providers.empty() ? " cpu" : "");
  }

  ort::Handle tensor(void *data) {
    ort::Handle value;
    ort::call(ort::CreateTensorWithData, memory, data, bytes, static_cast<const int64_t *>(inputShape.data()),
              inputShape.size(), element, &value);
    return value;
  }

  void infer(ort::Handle in, ort::Handle *out) {
    const char *inputs[] = {inputName.c_str()};
    const char *outputs[] = {outputName.c_str()};
    const ort::Handle none = nullptr;
    try {
      ort::call(ort::Run, session, none, &inputs[0], static_cast<const ort::Handle *>(&in), size_t{1},
                &outputs[0], size_t{1}, out);
    } catch (...) {
      ort::release(ort::ReleaseValue, in);
      throw;
    }
    ort::release(ort::ReleaseValue, in);
  }

  /// Shows the output's real shape, and warms the session up.
  void firstRun(depthline::Loaded &loaded) {
    std::vector<uint8_t> black(bytes);
    ort::Handle first = nullptr, info;
    infer(tensor(black.data()), &first);
    ort::call(ort::GetTensorTypeAndShape, first, &info);
    const Shape shape = shapeOf(info);
    ort::release(ort::ReleaseTensorTypeAndShapeInfo, info);
    ort::release(ort::ReleaseValue, first);
    std::vector<int> sides;
    for (const int64_t side : shape.sides) {
      if (side != 1) sides.push_back(int(side));
    }
    const bool half = shape.element == ort::float16;
    if (sides.size() != 2 || (shape.element != ort::float32 && !half)) {
      throw std::runtime_error("its output " + outputName + " is not one float32 or float16 picture");
    }
    loaded.height = sides[0];
    loaded.width = sides[1];
    depth.resize(size_t(sides[0]) * sides[1]);
    if (half) halves.resize(depth.size());
    void *data = half ? static_cast<void *>(halves.data()) : depth.data();
    ort::call(ort::CreateTensorWithData, memory, data, depth.size() * (half ? 2 : 4), shape.sides.data(),
              shape.sides.size(), shape.element, &output);
  }

  std::vector<std::string> providers;
  ort::Handle session = nullptr, memory = nullptr, output = nullptr;
  std::string inputName, outputName;
  std::vector<int64_t> inputShape;
  size_t bytes = 0;
  int element = 0;
  std::vector<float> depth;
  std::vector<uint16_t> halves;
};

}  // namespace

int main(int argc, char **argv) {
  std::vector<std::string> providers;
  for (int i = 1; i < argc; i++) {
    if (std::string(argv[i]) == "--provider" && i + 1 < argc) {
      providers.push_back(argv[++i]);
    } else {
      std::fprintf(stderr, "unknown option %s; use: %s [--provider cuda|tensorrt]...\n", argv[i], argv[0]);
      return 2;
    }
  }
  OnnxRuntime network(providers);
  return depthline::serve(network);
}
