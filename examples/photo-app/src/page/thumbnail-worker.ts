import { handle, PermanentError, serveHandlers } from '@sluice/worker-browser/handlers'
import { makeThumbnail, THUMBNAIL_PIXELS, type ThumbnailProgress } from '../thumbnail.ts'

const QUALITY = 0.8

const thumbnail = handle(makeThumbnail, async (photo, ctx) => {
  const report = (share: number) => ctx.progress({ share, by: 'tab' } satisfies ThumbnailProgress)
  report(0)
  const bitmap = await createImageBitmap(new Blob([photo as Uint8Array<ArrayBuffer>])).catch((cause: unknown) => {
    throw new PermanentError('This file is damaged, or it is no picture.', { cause })
  })
  report(0.4)
  ctx.signal.throwIfAborted()
  const scale = Math.min(1, THUMBNAIL_PIXELS / Math.max(bitmap.width, bitmap.height))
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  )
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('this browser gives no canvas to a Worker')
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  report(0.8)
  const small = await canvas.convertToBlob({ type: 'image/webp', quality: QUALITY })
  return new Uint8Array(await small.arrayBuffer())
})

serveHandlers([thumbnail])
