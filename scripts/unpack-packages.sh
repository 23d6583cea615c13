#!/bin/sh
# Unpacks the Debian packages named as arguments into out/packages/NAME, unless they are there. Nothing is
# installed, so that no service starts, and root is not needed. A package that cannot be downloaded is named;
# the tests that use it skip.
set -eu

cd "$(dirname "$0")/.."
for package in "$@"; do
  target="out/packages/$package"
  [ ! -d "$target" ] || continue
  mkdir -p "out/packages/$package.part/deb"
  (
    cd "out/packages/$package.part/deb"
    apt-get download -qq "$package" || { apt-get update -qq && apt-get download -qq "$package"; }
  ) 2>/dev/null || true
  if ! dpkg -x "out/packages/$package.part/deb/"*.deb "out/packages/$package.part/files" 2>/dev/null; then
    echo "$package cannot be downloaded (apt-get download $package); tests that use it skip" >&2
    rm -rf "out/packages/$package.part"
    continue
  fi
  mv "out/packages/$package.part/files" "$target"
  rm -rf "out/packages/$package.part"
  echo "Unpacked: $package"
done
