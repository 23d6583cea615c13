/*
 * A stand-in for NVIDIA's nvarguscamerasrc, for tests on machines that are no Jetson: its pads,
 * properties, choice of a sensor mode and ways to fail. Its "video memory" is ordinary memory.
 *
 * The environment decides what is connected:
 *   STAND_IN_CAMERAS   number of cameras (1)
 *   STAND_IN_BREAKS    frames after which the camera daemon is lost (never)
 *   STAND_IN_WITHOUT   names of properties that this release does not have, with commas between them
 *   STAND_IN_LOG       file to which the values of all properties are written when it starts
 */
#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stand-in.h"

typedef struct { int width, height, fps; } SensorMode;

/* An IMX219's modes, as Argus lists them. */
static const SensorMode modes[] = {
  {3264, 2464, 21}, {3264, 1848, 28}, {1920, 1080, 30}, {1640, 1232, 30}, {1280, 720, 60},
};

typedef struct {
  GstPushSrc parent;
  gint sensor_id, sensor_mode, wbmode, aeantibanding, tnr_mode, ee_mode;
  gfloat saturation, tnr_strength, ee_strength, exposurecompensation;
  gchar *exposuretimerange, *gainrange, *ispdigitalgainrange;
  gboolean aelock, awblock;
  GstVideoInfo info;
  gint fps;
  guint64 frames;
  GstClockTime next;
  gboolean broken;
} StandInCamera;
typedef struct { GstPushSrcClass parent; } StandInCameraClass;

GType stand_in_camera_get_type(void);
G_DEFINE_TYPE(StandInCamera, stand_in_camera, GST_TYPE_PUSH_SRC)

enum {
  P_NONE, P_SENSOR_ID, P_SENSOR_MODE, P_WBMODE, P_SATURATION, P_EXPOSURE, P_GAIN, P_DIGITAL_GAIN, P_TNR_MODE,
  P_TNR_STRENGTH, P_EE_MODE, P_EE_STRENGTH, P_ANTIBANDING, P_COMPENSATION, P_AELOCK, P_AWBLOCK,
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
  GST_STATIC_CAPS("video/x-raw(memory:NVMM), format=(string)NV12, width=(int)[1,MAX], height=(int)[1,MAX], "
                  "framerate=(fraction)[0/1,MAX]"));

/* Argus gives its reasons to stdout, into a buffer that is not flushed, and says nothing on the bus. */
static void say_error(const char *where, const char *text) {
  printf("Error generated. /dvs/git/multimedia/gstnvarguscamerasrc.cpp, %s:%d %s\n", where, 500, text);
}

static int cameras(void) {
  const char *text = getenv("STAND_IN_CAMERAS");
  return text ? atoi(text) : 1;
}

static void stand_in_camera_set(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  StandInCamera *self = (StandInCamera *)object;
  switch (id) {
    case P_SENSOR_ID: self->sensor_id = g_value_get_int(value); break;
    case P_SENSOR_MODE: self->sensor_mode = g_value_get_int(value); break;
    case P_WBMODE: self->wbmode = g_value_get_enum(value); break;
    case P_SATURATION: self->saturation = g_value_get_float(value); break;
    case P_EXPOSURE: g_free(self->exposuretimerange); self->exposuretimerange = g_value_dup_string(value); break;
    case P_GAIN: g_free(self->gainrange); self->gainrange = g_value_dup_string(value); break;
    case P_DIGITAL_GAIN: g_free(self->ispdigitalgainrange); self->ispdigitalgainrange = g_value_dup_string(value); break;
    case P_TNR_MODE: self->tnr_mode = g_value_get_enum(value); break;
    case P_TNR_STRENGTH: self->tnr_strength = g_value_get_float(value); break;
    case P_EE_MODE: self->ee_mode = g_value_get_enum(value); break;
    case P_EE_STRENGTH: self->ee_strength = g_value_get_float(value); break;
    case P_ANTIBANDING: self->aeantibanding = g_value_get_enum(value); break;
    case P_COMPENSATION: self->exposurecompensation = g_value_get_float(value); break;
    case P_AELOCK: self->aelock = g_value_get_boolean(value); break;
    case P_AWBLOCK: self->awblock = g_value_get_boolean(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void stand_in_camera_get(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  StandInCamera *self = (StandInCamera *)object;
  switch (id) {
    case P_SENSOR_ID: g_value_set_int(value, self->sensor_id); break;
    case P_SENSOR_MODE: g_value_set_int(value, self->sensor_mode); break;
    case P_WBMODE: g_value_set_enum(value, self->wbmode); break;
    case P_SATURATION: g_value_set_float(value, self->saturation); break;
    case P_EXPOSURE: g_value_set_string(value, self->exposuretimerange); break;
    case P_GAIN: g_value_set_string(value, self->gainrange); break;
    case P_DIGITAL_GAIN: g_value_set_string(value, self->ispdigitalgainrange); break;
    case P_TNR_MODE: g_value_set_enum(value, self->tnr_mode); break;
    case P_TNR_STRENGTH: g_value_set_float(value, self->tnr_strength); break;
    case P_EE_MODE: g_value_set_enum(value, self->ee_mode); break;
    case P_EE_STRENGTH: g_value_set_float(value, self->ee_strength); break;
    case P_ANTIBANDING: g_value_set_enum(value, self->aeantibanding); break;
    case P_COMPENSATION: g_value_set_float(value, self->exposurecompensation); break;
    case P_AELOCK: g_value_set_boolean(value, self->aelock); break;
    case P_AWBLOCK: g_value_set_boolean(value, self->awblock); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

/* The smallest mode that covers the picture, else mode 0. */
static int choose_mode(StandInCamera *self, int width, int height) {
  int best = -1;
  if (self->sensor_mode >= 0 && self->sensor_mode < (int)G_N_ELEMENTS(modes)) return self->sensor_mode;
  for (int n = 0; n < (int)G_N_ELEMENTS(modes); n++) {
    if (modes[n].width < width || modes[n].height < height) continue;
    if (best < 0 || modes[n].width * modes[n].height < modes[best].width * modes[best].height) best = n;
  }
  return best < 0 ? 0 : best;
}

/* "LOW HIGH" within the limits of the sensor. */
static gboolean check_range(const gchar *range, double least, double most, const char *problem) {
  double low, high;
  if (!range) return TRUE;
  if (sscanf(range, "%lf %lf", &low, &high) == 2 && low <= high && low >= least && high <= most) return TRUE;
  say_error("execute", problem);
  return FALSE;
}

/* What Argus finds out once it runs. FALSE: the stream ends, and nothing comes on the bus. */
static gboolean open_camera(StandInCamera *self) {
  int width = GST_VIDEO_INFO_WIDTH(&self->info), height = GST_VIDEO_INFO_HEIGHT(&self->info), mode;
  printf("GST_ARGUS: Creating output stream\n");
  if (cameras() == 0) return say_error("execute", "No cameras available"), FALSE;
  if (self->sensor_id >= cameras()) {
    char text[100];
    snprintf(text, sizeof text, "Invalid camera device specified %d specified, %d cameras detected", self->sensor_id,
             cameras());
    return say_error("execute", text), FALSE;
  }
  printf("GST_ARGUS: Available Sensor modes :\n");
  for (guint n = 0; n < G_N_ELEMENTS(modes); n++)
    printf("GST_ARGUS: %d x %d FR = %f fps Duration = %d ; Analog Gain range min 1.000000, max 10.625000; "
           "Exposure Range min 13000, max 683709000;\n\n",
           modes[n].width, modes[n].height, modes[n].fps - 1e-6, 1000000000 / modes[n].fps);
  mode = choose_mode(self, width, height);
  printf("GST_ARGUS: Running with following settings:\n   Camera index = %d\n   Camera mode  = %d\n"
         "   Output Stream W = %d H = %d\n   seconds to Run    = 0\n   Frame Rate = %f\n",
         self->sensor_id, mode, modes[mode].width, modes[mode].height, modes[mode].fps - 1e-6);
  if (self->fps > modes[mode].fps) return say_error("execute", "Frame Rate specified is greater than supported"), FALSE;
  if (!check_range(self->exposuretimerange, 13000, 683709000, "Invalid Exposure Time Range Input")) return FALSE;
  if (!check_range(self->gainrange, 1, 10.625, "Invalid Gain Range Input")) return FALSE;
  if (!check_range(self->ispdigitalgainrange, 1, 256, "Invalid ISP Digital Gain Range Input")) return FALSE;
  printf("GST_ARGUS: Setup Complete, Starting captures for 0 seconds\n");
  return TRUE;
}

/* For tests: the values that arrived here. */
static void log_properties(StandInCamera *self) {
  const char *path = getenv("STAND_IN_LOG");
  FILE *file = path ? fopen(path, "w") : NULL;
  guint count;
  GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(self), &count);
  for (guint n = 0; file && n < count; n++) {
    GValue value = G_VALUE_INIT;
    if (specs[n]->owner_type != stand_in_camera_get_type()) continue;
    g_value_init(&value, specs[n]->value_type);
    g_object_get_property(G_OBJECT(self), specs[n]->name, &value);
    if (G_VALUE_HOLDS_FLOAT(&value)) fprintf(file, "%s=%g\n", specs[n]->name, g_value_get_float(&value));
    else if (G_VALUE_HOLDS_ENUM(&value)) fprintf(file, "%s=%d\n", specs[n]->name, g_value_get_enum(&value));
    else if (G_VALUE_HOLDS_STRING(&value))
      fprintf(file, "%s=%s\n", specs[n]->name, g_value_get_string(&value) ? g_value_get_string(&value) : "");
    else if (G_VALUE_HOLDS_BOOLEAN(&value)) fprintf(file, "%s=%d\n", specs[n]->name, g_value_get_boolean(&value));
    else fprintf(file, "%s=%d\n", specs[n]->name, g_value_get_int(&value));
    g_value_unset(&value);
  }
  g_free(specs);
  if (file) fclose(file);
}

static gboolean stand_in_camera_set_caps(GstBaseSrc *base, GstCaps *caps) {
  StandInCamera *self = (StandInCamera *)base;
  if (!gst_video_info_from_caps(&self->info, caps)) return FALSE;
  /* It divides whole numbers: 30000/1001 is 29. */
  self->fps = GST_VIDEO_INFO_FPS_N(&self->info) / MAX(1, GST_VIDEO_INFO_FPS_D(&self->info));
  if (self->fps == 0) self->fps = 30;
  log_properties(self);
  self->broken = !open_camera(self);
  return TRUE;
}

static GstCaps *stand_in_camera_fixate(GstBaseSrc *base, GstCaps *caps) {
  GstStructure *first;
  caps = gst_caps_make_writable(gst_caps_truncate(caps));
  first = gst_caps_get_structure(caps, 0);
  gst_structure_fixate_field_nearest_int(first, "width", 1920);
  gst_structure_fixate_field_nearest_int(first, "height", 1080);
  gst_structure_fixate_field_nearest_fraction(first, "framerate", 30, 1);
  return GST_BASE_SRC_CLASS(stand_in_camera_parent_class)->fixate(base, caps);
}

/* Brightness rises from left to right, blue from top to bottom. */
static void draw(GstVideoInfo *info, guint8 *data) {
  int width = GST_VIDEO_INFO_WIDTH(info), height = GST_VIDEO_INFO_HEIGHT(info);
  guint8 *luma = data + GST_VIDEO_INFO_PLANE_OFFSET(info, 0), *chroma = data + GST_VIDEO_INFO_PLANE_OFFSET(info, 1);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) luma[y * GST_VIDEO_INFO_PLANE_STRIDE(info, 0) + x] = 40 + 180 * x / width;
  for (int y = 0; y < (height + 1) / 2; y++)
    for (int x = 0; x < (width + 1) / 2; x++) {
      guint8 *pair = chroma + y * GST_VIDEO_INFO_PLANE_STRIDE(info, 1) + 2 * x;
      pair[0] = 90 + 150 * y / height;
      pair[1] = 128;
    }
}

static GstFlowReturn stand_in_camera_create(GstPushSrc *base, GstBuffer **buffer) {
  StandInCamera *self = (StandInCamera *)base;
  const char *breaks = getenv("STAND_IN_BREAKS");
  GstMapInfo map;
  if (self->broken) return GST_FLOW_EOS;
  if (breaks && self->frames >= strtoul(breaks, NULL, 10)) {
    say_error("threadFunction", "Failed to create CaptureSession");
    return GST_FLOW_EOS;
  }
  /* Frames come at their rate by the wall clock; the base class stamps them as they arrive. */
  gint64 now = g_get_monotonic_time() * 1000;
  if (self->next > (GstClockTime)now) g_usleep((self->next - now) / 1000);
  self->next = MAX(self->next, (GstClockTime)now) + GST_SECOND / self->fps;
  *buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&self->info), NULL);
  gst_buffer_map(*buffer, &map, GST_MAP_WRITE);
  draw(&self->info, map.data);
  gst_buffer_unmap(*buffer, &map);
  GST_BUFFER_DURATION(*buffer) = GST_SECOND / self->fps;
  self->frames++;
  return GST_FLOW_OK;
}

static void stand_in_camera_init(StandInCamera *self) {
  self->sensor_mode = -1;
  self->wbmode = self->aeantibanding = self->tnr_mode = self->ee_mode = 1;
  self->saturation = 1;
  self->tnr_strength = self->ee_strength = -1;
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), TRUE);
}

static void install(GObjectClass *object, guint id, GParamSpec *spec) {
  const char *without = getenv("STAND_IN_WITHOUT");
  gchar **names = g_strsplit(without ? without : "", ",", -1);
  if (!g_strv_contains((const gchar *const *)names, spec->name)) g_object_class_install_property(object, id, spec);
  else g_param_spec_unref(g_param_spec_ref_sink(spec));
  g_strfreev(names);
}

static void stand_in_camera_class_init(StandInCameraClass *class) {
  static const GEnumValue white[] = {{0, "off", "off"}, {1, "auto", "auto"}, {2, "incandescent", "incandescent"},
    {3, "fluorescent", "fluorescent"}, {4, "warm-fluorescent", "warm-fluorescent"}, {5, "daylight", "daylight"},
    {6, "cloudy-daylight", "cloudy-daylight"}, {7, "twilight", "twilight"}, {8, "shade", "shade"},
    {9, "manual", "manual"}, {0, NULL, NULL}};
  static const GEnumValue quality[] = {{0, "off", "off"}, {1, "fast", "fast"}, {2, "high-quality", "high-quality"},
    {0, NULL, NULL}};
  static const GEnumValue banding[] = {{0, "off", "off"}, {1, "auto", "auto"}, {2, "50Hz", "50Hz"}, {3, "60Hz", "60Hz"},
    {0, NULL, NULL}};
  GObjectClass *object = G_OBJECT_CLASS(class);
  GstBaseSrcClass *source = GST_BASE_SRC_CLASS(class);
  GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  GType quality_type = g_enum_register_static("StandInQuality", quality);
  object->set_property = stand_in_camera_set;
  object->get_property = stand_in_camera_get;
#define RANGE(id, name) install(object, id, g_param_spec_string(name, name, name, NULL, both))
#define NUMBER(id, name, low, high, def) install(object, id, g_param_spec_float(name, name, name, low, high, def, both))
#define WHOLE(id, name, low, high, def) install(object, id, g_param_spec_int(name, name, name, low, high, def, both))
#define SWITCH(id, name) install(object, id, g_param_spec_boolean(name, name, name, FALSE, both))
#define CHOICE(id, name, type) install(object, id, g_param_spec_enum(name, name, name, type, 1, both))
  WHOLE(P_SENSOR_ID, "sensor-id", 0, 255, 0);
  WHOLE(P_SENSOR_MODE, "sensor-mode", -1, 255, -1);
  CHOICE(P_WBMODE, "wbmode", g_enum_register_static("StandInWhite", white));
  NUMBER(P_SATURATION, "saturation", 0, 2, 1);
  RANGE(P_EXPOSURE, "exposuretimerange");
  RANGE(P_GAIN, "gainrange");
  RANGE(P_DIGITAL_GAIN, "ispdigitalgainrange");
  CHOICE(P_TNR_MODE, "tnr-mode", quality_type);
  NUMBER(P_TNR_STRENGTH, "tnr-strength", -1, 1, -1);
  CHOICE(P_EE_MODE, "ee-mode", quality_type);
  NUMBER(P_EE_STRENGTH, "ee-strength", -1, 1, -1);
  CHOICE(P_ANTIBANDING, "aeantibanding", g_enum_register_static("StandInBanding", banding));
  NUMBER(P_COMPENSATION, "exposurecompensation", -2, 2, 0);
  SWITCH(P_AELOCK, "aelock");
  SWITCH(P_AWBLOCK, "awblock");
  source->set_caps = stand_in_camera_set_caps;
  source->fixate = stand_in_camera_fixate;
  GST_PUSH_SRC_CLASS(class)->create = stand_in_camera_create;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &src_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(class), "Stand-in for a Jetson camera", "Source/Video",
    "Has the rules of nvarguscamerasrc", "Depthline");
}
