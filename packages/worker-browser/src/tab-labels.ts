import type { Labels } from '@sluice/protocol'

/** What a browser tells of its device. Each may be missing: `deviceMemory` and `gpu` need a secure page. */
export interface Described {
  readonly hardwareConcurrency?: number
  /** GiB, rounded to a few steps. Chromium only. */
  readonly deviceMemory?: number
  readonly gpu?: { requestAdapter(): Promise<object | null> }
}

/** How long the search for a GPU may take, in ms. */
const GPU_MS_MAX = 1000

/**
 * The labels of a tab: `browser`, and what is known of `cores`, `memoryGb` and `webgpu`. Many browsers have the API of
 * WebGPU on machines without a GPU for it, so it counts only if there is an adapter.
 */
export async function tabLabels(
  { hardwareConcurrency, deviceMemory, gpu }: Described,
  setTimer: (fn: () => void, ms: number) => () => void,
): Promise<Labels> {
  return {
    browser: '',
    ...(hardwareConcurrency === undefined ? {} : { cores: String(hardwareConcurrency) }),
    ...(deviceMemory === undefined ? {} : { memoryGb: String(deviceMemory) }),
    ...((await hasAdapter(gpu, setTimer)) ? { webgpu: '' } : {}),
  }
}

async function hasAdapter(gpu: Described['gpu'], setTimer: (fn: () => void, ms: number) => () => void) {
  if (gpu === undefined) return false
  let cancel = () => {}
  const late = new Promise<null>((resolve) => {
    cancel = setTimer(() => resolve(null), GPU_MS_MAX)
  })
  try {
    return (await Promise.race([gpu.requestAdapter(), late])) !== null
  } catch {
    return false
  } finally {
    cancel()
  }
}
