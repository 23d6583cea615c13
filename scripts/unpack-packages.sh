#!/bin/sh
# Unpacks the Debian packages named as arguments into out/packages/NAME, unless they are there. They are not
# installed, so that no service starts; only the libraries that they need are. A package that cannot be downloaded is named;
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
  libraries=$(apt-cache depends --important "$package" | sed -n 's/^ *|\{0,1\}Depends: \(lib[^j].*\)$/\1/p')
  # shellcheck disable=SC2086 # a list of package names
  scripts/install-packages.sh $libraries
  mv "out/packages/$package.part/files" "$target"
  rm -rf "out/packages/$package.part"
  echo "Unpacked: $package"
done
