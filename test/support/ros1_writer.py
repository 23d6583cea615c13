"""Publishes until it is stopped: ros1_writer.py TOPIC ENCODING HZ

ENCODING: 32FC1, 16UC1, bgr8, or png (compressed). Pictures are 6 x 4; pixel n has the value n.
"""
import io
import sys

import numpy
import rospy
from PIL import Image as Picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

topic, encoding, hertz = sys.argv[1], sys.argv[2], float(sys.argv[3])
width, height = 6, 4
values = numpy.arange(width * height)

rospy.init_node("writer", anonymous=True)
info = rospy.Publisher(topic.rsplit("/image", 1)[0] + "/camera_info", CameraInfo, queue_size=1)
kind = CompressedImage if encoding == "png" else Image
images = rospy.Publisher(topic, kind, queue_size=1)
if encoding == "png":
    message = CompressedImage(format="png")
    rgb = numpy.repeat(values, 3).astype(numpy.uint8).reshape(height, width, 3)
    png = io.BytesIO()
    Picture.fromarray(rgb).save(png, "PNG")
    message.data = png.getvalue()
else:
    message = Image(width=width, height=height, encoding=encoding)
    dtype = {"32FC1": numpy.float32, "16UC1": numpy.uint16, "bgr8": numpy.uint8}[encoding]
    pixels = numpy.stack([values, values + 100, values + 200], axis=-1) if encoding == "bgr8" else values
    # Bytes at the end of each row that belong to no pixel.
    rows = pixels.astype(dtype).reshape(height, -1).view(numpy.uint8)
    message.data = numpy.pad(rows, ((0, 0), (0, 4)), constant_values=7).tobytes()
    message.step = rows.shape[1] + 4
calibration = CameraInfo(width=width, height=height, K=[5, 0, 3, 0, 5, 2, 0, 0, 1])
rate = rospy.Rate(hertz)
while not rospy.is_shutdown():
    message.header.stamp = calibration.header.stamp = rospy.Time.now()
    info.publish(calibration)
    images.publish(message)
    rate.sleep()
