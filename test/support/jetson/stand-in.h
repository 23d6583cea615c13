#include <gst/gst.h>

GType stand_in_camera_get_type(void);
GType stand_in_converter_get_type(void);
