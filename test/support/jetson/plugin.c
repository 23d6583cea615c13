/* A GStreamer plug-in with stand-ins for elements that only a Jetson has. */
#include "stand-in.h"

static gboolean init(GstPlugin *plugin) {
  return gst_element_register(plugin, "nvarguscamerasrc", GST_RANK_NONE, stand_in_camera_get_type()) &&
         gst_element_register(plugin, "nvvidconv", GST_RANK_NONE, stand_in_converter_get_type());
}

#define PACKAGE "depthline"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, standinjetson, "Stand-ins for elements of a Jetson", init, "1.0.0",
                  "MIT/X11", "depthline", "https://example.com/")
