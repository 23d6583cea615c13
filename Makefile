# make demo   installs what is missing, builds, and runs the demo pipeline
# make test   the same, then lint, types, unit and integration tests
# make docs   the documentation site, in docs/.vitepress/dist
# make bench  throughput, cost per frame and limits, measured here
# make clean  removes what was built

.DELETE_ON_ERROR:
.PHONY: demo test test-setup docs bench setup build clean

# GStreamer with its plug-in sets, and what the binding is compiled with.
packages = gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x \
	libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev build-essential python3 pkg-config

# Only for tests: a screen, other readers of the topic and of recordings, a camera on the network, a browser.
test-packages = xvfb x11-apps x11-utils xdotool imagemagick cmake python3-zmq python3-numpy python3-pil \
	python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp chromium openssl libfastcdr-dev \
	python3-protobuf protobuf-compiler python3-zstandard python3-lz4 systemd mosquitto-clients

# ROS 1, only for tests: not every distribution has it.
ros-packages = python3-roslaunch python3-rosmaster python3-rostopic python3-rosbag python3-rospy \
	python3-sensor-msgs python3-tf2-msgs

# Only for tests, too, but unpacked into out/packages instead of installed: their services would start.
unpacked-packages = prometheus nats-server mosquitto

# Only for benchmarks: the browser of "web"; what the peers of "peers" are compiled with, or import.
bench-packages = chromium libzmq3-dev python3-gi python3-zmq python3-numpy

demo: build
	bin/depthline run demo
	@echo
	@echo 'To see it live in a browser, without a camera: bin/depthline run demo-live'
	@echo 'Then open http://127.0.0.1:8080/'

test: test-setup
	npx biome ci .
	npx tsc --noEmit
	npx vitest run
	@if training/run-tests --available; then training/run-tests; \
	else echo "PyTorch is not here; training/run-tests sets it up and tests training/"; fi

test-setup: build
	@scripts/install-packages.sh $(test-packages)
	@scripts/install-packages.sh $(ros-packages) || echo "ROS 1 cannot be had here; its tests are skipped"
	@scripts/unpack-packages.sh $(unpacked-packages)

docs: build
	npm run docs

bench: build
	@scripts/install-packages.sh $(bench-packages)
	npm run bench

setup:
	@scripts/install-packages.sh $(packages)

build: setup node_modules/.package-lock.json
	@npm run --silent build

# onnxruntime-node would download CUDA libraries after its install; the CPU library is in the package.
node_modules/.package-lock.json: package-lock.json package.json
	@echo "Installing npm packages"
	ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund --loglevel=error
	@touch $@

clean:
	rm -rf dist out docs/api docs/.vitepress/dist docs/.vitepress/cache
