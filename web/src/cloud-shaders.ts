/**
 * One vertex per pixel of depth, by its number. Camera coordinates (x right, y down, z forward) become
 * those of WebGL (y up, z backward). A point is as large as its pixel at its depth, so that surfaces
 * have no holes when they are seen from the camera.
 */
export const vertexShader = `
uniform highp usampler2D steps;
uniform sampler2D picture;
uniform sampler2D palette;
uniform bool pictured;
uniform vec2 size;
uniform float unit;
uniform vec4 camera;
uniform vec2 range;
uniform float scale;
out vec3 shade;

void main() {
  int width = int(size.x);
  ivec2 pixel = ivec2(gl_VertexID % width, gl_VertexID / width);
  uint value = texelFetch(steps, pixel, 0).r;
  if (value == 0u) {
    // Not measured: outside of what is drawn.
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 1.0;
    return;
  }
  float depth = float(value) * unit;
  vec2 slope = (vec2(pixel) - camera.zw) / camera.xy;
  vec4 eye = modelViewMatrix * vec4(slope.x * depth, -slope.y * depth, -depth, 1.0);
  gl_Position = projectionMatrix * eye;
  float side = depth / min(camera.x, camera.y);
  gl_PointSize = clamp(1.25 * scale * side / max(0.001, -eye.z), 1.0, 48.0);
  float level = clamp((depth - range.x) / (range.y - range.x), 0.0, 1.0);
  shade = pictured
    ? texture(picture, (vec2(pixel) + 0.5) / size).rgb
    : texture(palette, vec2(1.0 - level, 0.5)).rgb;
}
`;

export const fragmentShader = `
in vec3 shade;
out vec4 color;

void main() {
  color = vec4(shade, 1.0);
}
`;
