export { depthFrame, frameBase as base, imageFrame } from '../../src/testing/sample-frames.ts';
