// A helper of Depthline in C++: the protocol of docs/engine-protocol.md, for a network that a subclass runs.
//
//   int main() { MyNetwork network; return depthline::serve(network); }
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace depthline {

constexpr uint8_t protocolVersion = 1;
constexpr size_t headerLength = 16;

enum MessageType : uint8_t {
  open = 1,
  ready = 2,
  picture = 3,
  depth = 4,
  failed = 5,
  refused = 6,
  progress = 7,
};

/// What Depthline asks for.
struct Request {
  std::string model;   // its name
  std::string path;    // its file
  std::string sha256;  // of that file, hexadecimal
  int threads = 1;
  std::string inputName, inputType, inputLayout;  // "uint8", "float32" or "float16"; "NHWC" or "NCHW"
  int width = 0, height = 0;
  std::string outputName;

  size_t inputBytes() const {
    const size_t element = inputType == "float32" ? 4 : inputType == "float16" ? 2 : 1;
    return size_t(width) * height * 3 * element;
  }
};

/// What is loaded.
struct Loaded {
  std::string engine;           // what runs it, for people
  int inputWidth, inputHeight;  // of the network itself
  int width, height;            // of the depth
};

/// Sends what the helper is at while it loads; Depthline waits on. Any thread may call it.
using Report = void (*)(const std::string &what);

class Network {
 public:
  virtual ~Network() = default;
  /// @throws std::exception whose text says why the model cannot be loaded
  virtual Loaded load(const Request &request, Report report) = 0;
  /// @param input the network's input, as the request describes it
  /// @returns height × width values, valid until the next call
  /// @throws std::exception if the network fails on this picture
  virtual const float *run(const uint8_t *input) = 0;
};

namespace detail {

inline int descriptor = 3;
inline std::mutex sending;

inline void put(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = uint8_t(value >> (8 * i));
}

inline uint32_t get(const uint8_t *at) {
  return at[0] | uint32_t(at[1]) << 8 | uint32_t(at[2]) << 16 | uint32_t(at[3]) << 24;
}

/// Depthline has closed the socket, or ended: so does the helper, without a word.
[[noreturn]] inline void leave() { std::_Exit(0); }

inline void writeAll(const void *data, size_t length) {
  auto at = static_cast<const uint8_t *>(data);
  while (length > 0) {
    const ssize_t n = ::write(descriptor, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) leave();
    at += n;
    length -= size_t(n);
  }
}

inline void readAll(void *data, size_t length) {
  auto at = static_cast<uint8_t *>(data);
  while (length > 0) {
    const ssize_t n = ::read(descriptor, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) leave();
    at += n;
    length -= size_t(n);
  }
}

inline void send(MessageType type, uint32_t id, const void *payload, size_t length) {
  std::lock_guard<std::mutex> lock(sending);
  uint8_t header[headerLength] = {'D', 'P', 'T', 'H', protocolVersion, type};
  put(header + 8, id);
  put(header + 12, uint32_t(length));
  writeAll(header, sizeof header);
  writeAll(payload, length);
}

inline void send(MessageType type, uint32_t id, const std::string &text) {
  send(type, id, text.data(), text.size());
}

struct Header {
  uint8_t type;
  uint32_t id, length;
};

inline Header receive() {
  uint8_t bytes[headerLength];
  readAll(bytes, sizeof bytes);
  if (std::memcmp(bytes, "DPTH", 4) != 0 || bytes[4] != protocolVersion) {
    std::fprintf(stderr, "this is not version %d of the protocol\n", protocolVersion);
    std::exit(2);
  }
  return {bytes[5], get(bytes + 8), get(bytes + 12)};
}

inline Request parse(const std::string &text) {
  std::map<std::string, std::string> values;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    const std::string line = text.substr(at, end - at);
    const size_t space = line.find(' ');
    if (space != std::string::npos) values[line.substr(0, space)] = line.substr(space + 1);
    at = end + 1;
  }
  Request request;
  request.model = values["model"];
  request.path = values["path"];
  request.sha256 = values["sha256"];
  request.threads = std::atoi(values["threads"].c_str());
  request.inputName = values["input.name"];
  request.inputType = values["input.type"];
  request.inputLayout = values["input.layout"];
  request.width = std::atoi(values["input.width"].c_str());
  request.height = std::atoi(values["input.height"].c_str());
  request.outputName = values["output.name"];
  return request;
}

inline std::string describe(const Request &request, const Loaded &loaded) {
  return "protocol " + std::to_string(protocolVersion) + "\nengine " + loaded.engine + "\nmodel " +
         request.model + "\ninput.width " + std::to_string(loaded.inputWidth) + "\ninput.height " +
         std::to_string(loaded.inputHeight) + "\noutput.width " + std::to_string(loaded.width) +
         "\noutput.height " + std::to_string(loaded.height) + "\n";
}

}  // namespace detail

/// Answers Depthline until it closes the socket. @returns an exit code, if the model cannot be loaded
inline int serve(Network &network) {
  using namespace detail;
  if (const char *fd = std::getenv("DEPTHLINE_ENGINE_FD")) {
    descriptor = std::atoi(fd);
  } else {
    std::fprintf(stderr, "Depthline starts this program; see docs/engine-protocol.md\n");
    return 2;
  }
  const Header first = receive();
  if (first.type != open || first.length > 65536) {
    std::fprintf(stderr, "the first message does not name a model\n");
    return 2;
  }
  std::string text(first.length, '\0');
  readAll(&text[0], text.size());
  const Request request = parse(text);
  Loaded loaded;
  try {
    loaded = network.load(request, [](const std::string &what) { send(progress, 0, what); });
  } catch (const std::exception &error) {
    send(refused, 0, error.what());
    return 1;
  }
  send(ready, 0, describe(request, loaded));

  std::vector<uint8_t> input(request.inputBytes());
  const size_t bytes = size_t(loaded.width) * loaded.height * sizeof(float);
  for (;;) {
    const Header header = receive();
    if (header.type != picture || header.length != input.size()) {
      std::fprintf(stderr, "a message of type %d with %u bytes, where a picture has %zu\n", header.type,
                   header.length, input.size());
      return 2;
    }
    readAll(input.data(), input.size());
    try {
      send(depth, header.id, network.run(input.data()), bytes);
    } catch (const std::exception &error) {
      send(failed, header.id, error.what());
    }
  }
}

}  // namespace depthline
