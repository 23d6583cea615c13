import type { DepthFrame, Frame, FrameBase, ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import type * as encoders from '../imaging/encode.ts';
import {
  cameraInfoMessage,
  depthMessage,
  imageMessage,
  pointCloudMessage,
  type RosDepthEncoding,
} from './from-frame.ts';
import { type Header, rosTime, type TopicMessage } from './messages.ts';

export const pictureForms = ['raw', 'png', 'jpeg'] as const;
/** How a picture is written: as it is, or compressed without or with loss. */
export type PictureForm = (typeof pictureForms)[number];

export interface FrameMessageOptions {
  /** In front of every topic: `/camera`. */
  readonly namespace: string;
  /** Coordinate frame of the messages. */
  readonly frameId: string;
  readonly depth: RosDepthEncoding;
  readonly pictures: PictureForm;
  /** Of JPEG, 1 to 100. */
  readonly quality: number;
}

/** Topics below the namespace, by the part of a frame that they carry. */
export const partTopics = {
  image: '',
  /** The picture before it was cropped and scaled for the network. */
  picture: '/full',
  depth: '/depth',
  /** Depth without a unit: nobody should take it for metres. */
  relative: '/relative_depth',
  truth: '/truth',
  points: '/points',
} as const;

/** The messages of a frame: pictures, depth, points and calibrations, all with its capture time. */
export class FrameMessages {
  readonly #options: FrameMessageOptions;
  readonly #encoders: typeof encoders;

  constructor(options: FrameMessageOptions, loaded: typeof encoders) {
    this.#options = options;
    this.#encoders = loaded;
  }

  /**
   * The messages of a frame; none for data, whose form depends on where it goes.
   *
   * @throws FrameRefused for relative depth in millimetres
   */
  async of(frame: Frame): Promise<TopicMessage[]> {
    const header = this.#header(frame);
    if (frame.kind === 'image') return this.#image(frame, partTopics.image, header);
    if (frame.kind === 'depth') return this.#depth(frame, header);
    if (frame.kind === 'data') return [];
    const topic = `${this.#options.namespace}${partTopics.points}`;
    const message = pointCloudMessage(frame, header);
    return [{ topic, type: 'sensor_msgs/PointCloud2', message }];
  }

  #header({ capturedAt }: FrameBase): Header {
    return { stamp: rosTime(capturedAt), frame_id: this.#options.frameId };
  }

  async #depth(frame: DepthFrame, header: Header): Promise<TopicMessage[]> {
    const { image, picture, truth, unit } = frame;
    const part = unit === 'relative' ? partTopics.relative : partTopics.depth;
    // Depth first: what is refused is refused before anything is encoded.
    const messages = [
      this.#depthImage(depthMessage(frame, header, this.#options.depth), part),
      ...this.#info(frame, frame, part, header),
    ];
    if (truth) {
      const message = depthMessage(truth, header, this.#options.depth);
      messages.push(this.#depthImage(message, partTopics.truth));
    }
    if (image) messages.push(...(await this.#image(image, partTopics.image, header)));
    if (picture) messages.push(...(await this.#image(picture, partTopics.picture, header)));
    return messages;
  }

  #depthImage(message: ReturnType<typeof depthMessage>, part: string): TopicMessage {
    const topic = `${this.#options.namespace}${part}/image_raw`;
    return { topic, type: 'sensor_msgs/Image', message };
  }

  async #image(frame: ImageFrame, part: string, header: Header): Promise<TopicMessage[]> {
    const topic = `${this.#options.namespace}${part}/image_raw`;
    const { truth } = part === partTopics.image ? frame : {};
    return [
      await this.#picture(frame, topic, header),
      ...this.#info(frame, frame, part, header),
      ...(truth
        ? [this.#depthImage(depthMessage(truth, header, this.#options.depth), partTopics.truth)]
        : []),
    ];
  }

  async #picture(frame: ImageFrame, topic: string, header: Header): Promise<TopicMessage> {
    const { pictures: format, quality } = this.#options;
    if (format === 'raw')
      return { topic, type: 'sensor_msgs/Image', message: imageMessage(frame, header) };
    const { encodeJpeg, encodePng } = this.#encoders;
    const data = await (format === 'jpeg' ? encodeJpeg(frame, quality) : encodePng(frame));
    return {
      topic: `${topic}/compressed`,
      type: 'sensor_msgs/CompressedImage',
      message: { header, format, data },
    };
  }

  #info(
    { intrinsics }: Pick<FrameBase, 'intrinsics'>,
    size: Size,
    part: string,
    header: Header,
  ): TopicMessage[] {
    if (!intrinsics) return [];
    const topic = `${this.#options.namespace}${part}/camera_info`;
    const message = cameraInfoMessage(size, intrinsics, header);
    return [{ topic, type: 'sensor_msgs/CameraInfo', message }];
  }
}
