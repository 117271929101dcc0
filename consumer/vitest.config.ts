import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** All of it: `pnpm test:consumer`. What `pnpm test` runs of it is in the configuration of the workspace. */
export default defineConfig({
  test: {
    name: 'consumer',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    include: ['consumer/test/**/*.test.ts'],
    globalSetup: join(import.meta.dirname, 'src', 'setup.ts'),
  },
})
