#!/usr/bin/env python3
"""Shows a Depthline topic in Rerun: python3 rerun_depth.py tcp://127.0.0.1:5556

Never run: rerun-sdk was not at hand. It also needs pyzmq, NumPy, and depth_subscriber.py beside it.
"""

import sys

import rerun
from depth_subscriber import subscribe_depth

rerun.init("depthline", spawn=True)
for frame in subscribe_depth(sys.argv[1], latest=True):
    rerun.log("depth", rerun.DepthImage(frame.depth, meter=1.0))
