import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { defineTask, handle, PermanentError } from '@sluice/client'
import sharp from 'sharp'

export interface ResizeInput {
  /** The photo, an absolute path: the worker may run anywhere on the machine. */
  path: string
  /** The folder for the small pictures. */
  folder: string
  /** Pixels of the longer side, one for each picture wanted. */
  sizes: number[]
}

export interface ResizedPhoto {
  path: string
  width: number
  height: number
  bytes: number
}

/** What submitter and worker agree on. */
export const resizePhoto = defineTask<ResizeInput, ResizedPhoto[]>({
  queue: 'photos.resize',
  // A worker that dies is noticed after ten seconds; a photo that fails is tried three times in all.
  options: { leaseMs: 10_000, timeLimitMs: 60_000, retry: { kind: 'exponential', attemptsMax: 3 } },
})

// The worker runs several photos at once, so each of them gets one core.
sharp.concurrency(1)
sharp.cache(false)

export const resize = handle(resizePhoto, async ({ path, folder, sizes }, ctx) => {
  const photo = await read(path)
  await mkdir(folder, { recursive: true })
  const resized: ResizedPhoto[] = []
  for (const size of sizes) {
    ctx.signal.throwIfAborted()
    const { data, info } = await shrink(photo, size, basename(path))
    const target = join(
      folder,
      `${basename(path, extname(path))}-${size}.${info.format === 'jpeg' ? 'jpg' : info.format}`,
    )
    await writeWhole(target, data)
    resized.push({ path: target, width: info.width, height: info.height, bytes: data.length })
    ctx.progress({ done: resized.length, of: sizes.length })
  }
  ctx.log.info({ photo: basename(path), sizes: resized.length }, 'resized')
  return resized
})

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new PermanentError(`there is no photo at ${path}`)
    }
    throw error
  }
}

/** The same bytes will be as damaged next time, so no other attempt is made: the task goes to the dead letters. */
async function shrink(photo: Buffer, size: number, name: string) {
  try {
    const options = { width: size, height: size, fit: 'inside', withoutEnlargement: true } as const
    return await sharp(photo).autoOrient().resize(options).toBuffer({ resolveWithObject: true })
  } catch (error) {
    throw new PermanentError(`${name} is damaged or no picture: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Writes beside the target and renames: a process that is killed leaves no half picture, and a task that runs
 * twice, even at the same time, leaves the same picture twice.
 */
async function writeWhole(target: string, data: Buffer): Promise<void> {
  const draft = `${target}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeFile(draft, data)
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
