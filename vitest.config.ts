import chromium from '@sparticuz/chromium'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { shareCompileCache } from './compile-cache.ts'
import { LongestFirst } from './longest-first.ts'

shareCompileCache()

const browserTests = 'packages/*/test/**/*.browser.test.ts'

export default defineConfig({
  test: {
    // Two cores are the smallest machine that has to pass. The third works while others wait for processes and disks.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // They end what hangs. A busy machine takes many times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // To load the packages for each file anew takes longer than most of the tests.
          isolate: false,
          environment: 'node',
          include: ['packages/*/test/**/*.test.ts', 'bench/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
          exclude: ['**/node_modules/**', browserTests],
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [browserTests],
          globalSetup: [
            'packages/world/test/hashes-of-node.ts',
            'packages/cli/test/broker-of-tabs.ts',
            'packages/cli/test/pages/origins.ts',
          ],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: 'chromium' }],
            provider: playwright({
              launchOptions: {
                // A browser shipped inside a registry package: the tests need nothing installed by hand.
                executablePath: await chromium.executablePath(),
                args: [
                  '--no-sandbox',
                  '--disable-gpu',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                  // Pages of other origins are served here under names of their own.
                  '--host-resolver-rules=MAP *.example 127.0.0.1',
                ],
              },
            }),
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'consumer',
          environment: 'node',
          include: ['consumer/test/*.test.ts'],
          globalSetup: 'consumer/src/setup.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'tidy',
          environment: 'node',
          include: ['tidy/**/*.test.ts'],
        },
      },
    ],
  },
})
