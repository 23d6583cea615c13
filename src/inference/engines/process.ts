import { DepthlineError } from '../../core/errors.ts';
import { readable } from '../../core/printable.ts';
import { noteSecrets } from '../../core/secrets.ts';
import type { ProcessChoice } from './choice.ts';
import { Deadline } from './deadline.ts';
import { type DepthEngine, EngineLost, type EngineSetup } from './engine.ts';
import { formatLines, type HelperAnswer, mismatch, parseAnswer } from './helper-answer.ts';
import { HelperChannel } from './helper-channel.ts';
import { messageTypes, protocolVersion } from './helper-message.ts';
import { helperName } from './helper-name.ts';
import { inputMaker } from './input-tensor.ts';

/** What the main thread has opened: the socket to a helper, and the memory of its deadline. */
export interface HelperAttachment {
  readonly descriptor: number;
  readonly deadline: SharedArrayBuffer;
}

/**
 * A network in a helper process. The calls to it block this thread, and no other; the main thread watches their
 * deadline.
 *
 * @throws DepthlineError `MODEL` if the helper refuses the model, or has loaded another
 */
export async function open(setup: EngineSetup): Promise<DepthEngine> {
  const { deadlineMs, startWithinMs } = setup.engine as ProcessChoice;
  const { descriptor, deadline: memory } = setup.attachment as HelperAttachment;
  // Each thread knows its own: what a helper says is shortened here.
  noteSecrets(setup.engine);
  const channel = new HelperChannel(descriptor);
  const deadline = new Deadline(memory);
  deadline.begin(startWithinMs);
  channel.send(messageTypes.open, 0, request(setup));
  const answer = loaded(channel, setup, () => deadline.begin(startWithinMs));
  deadline.end();

  const { width, height } = answer.output;
  const bytes = channel.reserve(width * height * Float32Array.BYTES_PER_ELEMENT);
  const depth = new Float32Array(bytes.buffer, bytes.byteOffset, width * height);
  const prepare = inputMaker(setup.manifest.input);
  let id = 0;
  const infer = (rgb: Uint8Array): Float32Array => {
    const input = prepare(rgb);
    id = (id + 1) >>> 0;
    deadline.begin(deadlineMs);
    channel.send(
      messageTypes.picture,
      id,
      new Uint8Array(input.buffer, input.byteOffset, input.byteLength),
    );
    const message = channel.receive(bytes.length);
    deadline.end();
    if (message.id !== id) throw new EngineLost(`answered picture ${message.id} instead of ${id}`);
    if (message.type === messageTypes.failed) throw new Error(text(message.payload));
    if (message.type !== messageTypes.depth) {
      throw new EngineLost(`answered a picture with a message of type ${message.type}`);
    }
    if (message.length === bytes.length) return depth;
    throw new EngineLost(
      `sent ${message.length} bytes of depth instead of ${bytes.length} (${width}×${height} float32)`,
    );
  };
  return {
    width,
    height,
    description: `${helperName(setup.engine as ProcessChoice)} (${readable(answer.engine)})`,
    infer,
    // The main thread closes the socket when this thread has ended.
    close: async () => {},
  };
}

/** What the helper is to load. */
function request(setup: EngineSetup): Uint8Array {
  const { manifest, path, sha256, threads } = setup;
  const { name, input, output } = manifest;
  return formatLines({
    protocol: protocolVersion,
    model: name,
    path,
    sha256,
    threads,
    'input.name': input.name,
    'input.type': input.dtype,
    'input.layout': input.layout,
    'input.channels': input.channels,
    'input.width': input.width,
    'input.height': input.height,
    'output.name': output.name,
  });
}

/** The helper's answer, after any number of signs of life. */
function loaded(channel: HelperChannel, setup: EngineSetup, onProgress: () => void): HelperAnswer {
  const helper = helperName(setup.engine as ProcessChoice);
  const refuse = (problem: string) =>
    new DepthlineError(
      'MODEL',
      `${helper} does not fit the model ${setup.manifest.name}: ${problem}`,
    );
  for (;;) {
    const { type, payload } = channel.receive();
    if (type === messageTypes.progress) {
      onProgress();
      continue;
    }
    if (type === messageTypes.refused) {
      const why = text(payload);
      throw new DepthlineError('MODEL', `${helper} cannot load ${setup.path}: ${why}`);
    }
    if (type !== messageTypes.ready) {
      throw new EngineLost(`answered the request to load the model with a message of type ${type}`);
    }
    const answer = parseAnswer(payload);
    if (typeof answer === 'string') throw new EngineLost(`gave an answer that ${answer}`);
    const problem = mismatch(answer, setup.manifest);
    if (problem === undefined) return answer;
    throw refuse(problem);
  }
}

function text(payload: Uint8Array): string {
  return readable(new TextDecoder().decode(payload)) || 'it gave no reason';
}
