import type { DepthFrame, Frame, FrameBase, ImageFrame } from '../core/frame.ts';
import { messageFrame } from '../core/message-frame.ts';
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
  async of(given: Frame): Promise<TopicMessage[]> {
    const frame = messageFrame(given);
    const header = this.#header(frame);
    if (frame.kind === 'image') return this.#withTruth(frame, header);
    if (frame.kind === 'depth') return this.#depth(frame, header);
    if (frame.kind === 'data') return [];
    const topic = `${this.#options.namespace}${partTopics.points}`;
    const message = pointCloudMessage(frame, header);
    return [{ topic, part: 'points', type: 'sensor_msgs/PointCloud2', message }];
  }

  #header({ capturedAt }: FrameBase): Header {
    return { stamp: rosTime(capturedAt), frame_id: this.#options.frameId };
  }

  async #depth(frame: DepthFrame, header: Header): Promise<TopicMessage[]> {
    const { image, picture, truth, unit } = frame;
    const below = unit === 'relative' ? partTopics.relative : partTopics.depth;
    // Depth first: what is refused is refused before anything is encoded.
    const messages = [
      this.#depthImage(depthMessage(frame, header, this.#options.depth), 'depth', below),
      ...this.#info(frame, frame, below, header),
    ];
    if (truth) {
      const message = depthMessage(truth, header, this.#options.depth);
      messages.push(this.#depthImage(message, 'truth', partTopics.truth));
    }
    if (image) messages.push(...(await this.#image(image, 'image', header)));
    if (picture) messages.push(...(await this.#image(picture, 'picture', header)));
    return messages;
  }

  #depthImage(
    message: ReturnType<typeof depthMessage>,
    part: 'depth' | 'truth',
    below: string,
  ): TopicMessage {
    const topic = `${this.#options.namespace}${below}/image_raw`;
    return { topic, part, type: 'sensor_msgs/Image', message };
  }

  async #withTruth(frame: ImageFrame, header: Header): Promise<TopicMessage[]> {
    const messages = await this.#image(frame, 'image', header);
    if (!frame.truth) return messages;
    const message = depthMessage(frame.truth, header, this.#options.depth);
    return [...messages, this.#depthImage(message, 'truth', partTopics.truth)];
  }

  async #image(
    frame: ImageFrame,
    part: 'image' | 'picture',
    header: Header,
  ): Promise<TopicMessage[]> {
    const below = partTopics[part];
    return [
      await this.#picture(frame, part, `${this.#options.namespace}${below}/image_raw`, header),
      ...this.#info(frame, frame, below, header),
    ];
  }

  async #picture(
    frame: ImageFrame,
    part: 'image' | 'picture',
    topic: string,
    header: Header,
  ): Promise<TopicMessage> {
    const { pictures: format, quality } = this.#options;
    if (format === 'raw')
      return { topic, part, type: 'sensor_msgs/Image', message: imageMessage(frame, header) };
    const { encodeJpeg, encodePng } = this.#encoders;
    const data = await (format === 'jpeg' ? encodeJpeg(frame, quality) : encodePng(frame));
    return {
      topic: `${topic}/compressed`,
      part,
      type: 'sensor_msgs/CompressedImage',
      message: { header, format, data },
    };
  }

  #info(
    { intrinsics }: Pick<FrameBase, 'intrinsics'>,
    size: Size,
    below: string,
    header: Header,
  ): TopicMessage[] {
    if (!intrinsics) return [];
    const topic = `${this.#options.namespace}${below}/camera_info`;
    const message = cameraInfoMessage(size, intrinsics, header);
    return [{ topic, type: 'sensor_msgs/CameraInfo', message }];
  }
}
