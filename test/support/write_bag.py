"""Writes a bag of five pictures of 16 x 12 (rgb8, topic /camera/image_raw): write_bag.py FILE COMPRESSION

COMPRESSION: none, bz2 or lz4. test/fixtures/ros1/pictures.bag was written by it.
"""
import sys

import rosbag
import rospy
from sensor_msgs.msg import CameraInfo, Image

with rosbag.Bag(sys.argv[1], "w", compression=sys.argv[2]) as bag:
    for n in range(5):
        stamp = rospy.Time(1700000000 + n // 2, (n % 2) * 500000000)
        info = CameraInfo(width=16, height=12, K=[20, 0, 8, 0, 20, 6, 0, 0, 1])
        picture = Image(width=16, height=12, step=48, encoding="rgb8", data=bytes([n]) * 576)
        for message, name in ((info, "camera_info"), (picture, "image_raw")):
            message.header.stamp = stamp
            message.header.seq = n
            bag.write("/camera/" + name, message, stamp)
