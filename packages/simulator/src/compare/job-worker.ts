/// <reference lib="webworker" />
import { doJob, type Order } from './jobs.ts'

self.onmessage = async ({ data: { name, order } }: MessageEvent<Order>) => {
  try {
    self.postMessage({ result: await doJob(name, order as never) })
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) })
  }
}
