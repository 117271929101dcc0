import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { median } from './figure.ts'
import { Scratch } from './machine.ts'

const blockBytes = 4096
const asleep = new Int32Array(new SharedArrayBuffer(4))

/**
 * The median milliseconds of a 4 KiB append with fsync on the file system of the journals, each after a pause of `pauseMs`:
 * a disk that has rested may answer later than one that is kept busy.
 */
export function fsyncMs(count: number, pauseMs: number): number {
  using scratch = new Scratch()
  const file = openSync(scratch.file('appended'), 'w')
  const block = Buffer.alloc(blockBytes, 1)
  const samples: number[] = []
  for (let index = 0; index < count; index++) {
    if (pauseMs > 0) Atomics.wait(asleep, 0, 0, pauseMs)
    const startMs = performance.now()
    writeSync(file, block)
    fsyncSync(file)
    samples.push(performance.now() - startMs)
  }
  closeSync(file)
  return median(samples)
}
