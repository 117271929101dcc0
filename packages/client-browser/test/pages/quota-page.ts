import { type NewItem, OutboxError } from '@sluice/client/outbox'
import { indexedDbStore } from '@sluice/client-browser'

const store = indexedDbStore()
let made = 0

function newItem(body: NewItem['body']): NewItem {
  made += 1
  const id = `01890a5d-ac96-774b-bcce-${made.toString(16).padStart(12, '0')}`
  return { version: 1, inputVersion: 1, id, owner: 'ada', queue: 'photos', body }
}

const photo = () => newItem({ bytes: crypto.getRandomValues(new Uint8Array(60_000)) })

/** What tests call in the page. */
const page = {
  addSmall: async () => (await store.add([newItem('1')])).length,
  /** @returns the number of stored items, or the code of the error */
  addPhotos: async (count: number): Promise<number | string> => {
    try {
      return (await store.add(Array.from({ length: count }, photo))).length
    } catch (error) {
      return error instanceof OutboxError ? error.code : String(error)
    }
  },
  saved: async () => (await store.counts('ada')).saved,
}

export type QuotaPage = typeof page

Object.assign(globalThis, { page })
