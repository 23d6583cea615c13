// TensorRT before 8.5 has no uint8 tensors. A network that takes uint8 pictures begins with a cast to float, so the
// same network with a float input gives the same: only the type of the input has to be changed in the ONNX file.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace onnx {

/// A part of a protobuf message: [begin, end) in the file.
struct Range {
  size_t begin, end;
};

inline uint64_t readVarint(const std::string &file, size_t &at, size_t end) {
  uint64_t value = 0;
  for (int shift = 0; at < end && shift < 64; shift += 7) {
    const uint8_t byte = uint8_t(file[at++]);
    value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  throw std::runtime_error("it is not a complete ONNX file");
}

/// The first field of this number in a message: the content of a submessage, or the bytes of a varint.
inline bool findField(const std::string &file, Range message, uint32_t number, Range &found) {
  for (size_t at = message.begin; at < message.end;) {
    const uint64_t key = readVarint(file, at, message.end);
    const size_t start = at;
    size_t content = at;
    switch (key & 7) {
      case 0: readVarint(file, at, message.end); break;
      case 1: at += 8; break;
      case 5: at += 4; break;
      case 2: {
        const uint64_t length = readVarint(file, at, message.end);
        content = at;
        if (length > message.end - at) throw std::runtime_error("it is not a complete ONNX file");
        at += length;
        break;
      }
      default: throw std::runtime_error("it is not an ONNX file");
    }
    if (at > message.end) throw std::runtime_error("it is not a complete ONNX file");
    if (key >> 3 == number) {
      found = {(key & 7) == 2 ? content : start, at};
      return true;
    }
  }
  return false;
}

/// Makes the first input of a model float32 if it is uint8. @returns whether it was
inline bool makeInputFloat(std::string &file) {
  constexpr char float32 = 1, uint8 = 2;
  // ModelProto.graph, GraphProto.input, ValueInfoProto.type, TypeProto.tensor_type, Tensor.elem_type.
  Range range = {0, file.size()};
  for (const uint32_t field : {7, 11, 2, 1, 1}) {
    if (!findField(file, range, field, range)) throw std::runtime_error("it has no input that is a tensor");
  }
  if (file[range.begin] != uint8) return false;
  file[range.begin] = float32;
  return true;
}

}  // namespace onnx
