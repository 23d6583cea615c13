// A stand-in for the part of CUDA that engines/tensorrt/ uses: the GPU's memory is this process's own.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>

enum cudaError_t { cudaSuccess = 0, cudaErrorNoDevice = 100 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
using cudaStream_t = struct StandInStream *;

struct cudaDeviceProp {
  char name[256];
  int major, minor;
};

inline cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorNoDevice; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp *gpu, int) {
  std::snprintf(gpu->name, sizeof gpu->name, "Stand-in (nvgpu)");
  gpu->major = 6;
  gpu->minor = 2;
  return cudaSuccess;
}
inline const char *cudaGetErrorString(cudaError_t) { return "no CUDA-capable device is detected"; }
inline cudaError_t cudaStreamCreate(cudaStream_t *) { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaMalloc(void **memory, size_t bytes) {
  *memory = std::malloc(bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
