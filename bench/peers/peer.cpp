// The peer in C++: appsink → ONNX Runtime → ZeroMQ, as a user would write it without Depthline. One thread
// captures, one per worker infers, and results leave in the order of their frames. Prints a line of JSON
// per second with the frames published so far.
//
//   peer --launch LINE --model FILE --endpoint ENDPOINT --workers N --live 0|1
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <zmq.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// ONNX Runtime's C interface is a table of functions whose order never changes. The npm package has the
// library without its header, so the few functions that are needed are declared here, by their places.
extern "C" struct OrtApiBase {
  void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)();
};
extern "C" const OrtApiBase *OrtGetApiBase();

namespace ort {
using Handle = void *;
using Status = void *;
constexpr int apiVersion = 16;
constexpr int logFatal = 4, allOptimizations = 99, uint8 = 2, arenaAllocator = 1, defaultMemory = 0;
void *const *table = OrtGetApiBase()->GetApi(apiVersion);

template <typename... Args>
void call(int place, Args... args) {
  const auto function = reinterpret_cast<Status (*)(Args...)>(table[place]);
  if (Status status = function(args...)) {
    const auto message = reinterpret_cast<const char *(*)(Status)>(table[2]);
    std::fprintf(stderr, "ONNX Runtime: %s\n", message(status));
    std::exit(1);
  }
}
enum Place {
  CreateEnv = 3,
  CreateSession = 7,
  Run = 9,
  CreateSessionOptions = 10,
  SetGraphOptimizationLevel = 23,
  SetIntraOpNumThreads = 24,
  SetInterOpNumThreads = 25,
  CreateTensorWithData = 49,
  GetTensorMutableData = 51,
  CreateCpuMemoryInfo = 69,
  ReleaseValue = 96,
};
}  // namespace ort

constexpr int side = 224;
constexpr size_t pixels = side * side;

struct Frame {
  uint64_t seq;
  GstSample *sample;
};

struct Result {
  GstClockTime pts;
  std::vector<float> depth;
};

struct Peer {
  std::string launch, model, endpoint;
  int workers = 1;
  bool live = false;

  std::mutex mutex;
  std::condition_variable room, work, ready;
  std::deque<Frame> waiting;
  std::map<uint64_t, Result> results;
  bool ended = false;
  int busy = 0;
  uint64_t taken = 0;
  std::vector<std::vector<float>> spare;
  std::atomic<uint64_t> published{0};
};

static int64_t wallNs() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

static ort::Handle openSession(ort::Handle env, const std::string &path) {
  ort::Handle options, session;
  ort::call(ort::CreateSessionOptions, &options);
  ort::call(ort::SetGraphOptimizationLevel, options, ort::allOptimizations);
  ort::call(ort::SetIntraOpNumThreads, options, 1);
  ort::call(ort::SetInterOpNumThreads, options, 1);
  ort::call(ort::CreateSession, env, path.c_str(), options, &session);
  return session;
}

static void infer(ort::Handle session, ort::Handle memory, void *rgb, float *depth) {
  const int64_t shape[] = {1, side, side, 3};
  const int64_t outShape[] = {1, 1, side, side};
  constexpr int float32 = 1;
  ort::Handle input, output;
  ort::call(ort::CreateTensorWithData, memory, rgb, pixels * 3, &shape[0], size_t{4}, ort::uint8, &input);
  ort::call(ort::CreateTensorWithData, memory, static_cast<void *>(depth), pixels * 4, &outShape[0],
            size_t{4}, float32, &output);
  const char *inputs[] = {"rgb"};
  const char *outputs[] = {"depth"};
  ort::Handle none = nullptr;
  ort::call(ort::Run, session, none, &inputs[0], &input, size_t{1}, &outputs[0], size_t{1}, &output);
  const auto release = reinterpret_cast<void (*)(ort::Handle)>(ort::table[ort::ReleaseValue]);
  release(input);
  release(output);
}

static void work(Peer &peer, ort::Handle session, ort::Handle memory) {
  for (;;) {
    Frame frame;
    std::vector<float> depth;
    {
      std::unique_lock lock(peer.mutex);
      peer.work.wait(lock, [&] { return peer.ended || !peer.waiting.empty(); });
      if (peer.waiting.empty()) return;
      frame = peer.waiting.front();
      peer.waiting.pop_front();
      peer.busy++;
      if (!peer.spare.empty()) {
        depth = std::move(peer.spare.back());
        peer.spare.pop_back();
      }
    }
    peer.room.notify_one();
    depth.resize(pixels);
    GstBuffer *buffer = gst_sample_get_buffer(frame.sample);
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    infer(session, memory, map.data, depth.data());
    gst_buffer_unmap(buffer, &map);
    gst_sample_unref(frame.sample);
    {
      std::lock_guard lock(peer.mutex);
      peer.results.emplace(frame.seq, Result{pts, std::move(depth)});
      peer.busy--;
    }
    peer.room.notify_one();
    peer.ready.notify_one();
  }
}

static void publish(Peer &peer, void *socket, GstElement *pipeline) {
  for (uint64_t next = 0;; next++) {
    Result result;
    {
      std::unique_lock lock(peer.mutex);
      peer.ready.wait(lock, [&] {
        return peer.results.count(next) || (peer.ended && peer.waiting.empty() && next == peer.taken);
      });
      const auto found = peer.results.find(next);
      if (found == peer.results.end()) return;
      result = std::move(found->second);
      peer.results.erase(found);
    }
    GstClock *clock = gst_element_get_clock(pipeline);
    const int64_t now = wallNs();
    const int64_t age = gst_clock_get_time(clock) - gst_element_get_base_time(pipeline) - result.pts;
    gst_object_unref(clock);
    char header[512];
    const int length = std::snprintf(
        header, sizeof header,
        "{\"v\":1,\"kind\":\"depth\",\"seq\":%llu,\"pts\":\"%llu\",\"capturedAt\":\"%lld\",\"publishedAt\":\"%lld\","
        "\"source\":\"peer\",\"dtype\":\"<f4\",\"shape\":[%d,%d],\"encoding\":\"32FC1\",\"width\":%d,\"height\":%d,"
        "\"unit\":\"m\",\"scale\":1,\"invalid\":0,\"dropped\":0}",
        (unsigned long long)next, (unsigned long long)result.pts, (long long)(now - age), (long long)now, side,
        side, side, side);
    zmq_send(socket, "depth", 5, ZMQ_SNDMORE);
    zmq_send(socket, header, length, ZMQ_SNDMORE);
    zmq_send(socket, result.depth.data(), pixels * 4, 0);
    peer.published++;
    std::lock_guard lock(peer.mutex);
    peer.spare.push_back(std::move(result.depth));
  }
}

int main(int argc, char **argv) {
  Peer peer;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--launch") peer.launch = value;
    if (name == "--model") peer.model = value;
    if (name == "--endpoint") peer.endpoint = value;
    if (name == "--workers") peer.workers = std::stoi(value);
    if (name == "--live") peer.live = value == "1";
  }
  gst_init(nullptr, nullptr);
  void *context = zmq_ctx_new();
  void *socket = zmq_socket(context, ZMQ_PUB);
  const int highWaterMark = 100;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &highWaterMark, sizeof highWaterMark);
  if (zmq_connect(socket, peer.endpoint.c_str()) != 0) return 1;

  ort::Handle env, memory;
  ort::call(ort::CreateEnv, ort::logFatal, "peer", &env);
  ort::call(ort::CreateCpuMemoryInfo, ort::arenaAllocator, ort::defaultMemory, &memory);
  std::vector<ort::Handle> sessions;
  for (int i = 0; i < peer.workers; i++) sessions.push_back(openSession(env, peer.model));

  const std::string tail = peer.live ? "max-buffers=1 drop=true" : "max-buffers=2";
  const std::string line = peer.launch + " ! appsink name=sink sync=false enable-last-sample=false " + tail;
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(line.c_str(), &error);
  if (error) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);

  std::vector<std::thread> threads;
  for (ort::Handle session : sessions) threads.emplace_back([&, session] { work(peer, session, memory); });
  threads.emplace_back([&] { publish(peer, socket, pipeline); });
  std::thread([&] {
    for (;;) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      std::printf("{\"type\":\"stats\",\"processed\":%llu}\n", (unsigned long long)peer.published.load());
      std::fflush(stdout);
    }
  }).detach();

  for (;;) {
    {
      std::unique_lock lock(peer.mutex);
      // A live frame is fetched only when a worker is free, so that it is new.
      peer.room.wait(lock, [&] {
        return peer.waiting.empty() && (!peer.live || peer.busy < peer.workers);
      });
    }
    GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
    std::lock_guard lock(peer.mutex);
    if (!sample) {
      peer.ended = true;
      break;
    }
    peer.waiting.push_back({peer.taken++, sample});
    peer.work.notify_one();
  }
  peer.work.notify_all();
  peer.ready.notify_all();
  for (std::thread &thread : threads) thread.join();
  std::printf("{\"type\":\"summary\",\"processed\":%llu}\n", (unsigned long long)peer.published.load());
  std::fflush(stdout);
  std::_Exit(0);
}
