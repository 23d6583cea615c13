import { execFileSync } from 'node:child_process';

/** The Debian or Ubuntu package of an element. */
const packages: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^nv(arguscamerasrc|vidconv|v4l2.*|overlaysink|jpeg.*|drmvideosink|compositor)$/, 'jetpack'],
  [/^(cuda|nv)/, 'gstreamer1.0-plugins-bad'],
  [/^va/, 'gstreamer1.0-plugins-bad'],
  [/^gl/, 'gstreamer1.0-gl'],
  [
    /^(gdp|rtmp|srt|openh264|x265|clocksync|debugutils|fpsdisplay|aiur|mpegtsmux|h26[45]parse)/,
    'gstreamer1.0-plugins-bad',
  ],
  [
    /^(aspectratiocrop|videocrop|videobox|videoflip|v4l2|rtsp|rtp|matroska|qtdemux|mp4mux|qtmux|jpeg|png|vp[89]|avi|souphttpsrc|multifile|videomixer|autovideosink|imagefreeze|y4m)/,
    'gstreamer1.0-plugins-good',
  ],
  [/^(fdsink|queue|tee|identity|fakesink|filesrc|filesink)/, 'libgstreamer1.0-0'],
  [/^(av(dec|enc|demux|mux)_)/, 'gstreamer1.0-libav'],
  [/^(x264|asfdemux|rmdemux|mpeg2dec)/, 'gstreamer1.0-plugins-ugly'],
  [
    /^(video(convert|scale|rate|testsrc)|decodebin|uridecodebin|playbin|app(src|sink)|ogg|theora|ximage|xvimage|compositor|overlaycomposition|tcp)/,
    'gstreamer1.0-plugins-base',
  ],
];

/** Elements that their plug-in registers only on a machine with the hardware. */
const needsHardware = /^(cuda|nv|va|gl)/;

/** Whether a Debian package is installed; false where there is no dpkg. */
function isInstalled(name: string): boolean {
  try {
    const format = '-f=${db:Status-Status}';
    const status = execFileSync('dpkg-query', ['-W', format, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return status === 'installed';
  } catch {
    return false;
  }
}

/** What to do about an element that this machine does not have. */
export function howToInstall(element: string): string {
  const found = packages.find(([pattern]) => pattern.test(element))?.[1];
  if (found !== undefined && isInstalled(found)) {
    return needsHardware.test(element)
      ? `the installed ${found} provides it only where its hardware and driver are found`
      : `${found} is installed, but GStreamer does not find its plug-ins: check GST_PLUGIN_SYSTEM_PATH`;
  }
  if (found === 'jetpack') {
    return `${element} needs a Jetson with JetPack (package nvidia-l4t-gstreamer)`;
  }
  if (found) return `install it with: sudo apt-get install ${found}`;
  return `check its name, or find its package with: apt-file search lib*gst*${element}*`;
}
