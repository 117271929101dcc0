import { defineConfig } from 'vite'
import { offline } from './build/offline-worker.ts'
import { rules } from './build/rules-page.ts'

export default defineConfig({
  // The built page works from any path.
  base: './',
  plugins: [rules(), offline()],
  worker: { format: 'es' },
  build: { target: 'es2024' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
