/** One size that a camera delivers. */
export interface CameraMode {
  /** Number of the mode of a CSI sensor. */
  readonly mode?: number;
  /** Pixel or stream format, by the name that the camera's driver gives it. */
  readonly format?: string;
  readonly width: number;
  readonly height: number;
  /** Frames per second, the highest first; empty if it has no fixed rate. */
  readonly fps: readonly number[];
}

export interface Camera {
  readonly source: 'csi-camera' | 'usb-camera' | 'rtsp';
  /** The value of the option that chooses it: `sensor`, `device` or `url`. */
  readonly which: number | string;
  readonly name?: string;
  readonly modes: readonly CameraMode[];
  /** Why its modes are not known. */
  readonly problem?: string;
}
