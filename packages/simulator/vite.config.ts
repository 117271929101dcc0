import { defineConfig } from 'vite'
import { rules } from './build/rules-page.ts'

export default defineConfig({
  // The built page works from any path, also from a folder.
  base: './',
  plugins: [rules()],
  worker: { format: 'es' },
  build: { target: 'es2024' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
