import { useSubmit } from '@sluice/client-browser/react'
import { useCallback, useState } from 'react'
import { makeThumbnail } from '../thumbnail.ts'
import type { PhotoLabel } from './item-words.ts'

export interface Adding {
  /** Saves files, or what the function gives. */
  add: (files: readonly File[] | (() => Promise<readonly File[]>)) => Promise<void>
  /** Why the newest files were not saved. */
  problem: string | undefined
}

/** Submits photos. Each of them is saved on this device before it is sent. */
export function useAddPhotos(): Adding {
  const { submit } = useSubmit(makeThumbnail)
  const [problem, setProblem] = useState<string>()
  const add = useCallback(
    async (source: readonly File[] | (() => Promise<readonly File[]>)): Promise<void> => {
      setProblem(undefined)
      let files: readonly File[]
      try {
        files = typeof source === 'function' ? await source() : source
      } catch {
        setProblem('The sample photos come from the web, which cannot be reached now. Choose photos of your own.')
        return
      }
      const saved = await Promise.allSettled(
        files.map(async (file) => {
          const label: PhotoLabel = { name: file.name, type: file.type, bytes: file.size }
          await submit(new Uint8Array(await file.arrayBuffer()), { label })
        }),
      )
      const failed = saved.find((one) => one.status === 'rejected')
      if (failed !== undefined) setProblem(`Not every photo was saved: ${messageOf(failed.reason)}`)
    },
    [submit],
  )
  return { add, problem }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
