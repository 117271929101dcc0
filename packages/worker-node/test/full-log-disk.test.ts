import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@sluice/client'
import { expect, test } from 'vitest'
import { nodePlatform } from '../src/index.ts'
import { startBroker } from './processes.ts'

const program = join(import.meta.dirname, '..', '..', 'cli', 'src', 'main.ts')
const module = join(import.meta.dirname, 'fixtures', 'tasks.ts')

// A device on which every write fails with ENOSPC.
test.skipIf(!existsSync('/dev/full')).each([{ flags: [] }, { flags: ['--threads', '1'] }])(
  'a worker whose log has no room goes on, loses the lines, and leaves in order: $flags',
  async ({ flags }) => {
    const broker = await startBroker()
    const client = createClient({ url: broker.url, platform: nodePlatform })
    const worker = spawn(process.execPath, [program, 'worker', module, '--url', broker.url, ...flags], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'inherit'],
    })
    const exited = once(worker, 'exit')
    // Both a line of the handler's and one of a failed attempt are lost.
    const report = await client.submit('report', 1)
    const dead = await client.submit('permanent', null)
    expect(await report.result()).toBe('done')
    await expect(dead.result()).rejects.toMatchObject({ name: 'TaskDeadError' })
    worker.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    await client.close()
    broker.child.kill('SIGKILL')
  },
)
