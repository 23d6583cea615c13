/** What to do with a model that takes or gives float16. */
export const float16Advice =
  'export the model in float32, or convert it with float32 inputs and outputs: convert_float_to_float16(model, keep_io_types=True) of the Python package onnxconverter-common';
