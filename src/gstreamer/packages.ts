/** Which Debian or Ubuntu package an element comes in. */
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
  [/^(av(dec|enc|demux|mux)_)/, 'gstreamer1.0-libav'],
  [/^(x264|asfdemux|rmdemux|mpeg2dec)/, 'gstreamer1.0-plugins-ugly'],
  [
    /^(video(convert|scale|rate|testsrc)|decodebin|uridecodebin|playbin|app(src|sink)|ogg|theora|ximage|xvimage|compositor|overlaycomposition|tcp)/,
    'gstreamer1.0-plugins-base',
  ],
];

/** What to do about an element that this machine does not have. */
export function howToInstall(element: string): string {
  const found = packages.find(([pattern]) => pattern.test(element))?.[1];
  if (found === 'jetpack') {
    return `${element} needs a Jetson with JetPack (package nvidia-l4t-gstreamer)`;
  }
  if (found) return `install it with: sudo apt-get install ${found}`;
  return `check its name, or find its package with: apt-file search lib*gst*${element}*`;
}
