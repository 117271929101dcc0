import { defineTask } from '@sluice/client'

/** Pixels of the longer side. */
export const THUMBNAIL_PIXELS = 480

/** What a worker reports while it makes a thumbnail. */
export interface ThumbnailProgress {
  /** 0 – 1. */
  share: number
  /** Where the work is done. */
  by: 'node' | 'tab'
}

/** What the page and all workers agree on: the bytes of a photo become the bytes of a small WebP picture. */
export const makeThumbnail = defineTask<Uint8Array, Uint8Array>({
  queue: 'photos.thumbnail',
  // A worker that dies is noticed after ten seconds. A photo that fails is tried three times in all.
  options: { leaseMs: 10_000, timeLimitMs: 60_000, retry: { kind: 'exponential', attemptsMax: 3 } },
})
