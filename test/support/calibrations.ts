interface Camera {
  readonly width: number;
  readonly height: number;
  /** Focal length of both axes, pixels. */
  readonly f: number;
  readonly cx: number;
  readonly cy: number;
  /** Of the rectified camera; default: cx. */
  readonly rectifiedCx?: number;
  /** -f × baseline for the right camera of a pair. */
  readonly tx?: number;
}

/** A camera without distortion, as ROS's camera_calibration writes it. */
export function cameraInfo({ width, height, f, cx, cy, rectifiedCx = cx, tx = 0 }: Camera): string {
  return `image_width: ${width}
image_height: ${height}
camera_name: eye
camera_matrix: { rows: 3, cols: 3, data: [${f}, 0, ${cx}, 0, ${f}, ${cy}, 0, 0, 1] }
distortion_model: plumb_bob
distortion_coefficients: { rows: 1, cols: 5, data: [0, 0, 0, 0, 0] }
rectification_matrix: { rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1] }
projection_matrix: { rows: 3, cols: 4, data: [${f}, 0, ${rectifiedCx}, ${tx}, 0, ${f}, ${cy}, 0, 0, 0, 1, 0] }
`;
}
