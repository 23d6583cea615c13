// The helper for a Jetson: TensorRT. It parses the ONNX file, builds an engine for this GPU, and keeps it for the
// next start.
//
//   depthline-tensorrt [--precision fp16|fp32] [--cache FOLDER] [--workspace MIB] [--device N]
#include <NvInfer.h>
#include <NvOnnxParser.h>
#include <cuda_runtime_api.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "../helper.hpp"
#include "../half.hpp"
#include "float-input.hpp"

// From TensorRT 8.5 on, tensors have names instead of numbers.
#define NAMED_TENSORS (NV_TENSORRT_MAJOR > 8 || (NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR >= 5))

namespace {

struct Options {
  bool half = true;
  std::string cache;
  size_t workspaceMiB = 256;
  int device = 0;
};

class Logger : public nvinfer1::ILogger {
 public:
  std::string last;

  void log(Severity severity, const char *text) noexcept override {
    if (severity > Severity::kWARNING) return;
    std::fprintf(stderr, "TensorRT: %s\n", text);
    if (severity <= Severity::kERROR) last = text;
  }
};

Logger logger;

void check(cudaError_t status, const char *what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

[[noreturn]] void fail(const std::string &what) {
  throw std::runtime_error(logger.last.empty() ? what : what + ": " + logger.last);
}

/// Says every few seconds that it still works: to build an engine takes minutes.
class Alive {
 public:
  Alive(depthline::Report report, const std::string &what)
      : thread([this, report, what] {
          for (int n = 0; !over; n++) {
            if (n % 20 == 0) report(what);
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
          }
        }) {}
  ~Alive() {
    over = true;
    thread.join();
  }

 private:
  std::atomic<bool> over{false};
  std::thread thread;
};

/// A tensor of the network, and its memory on the GPU.
struct Tensor {
  std::string name;
  nvinfer1::Dims shape;
  nvinfer1::DataType type;
  void *memory = nullptr;

  size_t count() const {
    size_t product = 1;
    for (int i = 0; i < shape.nbDims; i++) {
      if (shape.d[i] < 1) throw std::runtime_error("its tensor " + name + " has an open size; export it with a fixed one");
      product *= size_t(shape.d[i]);
    }
    return product;
  }
  size_t bytes() const {
    return count() * (type == nvinfer1::DataType::kFLOAT ? 4 : type == nvinfer1::DataType::kHALF ? 2 : 1);
  }
};

class TensorRt : public depthline::Network {
 public:
  explicit TensorRt(Options options) : options(std::move(options)) {}

  depthline::Loaded load(const depthline::Request &request, depthline::Report report) override {
    check(cudaSetDevice(options.device), "the GPU cannot be used");
    cudaDeviceProp gpu;
    check(cudaGetDeviceProperties(&gpu, options.device), "the GPU cannot be asked");
    const std::string file = cacheFile(request.sha256, gpu);
    runtime.reset(nvinfer1::createInferRuntime(logger));
    if (!runtime) fail("TensorRT cannot be started");
    if (!readEngine(file)) {
      const Alive alive(report, "building an engine for " + std::string(gpu.name));
      buildEngine(request, file);
    }
    context.reset(engine->createExecutionContext());
    if (!context) fail("the engine cannot be used");
    check(cudaStreamCreate(&stream), "a stream cannot be made");
    findTensors(request);
    const bool planar = request.inputLayout == "NCHW";
    const int height = int(input.shape.d[planar ? 2 : 1]), width = int(input.shape.d[planar ? 3 : 2]);
    int sides[2] = {0, 0}, found = 0;
    for (int i = 0; i < output.shape.nbDims; i++) {
      if (output.shape.d[i] != 1 && found < 2) sides[found++] = int(output.shape.d[i]);
    }
    if (found != 2 || size_t(sides[0]) * sides[1] != output.count()) {
      throw std::runtime_error("its output " + output.name + " is not one picture");
    }
    depth.resize(output.count());
    return {"TensorRT " + std::to_string(NV_TENSORRT_MAJOR) + "." + std::to_string(NV_TENSORRT_MINOR) + ", " +
                (options.half ? "FP16, " : "FP32, ") + gpu.name,
            width, height, sides[1], sides[0]};
  }

  const float *run(const uint8_t *picture) override {
    const void *from = picture;
    if (widens) {
      for (size_t i = 0; i < floats.size(); i++) floats[i] = float(picture[i]);
      from = floats.data();
    }
    check(cudaMemcpyAsync(input.memory, from, input.bytes(), cudaMemcpyHostToDevice, stream), "copying the picture");
    if (!enqueue()) fail("the network failed");
    const bool half = output.type == nvinfer1::DataType::kHALF;
    void *to = half ? static_cast<void *>(halves.data()) : depth.data();
    check(cudaMemcpyAsync(to, output.memory, output.bytes(), cudaMemcpyDeviceToHost, stream), "copying the depth");
    check(cudaStreamSynchronize(stream), "running the network");
    for (size_t i = 0; i < halves.size(); i++) depth[i] = depthline::fromHalf(halves[i]);
    return depth.data();
  }

 private:
  /// Of this model, built by this TensorRT for this GPU.
  std::string cacheFile(const std::string &model, const cudaDeviceProp &gpu) const {
    std::string name = gpu.name;
    for (char &letter : name) {
      if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '-';
    }
    return options.cache + "/" + model.substr(0, 24) + "-trt" + std::to_string(getInferLibVersion()) + "-" + name + "-sm" +
           std::to_string(gpu.major) + std::to_string(gpu.minor) + (options.half ? "-fp16" : "-fp32") + ".engine";
  }

  bool readEngine(const std::string &file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return false;
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    engine.reset(runtime->deserializeCudaEngine(bytes.data(), bytes.size()));
    if (engine) return true;
    std::fprintf(stderr, "%s cannot be used and is built again\n", file.c_str());
    logger.last.clear();
    return false;
  }

  void buildEngine(const depthline::Request &request, const std::string &file) {
    std::ifstream in(request.path, std::ios::binary);
    if (!in) throw std::runtime_error("the file cannot be read");
    std::string model{std::istreambuf_iterator<char>(in), {}};
    if (request.inputType == "uint8") onnx::makeInputFloat(model);
    std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(logger));
    if (!builder) fail("TensorRT cannot be started");
    const auto explicitBatch = 1U << int(nvinfer1::NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
    std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(explicitBatch));
    std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
    if (!parser->parse(model.data(), model.size())) {
      fail(parser->getNbErrors() > 0 ? parser->getError(0)->desc() : "TensorRT cannot parse it");
    }
    std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
#if NAMED_TENSORS
    config->setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, options.workspaceMiB << 20);
#else
    config->setMaxWorkspaceSize(options.workspaceMiB << 20);
#endif
    if (options.half) config->setFlag(nvinfer1::BuilderFlag::kFP16);
    std::unique_ptr<nvinfer1::IHostMemory> built(builder->buildSerializedNetwork(*network, *config));
    if (!built) fail("TensorRT cannot build an engine for it");
    engine.reset(runtime->deserializeCudaEngine(built->data(), built->size()));
    if (!engine) fail("the engine cannot be used");
    store(file, *built);
  }

  /// Without a place to keep it the engine is only built again at the next start.
  static void store(const std::string &file, nvinfer1::IHostMemory &built) {
    const std::string part = file + "." + std::to_string(getpid()) + ".part";
    std::ofstream out(part, std::ios::binary);
    out.write(static_cast<const char *>(built.data()), std::streamsize(built.size()));
    out.close();
    if (out && std::rename(part.c_str(), file.c_str()) == 0) return;
    std::remove(part.c_str());
    std::fprintf(stderr, "the engine cannot be stored as %s\n", file.c_str());
  }

  void findTensors(const depthline::Request &request) {
#if NAMED_TENSORS
    for (int i = 0; i < engine->getNbIOTensors(); i++) {
      const std::string name = engine->getIOTensorName(i);
      const Tensor tensor = {name, engine->getTensorShape(name.c_str()), engine->getTensorDataType(name.c_str())};
#else
    for (int i = 0; i < engine->getNbBindings(); i++) {
      const std::string name = engine->getBindingName(i);
      const Tensor tensor = {name, engine->getBindingDimensions(i), engine->getBindingDataType(i)};
#endif
      Tensor &place = name == request.inputName ? input : output;
      if (name == request.inputName || name == request.outputName) place = tensor;
      check(cudaMalloc(&memory[name], tensor.bytes()), "there is not enough memory on the GPU");
    }
    if (input.name.empty()) throw std::runtime_error("it has no input " + request.inputName);
    if (output.name.empty()) throw std::runtime_error("it has no output " + request.outputName);
    if (input.shape.nbDims != 4) throw std::runtime_error("its input has no four dimensions");
    input.memory = memory[input.name];
    output.memory = memory[output.name];
    widens = request.inputType == "uint8" && input.type == nvinfer1::DataType::kFLOAT;
    if (widens) floats.resize(input.count());
    const bool fits = widens || input.bytes() == request.inputBytes();
    // Another size is reported, and the model refused.
    const bool sameSize = input.count() == size_t(request.width) * request.height * 3;
    if (sameSize && !fits) throw std::runtime_error("its input is not " + request.inputType);
    if (output.type == nvinfer1::DataType::kHALF) halves.resize(output.count());
    else if (output.type != nvinfer1::DataType::kFLOAT) throw std::runtime_error("its output is not float32 or float16");
  }

  bool enqueue() {
#if NAMED_TENSORS
    for (const auto &tensor : memory) context->setTensorAddress(tensor.first.c_str(), tensor.second);
    return context->enqueueV3(stream);
#else
    std::vector<void *> bindings;
    for (int i = 0; i < engine->getNbBindings(); i++) bindings.push_back(memory[engine->getBindingName(i)]);
    return context->enqueueV2(bindings.data(), stream, nullptr);
#endif
  }

  const Options options;
  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
  std::unique_ptr<nvinfer1::IExecutionContext> context;
  cudaStream_t stream = nullptr;
  Tensor input, output;
  std::map<std::string, void *> memory;
  /// The network takes float32 where Depthline sends uint8.
  bool widens = false;
  std::vector<float> floats, depth;
  std::vector<uint16_t> halves;
};

std::string defaultCache() {
  const auto env = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (!env("DEPTHLINE_CACHE").empty()) return env("DEPTHLINE_CACHE") + "/engines";
  const std::string cache = env("XDG_CACHE_HOME").empty() ? env("HOME") + "/.cache" : env("XDG_CACHE_HOME");
  return cache + "/depthline/engines";
}

void makeFolders(const std::string &path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    mkdir(path.substr(0, at).c_str(), 0755);
  }
  mkdir(path.c_str(), 0755);
}

}  // namespace

int main(int argc, char **argv) {
  Options options;
  options.cache = defaultCache();
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--precision" && (value == "fp16" || value == "fp32")) options.half = value == "fp16";
    else if (name == "--cache" && !value.empty()) options.cache = value;
    else if (name == "--workspace" && std::atoi(value.c_str()) > 0) options.workspaceMiB = size_t(std::atoi(value.c_str()));
    else if (name == "--device" && !value.empty()) options.device = std::atoi(value.c_str());
    else {
      std::fprintf(stderr, "use: %s [--precision fp16|fp32] [--cache FOLDER] [--workspace MIB] [--device N]\n", argv[0]);
      return 2;
    }
  }
  makeFolders(options.cache);
  TensorRt network(options);
  return depthline::serve(network);
}
