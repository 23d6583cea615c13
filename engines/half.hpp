// IEEE 754 half precision.
#pragma once

#include <cstdint>
#include <cstring>

namespace depthline {

/// The number that the bits of a half stand for.
inline float fromHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  int exponent = (half >> 10) & 31;
  uint32_t fraction = half & 0x3ff;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | fraction << 13;
  } else if (exponent == 0 && fraction == 0) {
    bits = sign;
  } else {
    if (exponent == 0) {
      // A subnormal half is a normal float.
      for (exponent = 1; !(fraction & 0x400); exponent--) fraction <<= 1;
    }
    bits = sign | uint32_t(exponent + 112) << 23 | (fraction & 0x3ff) << 13;
  }
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace depthline
