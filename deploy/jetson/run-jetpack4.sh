#!/bin/sh
# Runs depthline in the image of jetpack4.Dockerfile, with the devices and sockets of a Jetson with JetPack 4.6.
# Never run on one.
#
#   deploy/jetson/run-jetpack4.sh doctor
#   DATA=/var/lib/depthline deploy/jetson/run-jetpack4.sh run csi-live
set -eu

image=${IMAGE:-depthline:jetpack4}
data=${DATA:-$PWD}

[ -S /tmp/argus_socket ] ||
  echo "no /tmp/argus_socket: CSI cameras need it (sudo systemctl start nvargus-daemon)" >&2

set -- "$image" "$@"
for device in /dev/nvmap /dev/nvhost-ctrl /dev/nvhost-ctrl-gpu /dev/nvhost-as-gpu /dev/nvhost-gpu \
  /dev/nvhost-prof-gpu /dev/nvhost-vic /dev/nvhost-nvdec /dev/nvhost-msenc /dev/video*; do
  [ ! -e "$device" ] || set -- --device "$device" "$@"
done
[ ! -S /tmp/argus_socket ] || set -- -v /tmp/argus_socket:/tmp/argus_socket "$@"

# Ports of the live view and the topics are those of the host.
exec docker run --rm --init --runtime nvidia --network host --group-add video -v "$data:/data" "$@"
