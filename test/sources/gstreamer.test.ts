import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { gstreamer } from '../../src/sources/gstreamer.ts';
import { testContext } from '../support/context.ts';

async function read(launch: string, rest: Record<string, unknown> = {}) {
  const context = testContext();
  const frames = await gstreamer.create(gstreamer.options.parse({ launch, ...rest }), context);
  try {
    return await lastValueFrom((frames as Observable<ImageFrame>).pipe(toArray()));
  } finally {
    await context.close();
  }
}

test.each([
  'videotestsrc num-buffers=5 ! video/x-raw,format=NV12,width=40,height=30',
  'videotestsrc num-buffers=5 ! video/x-raw,format=GRAY8,width=40,height=30 ! ',
  '  videotestsrc num-buffers=5 ! video/x-raw,width=40,height=30 ! jpegenc ! decodebin !',
])('converts what the line gives: %s', async (launch) => {
  const all = await read(launch, { live: false });
  expect(all).toHaveLength(5);
  expect(all[0]).toMatchObject({ width: 40, height: 30, format: 'rgb' });
});

test('an element of the user’s may have any name', async () => {
  const launch = 'videotestsrc name=out num-buffers=2 ! video/x-raw,width=8,height=8';
  expect(await read(launch, { live: false })).toHaveLength(2);
});

describe('a wrong line is rejected before anything runs', () => {
  test.each([
    ['videotestsrcc', 'MISSING', /no element "videotestsrcc"/],
    [
      'videotestsrc patern=ball',
      'SOURCE',
      /no property "patern" in element "videotestsrc".*gst-inspect-1.0 videotestsrc/,
    ],
    ['videotestsrc pattern=bal', 'SOURCE', /"pattern" in element "videotestsrc" to "bal"/],
    ['videotestsrc ! ! identity', 'SOURCE', /syntax error.*behind "videotestsrc"/],
    ['audiotestsrc', 'SOURCE', /could not link/],
    ['x264enc2 ! y', 'MISSING', /no element/],
  ])('%s', async (launch, code, message) => {
    await expect(read(launch)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('empty', () => {
    expect(gstreamer.options.safeParse({ launch: ' ! ' }).error?.issues[0]?.message).toMatch(
      /must be a launch line/,
    );
  });
});

test('an element that fails later is named with its reason', async () => {
  await expect(
    read('filesrc location=/nonexistent ! decodebin', { live: false }),
  ).rejects.toMatchObject({
    code: 'SOURCE',
    message: expect.stringMatching(
      /launch line failed: .*No such file "\/nonexistent".*element filesrc/,
    ),
  });
});
