import { defineConfig } from 'vitest/config'
import { shareCompileCache } from './compile-cache.ts'

shareCompileCache()

/** `pnpm test:fast` and `pnpm test:watch`: the packages that most changes are made in, without what takes long. */
export default defineConfig({
  test: {
    name: 'fast',
    // A worker for each file would take longer than the tests in it.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    include: ['protocol', 'engine', 'machines', 'client', 'broker', 'testing'].map(
      (name) => `packages/${name}/test/**/*.test.ts`,
    ),
    exclude: [
      '**/node_modules/**',
      // They wait for disks and processes, or draw many thousand cases.
      'packages/broker/test/journal/sqlite*.test.ts',
      'packages/broker/test/adapters/broker.test.ts',
      'packages/broker/test/core/recovery.test.ts',
      'packages/protocol/test/fuzz.test.ts',
      'packages/protocol/test/round-trip.test.ts',
    ],
  },
})
