// Writes CDR messages of sensor_msgs with eProsima's Fast CDR, as ROS 2 does. Reads lines of
//   TYPE SEC NANOSEC FRAME_ID …  HEX
// from standard input and prints each message in hexadecimal. Further fields:
//   Image: HEIGHT WIDTH ENCODING BIGENDIAN STEP      CompressedImage: FORMAT (_ for a space)
//   CameraInfo: HEIGHT WIDTH FX FY CX CY K1          PointCloud2: COUNT (float32 x, y, z; HEX)
#include <fastcdr/Cdr.h>
#include <fastcdr/FastBuffer.h>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

using eprosima::fastcdr::Cdr;

static std::vector<uint8_t> bytes(const std::string &hex) {
  std::vector<uint8_t> data(hex.size() / 2);
  for (size_t i = 0; i < data.size(); i++) data[i] = std::stoi(hex.substr(2 * i, 2), nullptr, 16);
  return data;
}

template <typename T> static T next(std::istream &in) {
  T value{};
  in >> value;
  return value;
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream in(line);
    const auto type = next<std::string>(in);
    eprosima::fastcdr::FastBuffer buffer;
    Cdr cdr(buffer, Cdr::DEFAULT_ENDIAN, Cdr::DDS_CDR);
    cdr.serialize_encapsulation();
    cdr << next<int32_t>(in) << next<uint32_t>(in) << next<std::string>(in);
    if (type == "Image") {
      cdr << next<uint32_t>(in) << next<uint32_t>(in) << next<std::string>(in);
      cdr << uint8_t(next<int>(in)) << next<uint32_t>(in) << bytes(next<std::string>(in));
    } else if (type == "CompressedImage") {
      auto format = next<std::string>(in);
      for (char &c : format) c = c == '_' ? ' ' : c;
      cdr << format << bytes(next<std::string>(in));
    } else if (type == "CameraInfo") {
      cdr << next<uint32_t>(in) << next<uint32_t>(in) << std::string("plumb_bob");
      const double fx = next<double>(in), fy = next<double>(in);
      const double cx = next<double>(in), cy = next<double>(in);
      cdr << std::vector<double>{next<double>(in), 0, 0, 0, 0};
      for (double value : {fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0}) cdr << value;
      for (double value : {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0}) cdr << value;
      for (double value : {fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0}) cdr << value;
      for (int i = 0; i < 6; i++) cdr << uint32_t(0);
      cdr << false;
    } else if (type == "PointCloud2") {
      const auto count = next<uint32_t>(in);
      cdr << uint32_t(1) << count << uint32_t(3);
      for (const char *name : {"x", "y", "z"})
        cdr << std::string(name) << uint32_t(4 * (name[0] - 'x')) << uint8_t(7) << uint32_t(1);
      cdr << false << uint32_t(12) << uint32_t(12 * count) << bytes(next<std::string>(in)) << true;
    } else {
      std::fprintf(stderr, "unknown type %s\n", type.c_str());
      return 1;
    }
    const auto *data = reinterpret_cast<const uint8_t *>(buffer.getBuffer());
    for (size_t i = 0; i < cdr.getSerializedDataLength(); i++) std::printf("%02x", data[i]);
    std::printf("\n");
  }
}
