/*
 * A stand-in for NVIDIA's nvvidconv: its pads, formats and properties. It really converts, crops, scales
 * and turns, on the CPU.
 *
 *   STAND_IN_WITHOUT   names of properties that this release does not have, with commas between them
 */
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

#include "stand-in.h"

typedef struct {
  GstBaseTransform parent;
  gint flip, interpolation, left, right, top, bottom;
  GstVideoInfo in, out;
} StandInConverter;
typedef struct { GstBaseTransformClass parent; } StandInConverterClass;

GType stand_in_converter_get_type(void);
G_DEFINE_TYPE(StandInConverter, stand_in_converter, GST_TYPE_BASE_TRANSFORM)

enum { P_NONE, P_FLIP, P_INTERPOLATION, P_LEFT, P_RIGHT, P_TOP, P_BOTTOM };

#define FORMATS "{ I420, UYVY, YUY2, YVYU, NV12, NV16, NV24, GRAY8, BGRx, RGBA, Y42B }"
#define REST ", format=(string)" FORMATS ", width=(int)[1,MAX], height=(int)[1,MAX], framerate=(fraction)[0/1,MAX]"
#define CAPS "video/x-raw(memory:NVMM)" REST "; video/x-raw" REST
static GstStaticPadTemplate sink_template =
  GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS));
static GstStaticPadTemplate src_template =
  GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CAPS));

static void stand_in_converter_set(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  StandInConverter *self = (StandInConverter *)object;
  switch (id) {
    case P_FLIP: self->flip = g_value_get_enum(value); break;
    case P_INTERPOLATION: self->interpolation = g_value_get_enum(value); break;
    case P_LEFT: self->left = g_value_get_int(value); break;
    /* Corners, of which the second is measured from the first: so that one has to be set before. */
    case P_RIGHT: self->right = g_value_get_int(value) - self->left; break;
    case P_TOP: self->top = g_value_get_int(value); break;
    case P_BOTTOM: self->bottom = g_value_get_int(value) - self->top; break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void stand_in_converter_get(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  StandInConverter *self = (StandInConverter *)object;
  switch (id) {
    case P_FLIP: g_value_set_enum(value, self->flip); break;
    case P_INTERPOLATION: g_value_set_enum(value, self->interpolation); break;
    case P_LEFT: g_value_set_int(value, self->left); break;
    case P_RIGHT: g_value_set_int(value, self->left + self->right); break;
    case P_TOP: g_value_set_int(value, self->top); break;
    case P_BOTTOM: g_value_set_int(value, self->top + self->bottom); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

/* Any format and size of either memory, at the same rate. */
static GstCaps *stand_in_converter_transform_caps(GstBaseTransform *base, GstPadDirection direction, GstCaps *caps,
                                                 GstCaps *filter) {
  GstCaps *all = gst_static_pad_template_get_caps(&src_template), *result = gst_caps_new_empty();
  for (guint n = 0; n < gst_caps_get_size(caps); n++) {
    const GValue *rate = gst_structure_get_value(gst_caps_get_structure(caps, n), "framerate");
    GstCaps *one = gst_caps_copy(all);
    if (rate) gst_caps_set_value(one, "framerate", rate);
    result = gst_caps_merge(result, one);
  }
  gst_caps_unref(all);
  if (!filter) return result;
  GstCaps *both = gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(result);
  return both;
}

static gboolean turned(StandInConverter *self) {
  return self->flip == 1 || self->flip == 3 || self->flip == 5 || self->flip == 7;
}

/* A size that is not stated is the one that comes in, whatever is cropped. */
static GstCaps *stand_in_converter_fixate(GstBaseTransform *base, GstPadDirection direction, GstCaps *caps,
                                         GstCaps *other) {
  StandInConverter *self = (StandInConverter *)base;
  GstStructure *from = gst_caps_get_structure(caps, 0), *to;
  gint width, height;
  other = gst_caps_make_writable(gst_caps_truncate(other));
  to = gst_caps_get_structure(other, 0);
  gst_structure_get_int(from, "width", &width);
  gst_structure_get_int(from, "height", &height);
  gst_structure_fixate_field_nearest_int(to, "width", turned(self) ? height : width);
  gst_structure_fixate_field_nearest_int(to, "height", turned(self) ? width : height);
  if (gst_structure_has_field(to, "format"))
    gst_structure_fixate_field_string(to, "format", gst_structure_get_string(from, "format"));
  return gst_caps_fixate(other);
}

static gboolean stand_in_converter_set_caps(GstBaseTransform *base, GstCaps *in, GstCaps *out) {
  StandInConverter *self = (StandInConverter *)base;
  return gst_video_info_from_caps(&self->in, in) && gst_video_info_from_caps(&self->out, out);
}

static gboolean stand_in_converter_unit_size(GstBaseTransform *base, GstCaps *caps, gsize *size) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  *size = GST_VIDEO_INFO_SIZE(&info);
  return TRUE;
}

/* One step with the CPU's converter; the rectangle is the part of the source that is kept. */
static void convert(GstVideoInfo *from_info, GstBuffer *from, GstVideoInfo *to_info, GstBuffer *to, const gint rect[4],
                    gint interpolation) {
  GstStructure *config = gst_structure_new("config",
    GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, rect[0], GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, rect[1],
    GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, rect[2], GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, rect[3],
    GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
    interpolation == 0 ? GST_VIDEO_RESAMPLER_METHOD_NEAREST : GST_VIDEO_RESAMPLER_METHOD_LINEAR, NULL);
  /* The converter asks for equal rates. */
  to_info->fps_n = from_info->fps_n;
  to_info->fps_d = from_info->fps_d;
  GstVideoConverter *converter = gst_video_converter_new(from_info, to_info, config);
  GstVideoFrame source, target;
  gst_video_frame_map(&source, from_info, from, GST_MAP_READ);
  gst_video_frame_map(&target, to_info, to, GST_MAP_WRITE);
  gst_video_converter_frame(converter, &source, &target);
  gst_video_frame_unmap(&source);
  gst_video_frame_unmap(&target);
  gst_video_converter_free(converter);
}

/* Where a pixel of the turned picture comes from, by flip-method. */
static void origin(gint flip, int x, int y, int width, int height, int *from_x, int *from_y) {
  int mirrored_x = width - 1 - x, mirrored_y = height - 1 - y;
  switch (flip) {
    case 1: *from_x = mirrored_y; *from_y = x; return;   /* counter-clockwise */
    case 2: *from_x = mirrored_x; *from_y = mirrored_y; return;
    case 3: *from_x = y; *from_y = mirrored_x; return;   /* clockwise */
    case 4: *from_x = mirrored_x; *from_y = y; return;
    case 5: *from_x = mirrored_y; *from_y = mirrored_x; return;
    case 6: *from_x = x; *from_y = mirrored_y; return;
    case 7: *from_x = y; *from_y = x; return;
    default: *from_x = x; *from_y = y;
  }
}

static void turn(gint flip, GstBuffer *from, int from_width, GstBuffer *to, int width, int height) {
  GstMapInfo source, target;
  gst_buffer_map(from, &source, GST_MAP_READ);
  gst_buffer_map(to, &target, GST_MAP_WRITE);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int from_x, from_y;
      origin(flip, x, y, width, height, &from_x, &from_y);
      memcpy(target.data + 4 * (y * width + x), source.data + 4 * (from_y * from_width + from_x), 4);
    }
  gst_buffer_unmap(from, &source);
  gst_buffer_unmap(to, &target);
}

static GstBuffer *rgba(GstVideoInfo *info, int width, int height) {
  gst_video_info_set_format(info, GST_VIDEO_FORMAT_RGBA, width, height);
  return gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(info), NULL);
}

static GstFlowReturn stand_in_converter_transform(GstBaseTransform *base, GstBuffer *in, GstBuffer *out) {
  StandInConverter *self = (StandInConverter *)base;
  const gint width = GST_VIDEO_INFO_WIDTH(&self->in), height = GST_VIDEO_INFO_HEIGHT(&self->in);
  const gint to_width = GST_VIDEO_INFO_WIDTH(&self->out), to_height = GST_VIDEO_INFO_HEIGHT(&self->out);
  const gboolean cropped = self->right > 0 && self->bottom > 0;
  const gint part[4] = {cropped ? self->left : 0, cropped ? self->top : 0, cropped ? self->right : width,
                        cropped ? self->bottom : height};
  if (part[0] + part[2] > width || part[1] + part[3] > height) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("Crop outside of the picture"), (NULL));
    return GST_FLOW_ERROR;
  }
  if (self->flip == 0) {
    convert(&self->in, in, &self->out, out, part, self->interpolation);
    return GST_FLOW_OK;
  }
  GstVideoInfo before_info, after_info;
  GstBuffer *before = rgba(&before_info, turned(self) ? to_height : to_width, turned(self) ? to_width : to_height);
  GstBuffer *after = rgba(&after_info, to_width, to_height);
  const gint whole[4] = {0, 0, to_width, to_height};
  convert(&self->in, in, &before_info, before, part, self->interpolation);
  turn(self->flip, before, GST_VIDEO_INFO_WIDTH(&before_info), after, to_width, to_height);
  convert(&after_info, after, &self->out, out, whole, self->interpolation);
  gst_buffer_unref(before);
  gst_buffer_unref(after);
  return GST_FLOW_OK;
}

static void stand_in_converter_init(StandInConverter *self) {}

static void install(GObjectClass *object, guint id, GParamSpec *spec) {
  const char *without = getenv("STAND_IN_WITHOUT");
  gchar **names = g_strsplit(without ? without : "", ",", -1);
  if (!g_strv_contains((const gchar *const *)names, spec->name)) g_object_class_install_property(object, id, spec);
  else g_param_spec_unref(g_param_spec_ref_sink(spec));
  g_strfreev(names);
}

static void stand_in_converter_class_init(StandInConverterClass *class) {
  static const GEnumValue flips[] = {{0, "none", "none"}, {1, "counterclockwise", "counterclockwise"},
    {2, "rotate-180", "rotate-180"}, {3, "clockwise", "clockwise"}, {4, "horizontal-flip", "horizontal-flip"},
    {5, "upper-right-diagonal", "upper-right-diagonal"}, {6, "vertical-flip", "vertical-flip"},
    {7, "upper-left-diagonal", "upper-left-diagonal"}, {0, NULL, NULL}};
  static const GEnumValue methods[] = {{0, "Nearest", "Nearest"}, {1, "Bilinear", "Bilinear"}, {2, "5-Tap", "5-Tap"},
    {3, "10-Tap", "10-Tap"}, {4, "Smart", "Smart"}, {5, "Nicest", "Nicest"}, {0, NULL, NULL}};
  GObjectClass *object = G_OBJECT_CLASS(class);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS(class);
  GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  object->set_property = stand_in_converter_set;
  object->get_property = stand_in_converter_get;
#define CHOICE(id, name, type) install(object, id, g_param_spec_enum(name, name, name, type, 0, both))
#define CORNER(id, name) install(object, id, g_param_spec_int(name, name, name, 0, G_MAXINT, 0, both))
  CHOICE(P_FLIP, "flip-method", g_enum_register_static("StandInFlip", flips));
  CHOICE(P_INTERPOLATION, "interpolation-method", g_enum_register_static("StandInMethod", methods));
  CORNER(P_LEFT, "left");
  CORNER(P_RIGHT, "right");
  CORNER(P_TOP, "top");
  CORNER(P_BOTTOM, "bottom");
  transform->transform_caps = stand_in_converter_transform_caps;
  transform->fixate_caps = stand_in_converter_fixate;
  transform->set_caps = stand_in_converter_set_caps;
  transform->get_unit_size = stand_in_converter_unit_size;
  transform->transform = stand_in_converter_transform;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &src_template);
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &sink_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(class), "Stand-in for a Jetson converter",
    "Filter/Converter/Video/Scaler", "Has the rules of nvvidconv", "Depthline");
}
