/** In options of a component that is there once for each camera: the camera's name. */
export const cameraPlaceholder = '{camera}';
