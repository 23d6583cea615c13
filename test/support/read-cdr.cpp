// Reads CDR messages of sensor_msgs with eProsima's Fast CDR, as ROS 2 does, field by field as their
// definitions say. Prints one JSON object. Usage: read-cdr TYPE < MESSAGE
#include <fastcdr/Cdr.h>
#include <fastcdr/FastBuffer.h>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

using eprosima::fastcdr::Cdr;

static void print(const char *name, const std::string &text) {
  std::printf("\"%s\": \"%s\", ", name, text.c_str());
}
static void print(const char *name, double value) { std::printf("\"%s\": %.17g, ", name, value); }

template <typename T> static void print(const char *name, const std::vector<T> &values) {
  std::printf("\"%s\": [", name);
  for (size_t i = 0; i < values.size(); i++) std::printf("%s%.17g", i ? ", " : "", double(values[i]));
  std::printf("], ");
}

template <typename T> static T read(Cdr &cdr) {
  T value;
  cdr >> value;
  return value;
}

static std::vector<double> doubles(Cdr &cdr, size_t count) {
  std::vector<double> values(count);
  cdr.deserializeArray(values.data(), count);
  return values;
}

static void header(Cdr &cdr) {
  print("sec", read<int32_t>(cdr));
  print("nanosec", read<uint32_t>(cdr));
  print("frame_id", read<std::string>(cdr));
}

int main(int argc, char **argv) {
  const std::string type = argc > 1 ? argv[1] : "";
  std::vector<char> bytes((std::istreambuf_iterator<char>(std::cin)), {});
  eprosima::fastcdr::FastBuffer buffer(bytes.data(), bytes.size());
  Cdr cdr(buffer, Cdr::DEFAULT_ENDIAN, Cdr::DDS_CDR);
  cdr.read_encapsulation();
  std::printf("{");
  if (type == "sensor_msgs/msg/Image") {
    header(cdr);
    print("height", read<uint32_t>(cdr));
    print("width", read<uint32_t>(cdr));
    print("encoding", read<std::string>(cdr));
    print("is_bigendian", read<uint8_t>(cdr));
    print("step", read<uint32_t>(cdr));
    print("data", read<std::vector<uint8_t>>(cdr));
  } else if (type == "sensor_msgs/msg/CompressedImage") {
    header(cdr);
    print("format", read<std::string>(cdr));
    print("data", read<std::vector<uint8_t>>(cdr));
  } else if (type == "sensor_msgs/msg/CameraInfo") {
    header(cdr);
    print("height", read<uint32_t>(cdr));
    print("width", read<uint32_t>(cdr));
    print("distortion_model", read<std::string>(cdr));
    print("d", read<std::vector<double>>(cdr));
    print("k", doubles(cdr, 9));
    print("r", doubles(cdr, 9));
    print("p", doubles(cdr, 12));
    print("binning_x", read<uint32_t>(cdr));
    print("binning_y", read<uint32_t>(cdr));
    for (const char *name : {"roi_x", "roi_y", "roi_height", "roi_width"})
      print(name, read<uint32_t>(cdr));
    print("roi_rectify", read<bool>(cdr));
  } else if (type == "sensor_msgs/msg/PointCloud2") {
    header(cdr);
    print("height", read<uint32_t>(cdr));
    print("width", read<uint32_t>(cdr));
    const uint32_t fields = read<uint32_t>(cdr);
    std::printf("\"fields\": [");
    for (uint32_t i = 0; i < fields; i++) {
      const std::string name = read<std::string>(cdr);
      const uint32_t offset = read<uint32_t>(cdr);
      const int datatype = read<uint8_t>(cdr);
      const uint32_t count = read<uint32_t>(cdr);
      std::printf("%s[\"%s\", %u, %d, %u]", i ? ", " : "", name.c_str(), offset, datatype, count);
    }
    std::printf("], ");
    print("is_bigendian", read<bool>(cdr));
    print("point_step", read<uint32_t>(cdr));
    print("row_step", read<uint32_t>(cdr));
    print("data", read<std::vector<uint8_t>>(cdr));
    print("is_dense", read<bool>(cdr));
  } else if (type == "tf2_msgs/msg/TFMessage") {
    const uint32_t count = read<uint32_t>(cdr);
    print("count", count);
    for (uint32_t i = 0; i < count; i++) {
      std::printf("\"%u\": {", i);
      header(cdr);
      print("child_frame_id", read<std::string>(cdr));
      print("translation", doubles(cdr, 3));
      print("rotation", doubles(cdr, 4));
      std::printf("\"end\": 0}, ");
    }
  } else {
    std::fprintf(stderr, "unknown type %s\n", type.c_str());
    return 1;
  }
  std::printf("\"length\": %zu}\n", cdr.getSerializedDataLength());
}
