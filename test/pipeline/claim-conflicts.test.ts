import { expect, it } from 'vitest';
import {
  csiCamera,
  defineCameras,
  definePipeline,
  discard,
  foxglove,
  mqtt,
  nats,
  stereo,
  testPattern,
  usbCamera,
  web,
  zeromq,
  zones,
} from '../../src/index.ts';
import { countingSource } from '../support/counting-source.ts';

const cameras = { front: testPattern(), rear: testPattern() };

it('refuses what two cameras cannot both have', () => {
  expect(() => defineCameras({ cameras, sinks: [nats({ subject: 'depth.all' })] })).toThrow(
    /sinks\[0\]\.nats\.subject: the subject depth\.all is that of camera "front" too; put \{camera\}/,
  );
  expect(() =>
    defineCameras({ cameras, sinks: [nats({ subject: 'depth.{camera}' })] }),
  ).not.toThrow();
  const devices = { front: usbCamera(), rear: usbCamera({ device: '/dev/video0' }) };
  expect(() => defineCameras({ cameras: devices, sinks: [discard()] })).toThrow(
    /cameras\.rear\.usb-camera\.device: the device \/dev\/video0 is used by camera "front" too/,
  );
  const sensors = { front: csiCamera(), rear: csiCamera(), left: csiCamera({ sensor: 1 }) };
  expect(() => defineCameras({ cameras: sensors, sinks: [discard()] })).toThrow(
    /^cameras\.rear\.csi-camera\.sensor: the sensor 0 is used by camera "front" too.*$/,
  );
});

it('refuses what two sinks of a pipeline cannot both have', () => {
  const source = testPattern();
  expect(() =>
    definePipeline({ source, sinks: [web({ port: 8080 }), foxglove({ port: 8080 })] }),
  ).toThrow(/sinks\[1\]\.foxglove\.port: the port 8080 is used by sinks\[0\] web too/);
  const bind = 'tcp://127.0.0.1:5556';
  expect(() => definePipeline({ source, sinks: [zeromq({ bind }), zeromq({ bind })] })).toThrow(
    /sinks\[1\]\.zeromq\.bind: the endpoint tcp:\S+ is used by sinks\[0\] zeromq too/,
  );
  const shared = [
    nats(),
    nats(),
    web({ port: 0 }),
    web({ port: 0 }),
    zeromq({ bind: 'tcp://127.0.0.1:*' }),
  ];
  expect(() => definePipeline({ source, sinks: shared })).not.toThrow();
});

it('refuses one client-id or topic for the brokers of two cameras', () => {
  const watched = { front: countingSource({ frames: 1 }), rear: countingSource({ frames: 1 }) };
  const run = (more: object) =>
    defineCameras({
      cameras: watched,
      operators: [zones({ zones: { door: { box: [0, 0, 1, 1], within: 1 } } })],
      sinks: [mqtt({ url: 'mqtt://127.0.0.1', ...more })],
    });
  expect(() => run({})).toThrow(/the topic depthline is that of camera "front" too/);
  expect(() => run({ topic: '{camera}', 'client-id': 'hall' })).toThrow(
    /the client-id hall is that/,
  );
  expect(() => run({ topic: '{camera}', 'client-id': 'hall-{camera}' })).not.toThrow();
});

it('refuses one device for both eyes', () => {
  const source = stereo({
    left: usbCamera(),
    right: usbCamera(),
    'max-skew': '5ms',
    baseline: 0.1,
  });
  expect(() => definePipeline({ source, sinks: [discard()] })).toThrow(
    /source\.stereo\.right: the device \/dev\/video0 is used by source stereo too/,
  );
});
