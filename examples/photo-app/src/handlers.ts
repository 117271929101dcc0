import { handle, PermanentError } from '@sluice/client'
import sharp from 'sharp'
import { makeThumbnail, THUMBNAIL_PIXELS, type ThumbnailProgress } from './thumbnail.ts'

// The worker runs several photos at once, so each of them gets one core.
sharp.concurrency(1)
sharp.cache(false)

const QUALITY = 80

const thumbnail = handle(makeThumbnail, async (photo, ctx) => {
  const report = (share: number) => ctx.progress({ share, by: 'node' } satisfies ThumbnailProgress)
  report(0)
  if (!(photo instanceof Uint8Array)) throw new PermanentError('the input has to be the bytes of a photo')
  const { width = 0, height = 0 } = await sharp(photo).metadata().catch(refuse)
  report(0.2)
  ctx.signal.throwIfAborted()
  const { data, info } = await sharp(photo)
    .autoOrient()
    .resize({ width: THUMBNAIL_PIXELS, height: THUMBNAIL_PIXELS, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(refuse)
  report(0.8)
  ctx.signal.throwIfAborted()
  const { channels } = info
  const small = await sharp(data, { raw: { width: info.width, height: info.height, channels } })
    .webp({ quality: QUALITY })
    .toBuffer()
  ctx.log.info({ from: `${width}×${height}`, bytes: small.length }, 'thumbnail made')
  return new Uint8Array(small)
})

/** The same bytes will be as damaged next time, so no other attempt is made. */
function refuse(error: Error): never {
  throw new PermanentError('This file is damaged, or it is no picture.', { cause: error })
}

export default [thumbnail]
