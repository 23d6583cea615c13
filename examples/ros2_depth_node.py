#!/usr/bin/env python3
"""A node of ROS 2 that publishes a Depthline topic as sensor_msgs/Image (32FC1, REP 118).

Never run: ROS 2 was not at hand. It needs rclpy, pyzmq and NumPy, and depth_subscriber.py beside it.

    python3 ros2_depth_node.py tcp://127.0.0.1:5556
"""

import sys

import numpy
import rclpy
from builtin_interfaces.msg import Time
from depth_subscriber import subscribe_depth
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image


def image_of(frame):
    metres = numpy.where(frame.depth > 0, frame.depth, numpy.nan).astype("<f4")
    message = Image(height=metres.shape[0], width=metres.shape[1], encoding="32FC1", step=4 * metres.shape[1])
    message.header.stamp = Time(sec=frame.captured_at // 10**9, nanosec=frame.captured_at % 10**9)
    message.header.frame_id = "camera_optical_frame"
    message.data = metres.tobytes()
    return message


rclpy.init()
node = rclpy.create_node("depthline")
publisher = node.create_publisher(Image, "camera/depth/image_raw", qos_profile_sensor_data)
for frame in subscribe_depth(sys.argv[1], latest=True):
    publisher.publish(image_of(frame))
