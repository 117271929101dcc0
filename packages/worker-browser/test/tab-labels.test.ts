import { expect, test } from 'vitest'
import { tabLabels } from '../src/tab-labels.ts'
import { checkedOptions } from '../src/tab-worker-options.ts'
import { ManualTimers } from './manual-timers.ts'

const never = () => () => {}

test('[HELLO-4] a tab announces what its browser tells of the device', async () => {
  const gpu = { requestAdapter: async () => ({}) }
  expect(await tabLabels({ hardwareConcurrency: 8, deviceMemory: 0.5, gpu }, never)).toEqual({
    browser: '',
    cores: '8',
    memoryGb: '0.5',
    webgpu: '',
  })
})

test('what is not known is left out', async () => {
  expect(await tabLabels({}, never)).toEqual({ browser: '' })
})

test('WebGPU counts only with an adapter, which is not waited for long', async () => {
  const without = [
    { requestAdapter: async () => null },
    {
      requestAdapter: async () => {
        throw new Error('no GPU process')
      },
    },
  ]
  for (const gpu of without) expect(await tabLabels({ gpu }, never)).toEqual({ browser: '' })
  const timers = new ManualTimers()
  const labels = tabLabels({ gpu: { requestAdapter: () => new Promise(() => {}) } }, (fn, ms) => timers.set(fn, ms))
  timers.pass(1000)
  expect(await labels).toEqual({ browser: '' })
  expect(timers.pending).toBe(0)
})

test('labels that a broker would refuse are refused by createTabWorker, by name', () => {
  const checked = (labels: object) =>
    checkedOptions(
      {
        url: 'ws://broker',
        queues: ['q'],
        consent: 'given',
        worker: () => ({}) as Worker,
        labels: labels as Record<string, string>,
      },
      4,
    )
  expect(checked({ site: 'library' }).labels).toEqual({ site: 'library' })
  expect(() => checked({ cores: 8 })).toThrow('labels.cores: A string is needed here.')
  expect(() => checked([])).toThrow('labels: An object is needed here.')
  // With those of the tab there would be one too many.
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, '']))
  expect(checked(many(28)).labels).toEqual(many(28))
  expect(() => checked(many(29))).toThrow('labels: A worker has at most 32 labels, not 33.')
})
