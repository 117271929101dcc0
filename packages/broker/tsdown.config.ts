import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/core/index.ts'],
  format: 'esm',
  platform: 'node',
  unbundle: true,
})
