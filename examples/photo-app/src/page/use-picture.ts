import type { ItemView } from '@sluice/client/outbox'
import { useOutboxClient, useTask } from '@sluice/client-browser/react'
import { useEffect, useState } from 'react'
import { labelOf } from './item-words.ts'

const PREVIEW_PIXELS = 480

/** A small copy of a photo, or undefined if the browser cannot read it. */
async function previewOf(photo: Blob): Promise<Blob | undefined> {
  try {
    const bitmap = await createImageBitmap(photo, { resizeWidth: PREVIEW_PIXELS, resizeQuality: 'medium' })
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
    bitmap.close()
    return await canvas.convertToBlob({ type: 'image/webp' })
  } catch {
    return undefined
  }
}

let newest: Promise<unknown> = Promise.resolve()

/** One after the other, because a decoded photo takes much memory, and the page has to stay quick meanwhile. */
function inTurn<T>(make: () => Promise<T>): Promise<T> {
  const made = newest.then(make)
  newest = made.catch(() => {})
  return made
}

export interface Picture {
  url: string
  /** The thumbnail that came back, or a preview of what was saved. */
  kind: 'thumbnail' | 'preview'
  blob: Blob
}

/** What to show of a photo: a preview from this device, and the thumbnail as soon as it is there. */
export function usePicture(item: ItemView): Picture | undefined {
  const client = useOutboxClient()
  const task = useTask(item.id)
  const [picture, setPicture] = useState<Picture>()
  const thumbnail = task.state === 'done' ? task.result?.value : undefined
  const hasInput = item.state !== 'done' && item.state !== 'failed' && item.state !== 'cancelled'
  const { id } = item
  const { type } = labelOf(item)

  useEffect(() => {
    let isOver = false
    const show = (kind: Picture['kind'], blob: Blob | undefined): void => {
      if (!isOver && blob !== undefined) setPicture({ kind, blob, url: URL.createObjectURL(blob) })
    }
    if (thumbnail instanceof Uint8Array) {
      show('thumbnail', new Blob([thumbnail as Uint8Array<ArrayBuffer>], { type: 'image/webp' }))
    } else if (hasInput) {
      inTurn(async () => {
        if (isOver) return
        const { input } = await client.export(id)
        show('preview', await previewOf(new Blob([input as Uint8Array<ArrayBuffer>], { type })))
      })
        // The task has ended meanwhile, and its result follows.
        .catch(() => {})
    }
    return () => {
      isOver = true
    }
  }, [client, id, type, thumbnail, hasInput])

  useEffect(() => () => URL.revokeObjectURL(picture?.url ?? ''), [picture])
  return picture
}
