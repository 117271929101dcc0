import { registerHooks } from 'node:module'

/** A module with a bug in it. */
export interface Planted {
  /** Its address, as it is imported. */
  url: string
  source: string
}

/** From here on, the module has this bug where it is loaded. What is loaded already keeps its sense. */
export function plant({ url: planted, source }: Planted): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (url !== planted) return nextLoad(url, context)
      return { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}
