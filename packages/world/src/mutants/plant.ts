import { registerHooks } from 'node:module'

/** A module with a bug in it. */
export interface Planted {
  /** Its address, as it is imported. */
  url: string
  source: string
}

/** From here on, the module has this bug when it is loaded. Modules that are already loaded keep their code. */
export function plant({ url: planted, source }: Planted): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (url !== planted) return nextLoad(url, context)
      return { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}
