"""Prints a line of JSON for each message: ros1_reader.py SECONDS TOPIC TYPE [TOPIC TYPE ...]

SECONDS: how long it takes for each message before it reads the next.
"""
import hashlib
import json
import sys
import time

import rospy
from sensor_msgs import point_cloud2
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

TYPES = {kind.__name__: kind for kind in (CameraInfo, CompressedImage, Image, PointCloud2, String, TFMessage)}
seconds = float(sys.argv[1])


def header(message):
    stamp = message.header.stamp
    return {"seq": message.header.seq, "stamp": str(stamp.secs * 10**9 + stamp.nsecs), "frame": message.header.frame_id}


def facts(message):
    if isinstance(message, Image):
        size = [message.width, message.height, message.step]
        return {**header(message), "encoding": message.encoding, "size": size, "md5": hashlib.md5(message.data).hexdigest()}
    if isinstance(message, CompressedImage):
        return {**header(message), "format": message.format, "bytes": len(message.data)}
    if isinstance(message, CameraInfo):
        return {**header(message), "K": list(message.K), "size": [message.width, message.height]}
    if isinstance(message, PointCloud2):
        return {**header(message), "points": [list(p) for p in point_cloud2.read_points(message, ("x", "y", "z"))]}
    if isinstance(message, TFMessage):
        return {"frames": [[t.header.frame_id, t.child_frame_id] for t in message.transforms]}
    return {"data": message.data}


def on_message(message, topic):
    # Callbacks run in a thread for each topic: one write for a whole line.
    sys.stdout.write(json.dumps({"topic": topic, **facts(message)}) + "\n")
    time.sleep(seconds)


rospy.init_node("reader", anonymous=True)
for topic, kind in zip(sys.argv[2::2], sys.argv[3::2]):
    rospy.Subscriber(topic, TYPES[kind], on_message, callback_args=topic, queue_size=1)
rospy.spin()
