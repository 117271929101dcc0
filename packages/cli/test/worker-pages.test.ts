import { expect, test } from 'vitest'
import type { BrokerHttp } from '../src/broker-http.ts'
import { allWorkers, workerLines } from '../src/commands/workers.ts'

test('[HOST-26] all workers are listed, however many pages they fill', async () => {
  const asked: string[] = []
  const pages = [
    { workers: [{ id: 'worker-1' }, { id: 'worker-2' }], next: 'worker-2' },
    { workers: [{ id: 'worker-7' }] },
  ]
  const http = {
    get: async (path: string) => {
      asked.push(path)
      return pages.shift()
    },
  } as unknown as BrokerHttp
  expect((await allWorkers(http)).map(({ id }) => id)).toEqual(['worker-1', 'worker-2', 'worker-7'])
  expect(asked).toEqual(['/v1/workers?limit=1000', '/v1/workers?limit=1000&after=worker-2'])
})

test('a worker at a broker of before there were labels is listed without any', () => {
  const row = { id: 'worker-1', name: 'old', connected: true, credit: 1, leased: 0, queues: ['photos'] }
  expect(workerLines([row], 200)[1]).toMatch(/photos +–$/)
  expect(workerLines([{ ...row, labels: {} }], 200)[1]).toMatch(/photos +–$/)
  expect(workerLines([{ ...row, labels: { gpu: '', cores: '8' } }], 200)[1]).toMatch(/photos +gpu, cores=8$/)
})
