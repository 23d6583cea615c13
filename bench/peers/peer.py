"""The peer in Python: appsink -> ONNX Runtime -> ZeroMQ, as a user would write it without Depthline.

    peer.py --launch LINE --model FILE --endpoint ENDPOINT --workers N --live 0|1

Needs gi (python3-gi), onnxruntime, numpy and pyzmq. Prints a line of JSON per second with the frames
published so far.
"""

import argparse
import json
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
import numpy as np
import onnxruntime as ort
import zmq
from gi.repository import Gst, GstApp

parser = argparse.ArgumentParser()
parser.add_argument("--launch", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--endpoint", required=True)
parser.add_argument("--workers", type=int, default=1)
parser.add_argument("--live", type=int, default=0)
args = parser.parse_args()

side = 224
published = 0


def report():
    while True:
        time.sleep(1)
        print(json.dumps({"type": "stats", "processed": published}), flush=True)


threading.Thread(target=report, daemon=True).start()


def open_session():
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])


sessions = [open_session() for _ in range(args.workers)]
socket = zmq.Context.instance().socket(zmq.PUB)
socket.sndhwm = 100
socket.connect(args.endpoint)

Gst.init(None)
sink_options = "max-buffers=1 drop=true" if args.live else "max-buffers=2"
pipeline = Gst.parse_launch(
    f"{args.launch} ! appsink name=sink sync=false enable-last-sample=false {sink_options}"
)
sink = pipeline.get_by_name("sink")
pipeline.set_state(Gst.State.PLAYING)


def fetch():
    """The next frame: its PTS and its pixels; None at the end of the stream."""
    sample = sink.emit("pull-sample")
    if sample is None:
        return None
    buffer = sample.get_buffer()
    _, mapped = buffer.map(Gst.MapFlags.READ)
    rgb = np.frombuffer(mapped.data, np.uint8).reshape(1, side, side, 3).copy()
    buffer.unmap(mapped)
    return buffer.pts, rgb


def infer(session, rgb):
    return session.run(["depth"], {"rgb": rgb})[0][0, 0]


def publish(seq, pts, depth):
    global published
    now = time.time_ns()
    age = pipeline.get_clock().get_time() - pipeline.get_base_time() - pts
    header = {
        "v": 1,
        "kind": "depth",
        "seq": seq,
        "pts": str(pts),
        "capturedAt": str(now - age),
        "publishedAt": str(now),
        "source": "peer",
        "dtype": "<f4",
        "shape": [side, side],
        "encoding": "32FC1",
        "width": side,
        "height": side,
        "unit": "m",
        "scale": 1,
        "invalid": 0,
        "dropped": 0,
    }
    socket.send_multipart([b"depth", json.dumps(header).encode(), depth], copy=False)
    published += 1


seq = 0
if args.workers == 1:
    while frame := fetch():
        publish(seq, frame[0], infer(sessions[0], frame[1]))
        seq += 1
else:
    pool = ThreadPoolExecutor(args.workers)
    pending = deque()
    while frame := fetch():
        session = sessions[seq % args.workers]
        pending.append((seq, frame[0], pool.submit(infer, session, frame[1])))
        seq += 1
        # One frame more than there are workers, so that none waits for the next.
        if len(pending) > args.workers:
            first, pts, depth = pending.popleft()
            publish(first, pts, depth.result())
    for first, pts, depth in pending:
        publish(first, pts, depth.result())
print(json.dumps({"type": "summary", "processed": published}), flush=True)
socket.close(linger=500)
os._exit(0)
